//! `landfall demo`: the whole way on one machine, in two simulated clouds, with the real functions behind a small Lambda and a small
//! Functions host.
//!
//! ```text
//! stage ─► first sweeps ─► a new account, a new subscription: event to delivery ─► settings broken, found, repaired ─► the end
//! ```
//! Everything that is told is read: from the store that the functions write, and from the calls that the simulators received.
//!
//! [`side`] is what both clouds do, [`aws`] and [`azure`] are how, [`stage`] is what they share.

mod aws;
mod azure;
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

use crate::command::{ledger, simulate, status};
use crate::say;
use narrate::{act, cloud, fact};
use side::{Side, follow, settle, sweep};
use stage::{Clouds, Folder, Named, Stage};

const ON_AWS: &str = "AWS";
const ON_AZURE: &str = "Azure";

/// The account and the subscription that are made while somebody looks on.
const NEW_ACCOUNT: &str = "payments-test";
const NEW_SUBSCRIPTION: &str = "payments-beta";

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
        "Landfall, on a simulated AWS and a simulated Azure: no cloud account is used, and nothing leaves this machine",
    ));
    let mut stage = opening(dir).await?;
    let played = acts(&mut stage, began).await;
    let store = stage.folder.store_address();
    let Clouds { aws, azure } = stage.end().await?;
    played?;
    if keep {
        let plan =
            format!("  {} plan --manifest {} --store {store}", program(), dir.join("manifest").display());
        say::line("\nThe simulated clouds keep running until Ctrl-C. In another shell:");
        say::line(simulate::aws_environment(&aws.url()));
        say::line(simulate::azure_environment(&azure.url()));
        say::line(format!("{plan} --cloud azure"));
        say::line(format!("{plan} --cloud aws"));
        simulate::ended().await;
    }
    aws.stop();
    azure.stop();
    Ok(())
}

async fn acts(stage: &mut Stage, began: Instant) -> anyhow::Result<()> {
    first_sweeps(stage).await?;
    let account = new_account(stage).await?;
    let subscription = new_subscription(stage).await?;
    a_day_later(stage, &account, &subscription).await?;
    ending(stage, &account, &subscription, began).await
}

async fn opening(dir: &Path) -> anyhow::Result<Stage> {
    act(0, "The stage", "");
    let (stage, statement) = Stage::set(dir).await?;
    let Stage { folder, aws, azure } = &stage;
    let accounts = aws.simulator.read(|world| world.organization.members.len());
    fact("AWS", &format!("{accounts} accounts; one was invited and runs a web server"));
    fact("", &format!("the real Lambda function, process {}, behind a small Lambda Runtime API", aws.pid()));
    let subscriptions = azure.simulator.read(|world| world.subscriptions.len());
    fact("Azure", &format!("{subscriptions} subscriptions; an old one runs a shop, outside Europe"));
    fact("", &format!("the real custom handler, process {}, behind a small Functions host", azure.pid()));
    fact(
        "manifest",
        &format!(
            "{}: one for both; five accounts and four subscriptions named",
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
    let Stage { folder, aws, azure } = stage;
    cloud(ON_AWS, "EventBridge's schedule fires");
    fact("closed", &ended(&sweep(aws, &*folder.store, false).await?));
    fact("invited", &aws.invited());
    cloud(ON_AZURE, "the timer fires");
    fact("closed", &ended(&sweep(azure, &*folder.store, false).await?));
    fact("older", &azure.older());
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

async fn a_day_later(stage: &mut Stage, account: &TenantId, subscription: &TenantId) -> anyhow::Result<()> {
    act(
        4,
        "A day later",
        "somebody named both new tenants in the manifest, and somebody clicked in six consoles",
    );
    let named = Named { account: account.native(), subscription: subscription.native() };
    let statement = stage.release(2, &named).await?;
    fact(
        "bundle",
        &format!(
            "{}, generation {}: {NEW_ACCOUNT} and {NEW_SUBSCRIPTION} belong to payments",
            statement.digest.short(),
            statement.generation
        ),
    );
    let Stage { folder, aws, azure } = stage;
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
    Ok(())
}

async fn ending(
    stage: &Stage,
    account: &TenantId,
    subscription: &TenantId,
    began: Instant,
) -> anyhow::Result<()> {
    act(5, "How it stands", "both clouds, by one store");
    let Stage { folder, aws, azure } = stage;
    let store = &*folder.store;
    let records = ask::status(store).await?;
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
    for (name, calls, file) in [
        (ON_AWS, aws.simulator.calls().len(), aws::CALLS),
        (ON_AZURE, azure.simulator.calls().len(), azure::CALLS),
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
        format!("ledger show {subscription} --store {address}"),
        format!("check {}", folder.path("manifest")),
        format!("verify {} --public-keys {}", folder.path("bundle.json"), folder.public_key),
        "demo --keep    # keeps both clouds, so that `plan --cloud azure` and all the others can be typed"
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
