//! The demonstration's AWS: a simulated organization, and the real Lambda function behind a small Runtime API.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use anyhow::{Context as _, bail};
use jiff::Timestamp;
use landfall_aws::{Aws, SqsQueue};
use landfall_engine::queue::Queue as _;
use landfall_model::id::SweepId;
use landfall_simulator::lambda::{Function, Invocation, failed_of, sqs_event};
use landfall_simulator::{Group, MANAGEMENT_ACCOUNT, Options, Queue, ROOT, Simulator, Trail, World};
use serde_json::{Value, json};

use super::side::{Side, Waiting};
use super::stage::{Folder, this_program};

/// Where the function's log is kept.
pub(super) const LOG: &str = "function-aws.log";

/// Where the simulated cloud notes each call.
pub(super) const CALLS: &str = "calls-aws.ndjson";

/// The account that was invited and runs a business.
pub(super) const INVITED: &str = "222222222233";

/// Beside the management account; the last one was invited and runs a business.
const ACCOUNTS: usize = 12;

/// Names that people can tell apart, for the accounts of the simulator's sample; each is wrong in another way.
const NAMES: [&str; 11] = [
    "payments-prod",
    "payments-dev",
    "search-prod",
    "search-dev",
    "data-platform",
    "data-lab",
    "marketing",
    "legacy-shop",
    "intranet",
    "training",
    "analytics",
];

const REGION: &str = "eu-central-1";
const QUEUE: &str = "landfall-work";

/// As long as Lambda is told to let the function run.
const WITHIN: Duration = Duration::from_secs(120);

/// Messages that the queue hands over at once, as Lambda's event source mapping is told.
const BATCH: usize = 10;

/// The accounts that the manifest names come first among the sample's; the others have lived in a unit of their own for years.
const NAMED: usize = 5;

/// Everything that runs on AWS.
#[derive(Debug)]
pub(super) struct OnAws {
    pub(super) simulator: Simulator,
    queue: SqsQueue,
    function: Function,
    log: Vec<String>,
}

impl OnAws {
    pub(super) async fn start(folder: &Folder, world: World) -> anyhow::Result<Self> {
        let simulator = Simulator::start(Options {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            world: Some(world),
            log: Some(folder.dir.join(CALLS)),
            ..Options::default()
        })?;
        let url = simulator.url();
        let queue = Aws::loopback(&url, REGION).await?.queue(&queue_url(&url))?;
        let function = function(folder, &url).await?;
        Ok(OnAws { simulator, queue, function, log: Vec::new() })
    }

    /// Puts a fresh execution environment in place of the old one.
    pub(super) async fn renew(&mut self, folder: &Folder) -> anyhow::Result<()> {
        let fresh = function(folder, &self.simulator.url()).await?;
        let old = std::mem::replace(&mut self.function, fresh);
        self.log.extend(old.end().await);
        Ok(())
    }

    /// Ends the function, and answers what it said.
    pub(super) async fn end(self) -> (Simulator, Vec<String>) {
        let OnAws { simulator, function, mut log, .. } = self;
        log.extend(function.end().await);
        (simulator, log)
    }

    /// The function's process.
    pub(super) fn pid(&self) -> u32 {
        self.function.pid().unwrap_or_default()
    }

    /// Makes an account: its id, and the event that the organization emits.
    pub(super) fn create(&self, name: &str) -> anyhow::Result<(String, Value)> {
        let id = self.simulator.edit(|world| world.create_account(name));
        let of = |event: &Value| {
            event.pointer("/detail/serviceEventDetails/createAccountStatus/accountId").and_then(Value::as_str)
                == Some(&id)
        };
        let event = self.simulator.take_events().into_iter().find(of);
        Ok((id.clone(), event.context("the simulated organization emitted no event")?))
    }

    /// The account that nobody named was left alone.
    pub(super) fn invited(&self) -> String {
        let made = self.writes(INVITED);
        let servers: usize = self.simulator.read(|world| {
            let regions = world.account(INVITED).map(|account| &account.regions);
            regions
                .into_iter()
                .flat_map(|regions| regions.values())
                .map(|region| region.network_interfaces.len())
                .sum()
        });
        format!("acquired ({INVITED}): {made} writes; its {servers} network interfaces are still there")
    }

    async fn invoke(&mut self, event: &Value) -> anyhow::Result<Value> {
        match self.function.invoke(event, WITHIN).await {
            Invocation::Answer(answer) => Ok(answer),
            Invocation::Failed(error) => {
                let why = error.get("errorMessage").and_then(Value::as_str).unwrap_or("it did not say why");
                bail!("the Lambda function failed: {why}; its log is in `{LOG}`")
            }
            Invocation::Died => bail!("the Lambda function's process ended; its log is in `{LOG}`"),
        }
    }
}

impl Side for OnAws {
    type Event = Value;

    async fn fire(&mut self) -> anyhow::Result<SweepId> {
        let event = json!({
            "version": "0",
            "id": "53dc4d37-cffa-4f76-80c9-8b7d4a4d2eaa",
            "detail-type": "Scheduled Event",
            "source": "aws.events",
            "account": MANAGEMENT_ACCOUNT,
            "time": Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
            "region": REGION,
            "resources": [format!("arn:aws:events:{REGION}:{MANAGEMENT_ACCOUNT}:rule/landfall-sweep")],
            "detail": {},
        });
        let answer = self.invoke(&event).await?;
        let id = answer.get("sweep").and_then(Value::as_str);
        Ok(id.with_context(|| format!("the Lambda function began no sweep: {answer}"))?.parse()?)
    }

    async fn deliver(&mut self, event: &Value) -> anyhow::Result<()> {
        self.invoke(event).await.map(drop)
    }

    async fn work(&mut self) -> anyhow::Result<()> {
        let received = self.queue.receive(BATCH).await?;
        let batch = sqs_event(received.iter().map(|one| (one.receipt.as_str(), one.body.as_str())));
        let failed = failed_of(&self.invoke(&batch).await?);
        for one in received {
            if failed.contains(&one.receipt) {
                self.queue.retry(&one.receipt, Duration::from_secs(1)).await?;
            } else {
                self.queue.done(&one.receipt).await?;
            }
        }
        Ok(())
    }

    fn waiting(&self) -> Waiting {
        let now = Timestamp::now();
        self.simulator.read(|world| {
            let messages = world
                .account(MANAGEMENT_ACCOUNT)
                .and_then(|account| account.regions.get(REGION))
                .and_then(|region| region.queues.get(QUEUE))
                .map(|queue| queue.messages.as_slice())
                .unwrap_or_default();
            let due = messages.iter().filter(|message| message.visible_at <= now).count();
            Waiting { due, later: messages.len() - due }
        })
    }

    fn hurry(&self) {
        let now = Timestamp::now();
        self.simulator.edit(|world| {
            let queue = world
                .account_mut(MANAGEMENT_ACCOUNT)
                .and_then(|account| account.region(REGION).queues.get_mut(QUEUE));
            for message in queue.into_iter().flat_map(|queue| &mut queue.messages) {
                message.visible_at = message.visible_at.min(now);
            }
        });
    }

    fn writes(&self, account: &str) -> usize {
        let looks = ["Get", "List", "Describe", "AssumeRole"];
        let calls = self.simulator.calls();
        calls
            .iter()
            .filter(|call| {
                call.service != "sqs" && !looks.iter().any(|word| call.operation.starts_with(word))
            })
            .filter(|call| call.account == account || call.parameters.to_string().contains(account))
            .count()
    }
}

/// The sample organization under names that people can tell apart, with a queue for the work, groups for the teams and a trail of
/// the organization; and the id of the unit that was there before Landfall.
pub(super) fn world() -> (World, String) {
    let mut world = World::sample(ACCOUNTS);
    let established = world.organization.add_unit("Established", ROOT);
    if let Some(management) = world.organization.members.get_mut(MANAGEMENT_ACCOUNT) {
        management.parent.clone_from(&established);
    }
    let ids: Vec<String> =
        world.organization.members.keys().filter(|id| *id != MANAGEMENT_ACCOUNT).cloned().collect();
    for (n, (id, name)) in ids.iter().zip(NAMES).enumerate() {
        if let Some(member) = world.organization.members.get_mut(id) {
            name.clone_into(&mut member.name);
            if n >= NAMED {
                member.parent.clone_from(&established);
            }
        }
        if let Some(account) = world.account_mut(id) {
            name.clone_into(&mut account.name);
        }
    }
    for team in ["payments-developers", "search-developers"] {
        let id = format!("g-{team}");
        let group = Group { id: id.clone(), name: team.to_owned(), description: None };
        world.identity_center.groups.insert(id, group);
    }
    let trail = trail();
    world.organization.trails.insert(trail.arn.clone(), trail);
    if let Some(account) = world.account_mut(MANAGEMENT_ACCOUNT) {
        let queue = Queue {
            name: QUEUE.to_owned(),
            arn: format!("arn:aws:sqs:{REGION}:{MANAGEMENT_ACCOUNT}:{QUEUE}"),
            attributes: BTreeMap::from([("VisibilityTimeout".to_owned(), "120".to_owned())]),
            created_at: Timestamp::now(),
            messages: Vec::new(),
        };
        account.region(REGION).queues.insert(QUEUE.to_owned(), queue);
    }
    (world, established)
}

/// A trail of the organization, as somebody made it years ago.
fn trail() -> Trail {
    Trail {
        arn: format!("arn:aws:cloudtrail:{REGION}:{MANAGEMENT_ACCOUNT}:trail/acme-audit"),
        name: "acme-audit".to_owned(),
        account: MANAGEMENT_ACCOUNT.to_owned(),
        home_region: REGION.to_owned(),
        bucket: "acme-audit".to_owned(),
        multi_region: true,
        organization: true,
        global_events: true,
        validation: true,
        logging: true,
        started_at: Some(Timestamp::UNIX_EPOCH),
        stopped_at: None,
    }
}

fn queue_url(url: &str) -> String {
    format!("{url}/{MANAGEMENT_ACCOUNT}/{QUEUE}")
}

/// Starts the function's process, with the environment that a deployment would give it.
async fn function(folder: &Folder, url: &str) -> anyhow::Result<Function> {
    let environment = [
        ("AWS_ENDPOINT_URL", url.to_owned()),
        ("AWS_REGION", REGION.to_owned()),
        ("AWS_ACCESS_KEY_ID", "simulated".to_owned()),
        ("AWS_SECRET_ACCESS_KEY", "simulated".to_owned()),
        ("AWS_EC2_METADATA_DISABLED", "true".to_owned()),
        ("LANDFALL_MANIFEST", folder.path("bundle.json")),
        ("LANDFALL_STORE", folder.store_address()),
        ("LANDFALL_QUEUE", queue_url(url)),
        ("LANDFALL_PUBLIC_KEYS", folder.public_key.clone()),
    ];
    let environment = environment.map(|(name, value)| (name.to_owned(), value)).into_iter().collect();
    Ok(Function::start(this_program()?, &["function", "aws"], &environment).await?)
}
