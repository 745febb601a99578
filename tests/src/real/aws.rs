//! The Lambda function behind a small Runtime API, with the simulated SQS.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "test harness: a failure here is a failed test"
)]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;
use landfall_simulator::lambda::{Function, Invocation, failed_of, sqs_event};
use landfall_simulator::{Call, Faults, MANAGEMENT_ACCOUNT, Options, Queue, Simulator};
use serde_json::{Value, json};
use tokio::sync::Mutex;

use super::{Real, Waiting};
use crate::judges::function_binary;
use crate::stage::{ACME, is_write, world};

const REGION: &str = "eu-central-1";
const QUEUE: &str = "landfall-work";

/// As long as Lambda is told to let the function run.
const WITHIN: Duration = Duration::from_secs(60);

/// An execution environment: it is given one event at a time.
#[derive(Debug)]
pub struct Environment {
    function: Mutex<Function>,
    pid: u32,
}

async fn invoke(process: &Environment, event: &Value) -> Result<Value, String> {
    match process.function.lock().await.invoke(event, WITHIN).await {
        Invocation::Answer(answer) => Ok(answer),
        other @ (Invocation::Failed(_) | Invocation::Died) => Err(format!("{other:?}")),
    }
}

fn in_queue<A>(simulator: &Simulator, look: impl FnOnce(&mut Queue) -> A) -> A {
    simulator.edit(|world| {
        let account = world.account_mut(MANAGEMENT_ACCOUNT).unwrap();
        look(account.region(REGION).queues.get_mut(QUEUE).unwrap())
    })
}

impl Real for Simulator {
    type Event = Value;
    type Process = Environment;
    /// Its URL.
    type Queue = String;

    const MANIFEST: &'static str = ACME;

    fn sample(tenants: usize) -> Self {
        Simulator::start(Options { world: Some(world(tenants)), ..Options::default() }).unwrap()
    }

    fn twin(&self) -> Self {
        let world = Some(self.read(Clone::clone));
        Simulator::start(Options { world, ..Options::default() }).unwrap()
    }

    fn address(&self) -> String {
        self.url()
    }

    fn queue(&self) -> String {
        self.create_queue(REGION, QUEUE, 5)
    }

    fn binary() -> PathBuf {
        function_binary()
    }

    fn environment(&self, queue: &String) -> Vec<(&'static str, String)> {
        vec![
            ("AWS_ENDPOINT_URL", self.url()),
            ("AWS_REGION", REGION.to_owned()),
            ("AWS_ACCESS_KEY_ID", "AKIDTEST".to_owned()),
            ("AWS_SECRET_ACCESS_KEY", "not-a-secret".to_owned()),
            ("LANDFALL_QUEUE", queue.clone()),
        ]
    }

    async fn start(binary: &Path, environment: BTreeMap<String, String>, _: &String) -> Environment {
        let function = Function::start(binary, &[], &environment).await.unwrap();
        Environment { pid: function.pid().unwrap(), function: Mutex::new(function) }
    }

    fn pid(process: &Environment) -> u32 {
        process.pid
    }

    async fn tell(process: &Environment, event: &Value) -> Result<(), String> {
        invoke(process, event).await.map(drop)
    }

    async fn end(process: Environment) -> Vec<String> {
        process.function.into_inner().end().await
    }

    fn noise() -> Value {
        json!({"source": "aws.s3", "detail-type": "Object Created", "account": "1", "detail": {}})
    }

    fn schedule() -> Value {
        json!({"source": "aws.events", "detail-type": "Scheduled Event", "account": MANAGEMENT_ACCOUNT, "detail": {}})
    }

    fn made(&self, name: &str) -> (String, Value) {
        drop(self.take_events());
        let account = self.edit(|world| world.create_account(name));
        let is_result = |event: &Value| {
            event.pointer("/detail/eventName").is_some_and(|name| name == "CreateAccountResult")
        };
        (account, self.take_events().into_iter().find(is_result).unwrap())
    }

    fn waiting(&self, _: &String) -> Waiting {
        let now = Timestamp::now();
        in_queue(self, |queue| {
            let due = queue.messages.iter().filter(|message| message.visible_at <= now).count();
            Waiting { due, later: queue.messages.len() - due }
        })
    }

    fn hurry(&self, _: &String) {
        let now = Timestamp::now();
        in_queue(self, |queue| {
            for message in &mut queue.messages {
                message.visible_at = message.visible_at.min(now);
            }
        });
    }

    async fn work(&self, _: &String, process: &Environment) -> Result<(), String> {
        let now = Timestamp::now();
        let due: Vec<(String, String)> = in_queue(self, |queue| {
            let due = queue.messages.iter().filter(|message| message.visible_at <= now);
            due.map(|message| (message.id.clone(), message.body.clone())).collect()
        });
        let batch = sqs_event(due.iter().map(|(id, body)| (id.as_str(), body.as_str())));
        let failed = failed_of(&invoke(process, &batch).await?);
        if !failed.is_empty() {
            return Err(format!("{failed:?} failed"));
        }
        in_queue(self, |queue| queue.messages.retain(|one| !due.iter().any(|(id, _)| *id == one.id)));
        Ok(())
    }

    fn received(&self) -> Vec<Call> {
        self.calls()
    }

    fn forget(&self) {
        self.clear_calls();
    }

    fn set(&self, faults: Faults) {
        self.set_faults(faults);
    }

    fn changes_something(call: &Call) -> bool {
        is_write(&format!("{}:{}", call.service, call.operation))
    }

    /// The account is the caller's own, so calls about an account that are made in the management account are told by their parameters.
    fn is_about(&self, call: &Call, id: &str) -> bool {
        call.service != "sqs" && (call.account == id || call.parameters.to_string().contains(id))
    }

    fn is_gated(&self, id: &str) -> bool {
        self.read(|world| {
            let gate = |policy: &str| {
                let policy = world.organization.policies.get(policy);
                policy.is_some_and(|policy| policy.name == "landfall-quarantine")
            };
            world.organization.attached(id).any(gate)
        })
    }

    fn inside(&self, id: &str) -> Value {
        let mut inside = self.read(|world| serde_json::to_value(world.account(id).unwrap()).unwrap());
        // By their ids. A kill between detaching a default network's gateway and deleting it leaves one that is attached to nothing: nobody
        // knows any more whose it was, so the next run leaves it. It does nothing and costs nothing.
        for region in inside["regions"].as_object_mut().unwrap().values_mut() {
            if let Some(gateways) = region["internet_gateways"].as_object_mut() {
                gateways.retain(|_, gateway| !gateway["vpc"].is_null());
            }
        }
        inside
    }
}
