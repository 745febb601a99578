//! `landfall demo`: the whole way on one machine, with the real function behind a small Lambda and a simulated AWS.
//!
//! ```text
//! stage ─► first sweep ─► a new account, from its event to its delivery ─► three settings broken, found, repaired ─► the end
//! ```
//! Everything that is told is read: from the store that the function writes, and from the calls that the simulator received.

mod narrate;
mod stage;
mod watch;

use std::path::Path;
use std::time::Instant;

use anyhow::{Context as _, bail};
use jiff::Timestamp;
use landfall_engine::queue::Queue as _;
use landfall_engine::reconcile::life::Delivery;
use landfall_engine::store::StoreExt as _;
use landfall_engine::sweep::Closed;
use landfall_engine::{ask, history, keys};
use landfall_model::id::{Provider, SweepId, TenantId};
use landfall_reports::text;
use landfall_simulator::lambda::{failed_of, sqs_event};
use landfall_simulator::{MANAGEMENT_ACCOUNT, Simulator};
use serde_json::{Value, json};

use crate::command::{ledger, simulate, status};
use crate::say;
use narrate::{act, fact};
use stage::Stage;
use watch::{Finish, Tail, beside};

/// The account that was invited and runs a business.
const INVITED: &str = "222222222233";

/// Messages that the queue hands over at once, as Lambda's event source mapping is told.
const BATCH: usize = 10;

/// Plays all acts. Ctrl-C ends it, and with it everything it started.
pub(crate) async fn run(dir: &Path, keep: bool) -> anyhow::Result<()> {
    tokio::select! {
        played = play(dir, keep) => played,
        () = simulate::ended() => bail!("the demo was interrupted; what it wrote is in `{}`", dir.display()),
    }
}

async fn play(dir: &Path, keep: bool) -> anyhow::Result<()> {
    let began = Instant::now();
    say::line(say::styled(
        say::HEAD,
        "Landfall, on a simulated AWS: no cloud account is used, and nothing leaves this machine",
    ));
    let mut stage = opening(dir).await?;
    let played = acts(&mut stage, began).await;
    let simulator = stage.end().await?;
    played?;
    if keep {
        say::line("\nThe simulated cloud keeps running until Ctrl-C. In another shell:");
        say::line(simulate::environment(&simulator.url()));
        say::line(format!(
            "  {} plan --manifest {} --store {}",
            program(),
            dir.join("manifest").display(),
            store(dir)
        ));
        simulate::ended().await;
    }
    simulator.stop();
    Ok(())
}

async fn acts(stage: &mut Stage, began: Instant) -> anyhow::Result<()> {
    first_sweep(stage).await?;
    let new = new_account(stage).await?;
    drift(stage, &new).await?;
    ending(stage, &new, began).await
}

async fn opening(dir: &Path) -> anyhow::Result<Stage> {
    act(0, "The stage", "");
    let (stage, statement) = Stage::set(dir).await?;
    let accounts = stage.simulator.read(|world| world.organization.members.len());
    fact(
        "cloud",
        &format!("{accounts} accounts at {}; one was invited and runs a web server", stage.simulator.url()),
    );
    fact("manifest", &format!("{}: five accounts named", dir.join("manifest/landfall.yaml").display()));
    fact(
        "bundle",
        &format!(
            "{}, signed with key {} as generation {}",
            statement.digest.short(),
            statement.key_id,
            statement.generation
        ),
    );
    fact("function", &format!("the real one, process {}, behind a small Lambda Runtime API", stage.pid()));
    Ok(stage)
}

async fn first_sweep(stage: &mut Stage) -> anyhow::Result<()> {
    act(1, "The first sweep", "everybody is looked at; only accounts that the manifest names are written to");
    let closed = sweep(stage, false).await?;
    fact("closed", &ended(&closed));
    invited(&stage.simulator);
    Ok(())
}

async fn new_account(stage: &mut Stage) -> anyhow::Result<TenantId> {
    act(
        2,
        "A new account",
        "gated before anything else, handed over when every required control was seen to hold",
    );
    let name = "payments-test";
    let id = stage.simulator.edit(|world| world.create_account(name));
    let tenant = TenantId::new(Provider::Aws, &id)?;
    let event = created(stage, &id)?;
    fact("event", &format!("CreateAccountResult: {name} is {id}"));
    let store = std::sync::Arc::clone(&stage.store);
    let mut tail = Tail::new(&*store, &tenant);
    let answer = beside(stage.deliver(&event), async || tail.look().await).await??;
    let summary = answer.get("summary").and_then(Value::as_str).unwrap_or("it gave no summary");
    if let Some((delivery, _)) = stage.store.read::<Delivery>(&keys::delivery(&tenant, 1)?).await? {
        fact(
            "delivery",
            &format!("{} required controls held; recorded by run {}", delivery.required.len(), delivery.run),
        );
    }
    fact("report", summary);
    let before = writes(&stage.simulator, &id);
    stage.deliver(&event).await?;
    let again = writes(&stage.simulator, &id) - before;
    fact("again", &format!("the same event once more, as clouds do: {again} writes"));
    Ok(tenant)
}

async fn drift(stage: &mut Stage, new: &TenantId) -> anyhow::Result<()> {
    act(
        3,
        "A day later",
        "somebody named the new account in the manifest, and somebody clicked in three consoles",
    );
    let statement = stage.release(2, new.native()).await?;
    fact(
        "bundle",
        &format!(
            "{}, generation {}: {new} belongs to payments",
            statement.digest.short(),
            statement.generation
        ),
    );
    stage.simulator.edit(|world| {
        if let Some(account) = world.account_mut(new.native()) {
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
    let closed = sweep(stage, true).await?;
    fact("closed", &ended(&closed));
    Ok(())
}

async fn ending(stage: &Stage, new: &TenantId, began: Instant) -> anyhow::Result<()> {
    act(4, "How it stands", "");
    let records = ask::status(&*stage.store).await?;
    say::text(&status::everybody(&records));
    let mut verified = Vec::new();
    for record in &records {
        verified.push(history::verify(&*stage.store, &record.target).await?);
    }
    say::line("");
    let verdict = ledger::verdict(&verified);
    fact("ledger", verdict.lines().last().unwrap_or_default());
    invited(&stage.simulator);
    fact(
        "calls",
        &format!(
            "{} received; each is a line of {}",
            stage.simulator.calls().len(),
            stage.dir.join("calls.ndjson").display()
        ),
    );
    let Stage { dir, public_key, .. } = stage;
    let address = stage.store_address();
    fact("store", &address);
    fact("time", &format!("{:.0} seconds", began.elapsed().as_secs_f32()));
    let landfall = program();
    say::line(format!("\n{}", say::styled(say::HEAD, "Go on with")));
    for line in [
        format!("status aws/222222222229 --store {address}"),
        format!("explain {new} strong-passwords --store {address}"),
        format!("ledger show {new} --store {address}"),
        format!("check {}", dir.join("manifest").display()),
        format!("verify {} --public-keys {public_key}", dir.join("bundle.json").display()),
        "demo --keep".to_owned(),
    ] {
        say::line(format!("  {landfall} {line}"));
    }
    Ok(())
}

/// Fires the schedule and works the queue off, and tells of each target when it is done.
async fn sweep(stage: &mut Stage, quiet: bool) -> anyhow::Result<Closed> {
    let event = json!({
        "version": "0",
        "id": "53dc4d37-cffa-4f76-80c9-8b7d4a4d2eaa",
        "detail-type": "Scheduled Event",
        "source": "aws.events",
        "account": MANAGEMENT_ACCOUNT,
        "time": Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
        "region": "eu-central-1",
        "resources": [format!("arn:aws:events:eu-central-1:{MANAGEMENT_ACCOUNT}:rule/landfall-sweep")],
        "detail": {},
    });
    let answer = stage.deliver(&event).await?;
    let id: SweepId = answer
        .get("sweep")
        .and_then(Value::as_str)
        .with_context(|| format!("the function began no sweep: {answer}"))?
        .parse()?;
    let store = std::sync::Arc::clone(&stage.store);
    let mut finish = Finish::new(&*store, &id, quiet);
    beside(work(stage, &id), async || finish.look().await).await?
}

/// Hands the queue's messages to the function in batches until the sweep is closed.
async fn work(stage: &mut Stage, sweep: &SweepId) -> anyhow::Result<Closed> {
    let key = keys::closed(sweep)?;
    loop {
        let (due, later) = stage.waiting();
        if due == 0 {
            if let Some((closed, _)) = stage.store.read::<Closed>(&key).await? {
                return Ok(closed);
            }
            if later == 0 {
                bail!("the queue is empty and the sweep {sweep} is not closed");
            }
            // The close of a sweep comes twenty seconds after its begin; nobody wants to wait for it here.
            stage.hurry();
        }
        let received = stage.queue.receive(BATCH).await?;
        let batch = sqs_event(received.iter().map(|one| (one.receipt.as_str(), one.body.as_str())));
        let failed = failed_of(&stage.deliver(&batch).await?);
        for one in received {
            if failed.contains(&one.receipt) {
                stage.queue.retry(&one.receipt, std::time::Duration::from_secs(1)).await?;
            } else {
                stage.queue.done(&one.receipt).await?;
            }
        }
    }
}

/// The event that the organization emitted for the new account.
fn created(stage: &Stage, id: &str) -> anyhow::Result<Value> {
    let of = |event: &Value| {
        event.pointer("/detail/serviceEventDetails/createAccountStatus/accountId").and_then(Value::as_str)
            == Some(id)
    };
    stage.simulator.take_events().into_iter().find(of).context("the simulated organization emitted no event")
}

/// Calls that would have changed an account, made in it or about it.
fn writes(simulator: &Simulator, account: &str) -> usize {
    let looks = ["Get", "List", "Describe", "AssumeRole"];
    let calls = simulator.calls();
    calls
        .iter()
        .filter(|call| call.service != "sqs" && !looks.iter().any(|word| call.operation.starts_with(word)))
        .filter(|call| call.account == account || call.parameters.to_string().contains(account))
        .count()
}

/// The account that nobody named was left alone.
fn invited(simulator: &Simulator) {
    let made = writes(simulator, INVITED);
    let servers: usize = simulator.read(|world| {
        let regions = world.account(INVITED).map(|account| &account.regions);
        regions
            .into_iter()
            .flat_map(|regions| regions.values())
            .map(|region| region.network_interfaces.len())
            .sum()
    });
    fact(
        "invited",
        &format!("acquired ({INVITED}): {made} writes; its {servers} network interfaces are still there"),
    );
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

fn store(dir: &Path) -> String {
    format!("sqlite:{}", dir.join("landfall.db").display())
}
