//! `landfall demo`: the whole way on one machine, in three simulated clouds, with the real functions behind a small Lambda, a small
//! Functions host and a small Cloud Tasks.
//!
//! ```text
//! stage ─► first sweeps ─► a new account, subscription, project: event to delivery ─► settings broken, found, repaired ─► the end
//! ```
//! Everything that is told is read: from the store that the functions write, and from the calls that the simulators received.
//!
//! [`side`] is what all clouds do, [`aws`], [`azure`] and [`gcp`] are how, [`stage`] is what they share.

mod aws;
mod azure;
mod gcp;
mod narrate;
mod side;
mod stage;
mod watch;

use std::path::Path;
use std::time::Instant;

use anyhow::{Context as _, bail};
use landfall_engine::reconcile::life::Delivery;
use landfall_engine::store::StoreExt as _;
use landfall_engine::sweep::Closed;
use landfall_engine::{ask, history, keys};
use landfall_model::id::{Provider, TenantId};
use landfall_model::report::Report;
use landfall_model::target::Target;
use landfall_reports::text;
use landfall_simulator::azure::DIRECTORY;
use landfall_simulator::gcp::GcpBreakage;

use crate::command::{ledger, simulate, status};
use crate::say;
use narrate::{act, cloud, fact};
use side::{Side, follow, settle, sweep};
use stage::{Clouds, Folder, Named, Stage};

const ON_AWS: &str = "AWS";
const ON_AZURE: &str = "Azure";
const ON_GCP: &str = "Google Cloud";

/// The account, the subscription and the project that are made while somebody looks on.
const NEW_ACCOUNT: &str = "payments-test";
const NEW_SUBSCRIPTION: &str = "payments-beta";
const NEW_PROJECT: &str = "payments-gamma";

/// The tenants that are made while somebody looks on.
#[derive(Debug)]
struct Newcomers {
    account: TenantId,
    subscription: TenantId,
    project: TenantId,
}

/// Plays all acts. Ctrl-C ends it, and with it everything it started.
pub(crate) async fn run(dir: &Path, keep: bool) -> anyhow::Result<()> {
    tokio::select! {
        // Whoever ends what is kept running ends a demo that went well.
        biased;
        played = play(dir, keep) => played,
        () = simulate::ended() => bail!("the demo was interrupted; what it wrote is in `{}`", dir.display()),
    }
}

async fn play(dir: &Path, keep: bool) -> anyhow::Result<()> {
    let began = Instant::now();
    say::line(say::styled(
        say::HEAD,
        "Landfall, on a simulated AWS, Azure and Google Cloud: no cloud account is used, and nothing leaves this machine",
    ));
    let mut stage = opening(dir).await?;
    let played = acts(&mut stage, began).await;
    let store = stage.folder.store_address();
    let Clouds { aws, azure, gcp } = stage.end().await?;
    played?;
    if keep {
        let plan =
            format!("  {} plan --manifest {} --store {store}", program(), dir.join("manifest").display());
        say::line("\nThe simulated clouds keep running until Ctrl-C. In another shell:");
        say::line(simulate::aws_environment(&aws.url()));
        say::line(simulate::azure_environment(&azure.url()));
        say::line(simulate::gcp_environment(&gcp.url()));
        say::line(format!("{plan} --cloud gcp"));
        say::line(format!("{plan} --cloud azure"));
        say::line(format!("{plan} --cloud aws"));
        simulate::ended().await;
    }
    aws.stop();
    azure.stop();
    gcp.stop();
    Ok(())
}

async fn acts(stage: &mut Stage, began: Instant) -> anyhow::Result<()> {
    first_sweeps(stage).await?;
    let account = new_account(stage).await?;
    let subscription = new_subscription(stage).await?;
    let project = new_project(stage).await?;
    let new = Newcomers { account, subscription, project };
    a_day_later(stage, &new).await?;
    ending(stage, &new, began).await
}

async fn opening(dir: &Path) -> anyhow::Result<Stage> {
    act(0, "The stage", "");
    let (stage, statement) = Stage::set(dir).await?;
    let Stage { folder, aws, azure, gcp } = &stage;
    let accounts = aws.simulator.read(|world| world.organization.members.len());
    fact("AWS", &format!("{accounts} accounts; one was invited and runs a web server"));
    fact("", &format!("the real Lambda function, process {}, behind a small Lambda Runtime API", aws.pid()));
    let subscriptions = azure.simulator.read(|world| world.subscriptions.len());
    fact("Azure", &format!("{subscriptions} subscriptions; an old one runs a shop, outside Europe"));
    fact("", &format!("the real custom handler, process {}, behind a small Functions host", azure.pid()));
    let projects = gcp.simulator.read(|world| world.projects.len());
    fact("Google", &format!("{projects} projects; an old one runs a store on its default network"));
    fact(
        "",
        &format!("the real Cloud Run function, process {}, to which a small Cloud Tasks pushes", gcp.pid()),
    );
    fact(
        "manifest",
        &format!(
            "{}: one for all; five accounts, four subscriptions and four projects named",
            folder.path("manifest/landfall.yaml")
        ),
    );
    fact(
        "bundle",
        &format!(
            "{}, signed with key {} as generation {}",
            statement.digest.short(),
            statement.key_id,
            statement.generation
        ),
    );
    Ok(stage)
}

async fn first_sweeps(stage: &mut Stage) -> anyhow::Result<()> {
    act(1, "The first sweeps", "everybody is looked at; only tenants that the manifest names are written to");
    let Stage { folder, aws, azure, gcp } = stage;
    cloud(ON_AWS, "EventBridge's schedule fires");
    fact("closed", &ended(&sweep(aws, &*folder.store, false).await?));
    fact("invited", &aws.invited());
    cloud(ON_AZURE, "the timer fires");
    fact("closed", &ended(&sweep(azure, &*folder.store, false).await?));
    fact("older", &azure.older());
    cloud(ON_GCP, "Cloud Scheduler fires");
    fact("closed", &ended(&sweep(gcp, &*folder.store, false).await?));
    fact("older", &gcp.older());
    Ok(())
}

async fn new_account(stage: &mut Stage) -> anyhow::Result<TenantId> {
    act(
        2,
        "A new account on AWS",
        "gated before anything else, handed over when every required control was seen to hold",
    );
    let Stage { folder, aws, .. } = stage;
    let (id, event) = aws.create(NEW_ACCOUNT)?;
    let tenant = TenantId::new(Provider::Aws, &id)?;
    fact("event", &format!("CreateAccountResult, by EventBridge: {NEW_ACCOUNT} is {id}"));
    newcomer(aws, folder, &tenant, &event).await?;
    Ok(tenant)
}

async fn new_subscription(stage: &mut Stage) -> anyhow::Result<TenantId> {
    act(
        3,
        "A new subscription on Azure",
        "the same way, by Azure's own means: policies, management groups, Defender",
    );
    let Stage { folder, azure, .. } = stage;
    let (id, event) = azure.create(NEW_SUBSCRIPTION);
    let tenant = TenantId::new(Provider::Azure, &id)?;
    fact("event", &format!("the activity log, by an Event Hub: {NEW_SUBSCRIPTION} is {id}"));
    let born = azure.group(&id);
    fact("born", &format!("in the management group `{born}`, in which nobody can make anything"));
    newcomer(azure, folder, &tenant, &event).await?;
    Ok(tenant)
}

async fn new_project(stage: &mut Stage) -> anyhow::Result<TenantId> {
    act(
        4,
        "A new project on Google Cloud",
        "the same way once more: an IAM deny policy, organization policies, folders",
    );
    let Stage { folder, gcp, .. } = stage;
    let event = gcp.create(NEW_PROJECT);
    let tenant = TenantId::new(Provider::Gcp, NEW_PROJECT)?;
    fact(
        "event",
        &format!("the audit log, by Pub/Sub: CreateProject {NEW_PROJECT}, its first entry and its last"),
    );
    newcomer(gcp, folder, &tenant, &event).await?;
    Ok(tenant)
}

/// Delivers the event of a new tenant, tells what comes of it, and delivers it once more.
async fn newcomer<S: Side>(
    side: &mut S,
    folder: &Folder,
    tenant: &TenantId,
    event: &S::Event,
) -> anyhow::Result<()> {
    let store = &*folder.store;
    follow(side, store, tenant, event).await?;
    let (delivery, _) = store
        .read::<Delivery>(&keys::delivery(tenant, 1)?)
        .await?
        .with_context(|| format!("{tenant} was not handed over: look at it with `landfall status`"))?;
    let required = delivery.required.len();
    fact("delivery", &format!("{required} required controls held; recorded by run {}", delivery.run));
    let key = keys::run(&delivery.run, &Target::Tenant(tenant.clone()))?;
    if let Some((report, _)) = store.read::<Report>(&key).await? {
        fact("report", &text::report_line(&report));
    }
    let before = side.writes(tenant.native());
    settle(side, event).await?;
    let again = side.writes(tenant.native()) - before;
    fact("again", &format!("the same event once more, as clouds do: {again} writes"));
    Ok(())
}

async fn a_day_later(stage: &mut Stage, new: &Newcomers) -> anyhow::Result<()> {
    act(
        5,
        "A day later",
        "somebody named the new tenants in the manifest, and somebody clicked in nine consoles",
    );
    let Newcomers { account, subscription, project } = new;
    let named =
        Named { account: account.native(), subscription: subscription.native(), project: project.native() };
    let statement = stage.release(2, &named).await?;
    fact(
        "bundle",
        &format!(
            "{}, generation {}: {NEW_ACCOUNT}, {NEW_SUBSCRIPTION} and {NEW_PROJECT} belong to payments",
            statement.digest.short(),
            statement.generation
        ),
    );
    let Stage { folder, aws, azure, gcp } = stage;
    cloud(ON_AWS, "broken by hand");
    aws.simulator.edit(|world| {
        if let Some(account) = world.account_mut(account.native()) {
            account.password_policy = None;
        }
        if let Some(account) = world.account_mut("222222222222") {
            account.public_access_block = None;
        }
        if let Some(account) = world.account_mut("222222222224") {
            account.region("eu-central-1").snapshot_block = "unblocked".to_owned();
        }
    });
    fact("broken", "payments-test: the password policy is deleted");
    fact("broken", "payments-prod: the public access block of S3 is deleted");
    fact("broken", "search-prod: snapshots in eu-central-1 may be shared with everybody");
    fact("event", "the schedule fires; accounts in which nothing was done are left out here");
    fact("closed", &ended(&sweep(aws, &*folder.store, true).await?));

    cloud(ON_AZURE, "broken by hand");
    azure.simulator.edit(|world| {
        if let Some(new) = world.subscription_mut(subscription.native()) {
            new.security_contacts.clear();
        }
        if let Some(web) = world.subscription_mut(&azure::subscription(2)) {
            web.governance.diagnostic_settings.clear();
        }
        if let Some(index) = world.subscription_mut(&azure::subscription(4)) {
            DIRECTORY.clone_into(&mut index.parent);
        }
    });
    fact("broken", "payments-beta: the security contact is deleted");
    fact("broken", "payments-web: the activity log is no longer exported");
    fact("broken", "search-index: moved out of its unit, and so out of reach of the policies there");
    fact("event", "the timer fires; subscriptions in which nothing was done are left out here");
    fact("closed", &ended(&sweep(azure, &*folder.store, true).await?));

    cloud(ON_GCP, "broken by hand");
    for (project, how) in [
        (project.native(), GcpBreakage::Contacts),
        ("payments-shop", GcpBreakage::Label),
        ("search-api", GcpBreakage::Placement),
    ] {
        gcp.simulator.edit(|world| world.damage(project, how))?;
    }
    fact("broken", "payments-gamma: the essential contacts are deleted");
    fact("broken", "payments-shop: its labels say something else");
    fact("broken", "search-api: moved out of its folder, and so out of reach of the policies there");
    fact("event", "Cloud Scheduler fires; projects in which nothing was done are left out here");
    fact("closed", &ended(&sweep(gcp, &*folder.store, true).await?));
    Ok(())
}

async fn ending(stage: &Stage, new: &Newcomers, began: Instant) -> anyhow::Result<()> {
    act(6, "How it stands", "all clouds, by one store");
    let Newcomers { account, subscription, project } = new;
    let Stage { folder, aws, azure, gcp } = stage;
    let store = &*folder.store;
    let records = ask::status(store).await?.targets;
    say::text(&status::everybody(&records));
    let mut verified = Vec::new();
    for record in &records {
        verified.push(history::verify(store, &record.target).await?);
    }
    say::line("");
    let verdict = ledger::verdict(&verified);
    fact("ledger", verdict.lines().last().unwrap_or_default());
    fact("invited", &aws.invited());
    fact("older", &azure.older());
    fact("older", &gcp.older());
    for (name, calls, file) in [
        (ON_AWS, aws.simulator.calls().len(), aws::CALLS),
        (ON_AZURE, azure.simulator.calls().len(), azure::CALLS),
        (ON_GCP, gcp.simulator.calls().len(), gcp::CALLS),
    ] {
        fact("calls", &format!("{calls} received on {name}; each is a line of {}", folder.path(file)));
    }
    let address = folder.store_address();
    fact("store", &address);
    fact("time", &format!("{:.0} seconds", began.elapsed().as_secs_f32()));
    let landfall = program();
    say::line(format!("\n{}", say::styled(say::HEAD, "Go on with")));
    for line in [
        format!("status aws/222222222229 --store {address}"),
        format!("explain {account} strong-passwords --store {address}"),
        format!("explain {subscription} people-to-call --store {address}"),
        format!("explain {project} people-to-call --store {address}"),
        format!("ledger show {subscription} --store {address}"),
        format!("check {}", folder.path("manifest")),
        format!("verify {} --public-keys {}", folder.path("bundle.json"), folder.public_key),
        "demo --keep    # keeps all clouds, so that `plan --cloud azure` and all the others can be typed"
            .to_owned(),
    ] {
        say::line(format!("  {landfall} {line}"));
    }
    Ok(())
}

fn ended(closed: &Closed) -> String {
    let seconds = closed.ended.duration_since(closed.started).as_secs_f32();
    format!(
        "{} of {} targets in {seconds:.1} s, {} changes, {}",
        closed.done,
        closed.targets,
        closed.changes,
        text::counts(closed.counts)
    )
}

/// How this program was called, so that what is shown to type next works.
fn program() -> String {
    std::env::args().next().unwrap_or_else(|| "landfall".to_owned())
}
