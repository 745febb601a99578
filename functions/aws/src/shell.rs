//! The function's shell: from a trigger to an answer. It holds no opinion about what should be; the engine does.

use std::sync::Arc;

use anyhow::Context as _;
use jiff::{SignedDuration, Timestamp};
use landfall_aws::{Aws, AwsOrganization, rate};
use landfall_engine::ask;
use landfall_engine::engine::{Clock, Deadline, Engine, SystemClock, SystemDice, Trusted};
use landfall_engine::governor::Governor;
use landfall_engine::queue::Queue;
use landfall_engine::reconcile::{Order, reconcile};
use landfall_engine::store::{Store, StoreExt as _};
use landfall_engine::trust::{Footing, trust};
use landfall_engine::{keys, sweep, work};
use landfall_model::id::{Digest, Name, TenantId};
use landfall_model::manifest::bundle::Bundle;
use landfall_model::manifest::statement::SignedStatement;
use landfall_model::manifest::{AwsCloud, Cloud};
use landfall_model::target::Target;
use landfall_model::trigger::{Action, Cause, Contents, Parcel, Request, Trigger};
use serde_json::{Value, json};
use tokio::sync::{Mutex, OnceCell};

use crate::answer;
use crate::config::Config;
use crate::trigger::parse;

/// A warm function looks for a newer bundle this often, and forgets what it knew of the organization.
const FRESH: SignedDuration = SignedDuration::from_secs(30);

/// A further message of a batch is begun with at least this much time left: longer than one target usually takes.
const ENOUGH: SignedDuration = SignedDuration::from_secs(20);

/// Everything that outlives one event.
#[derive(Debug)]
pub struct Shell {
    config: Config,
    aws: Aws,
    store: OnceCell<Arc<dyn Store>>,
    queue: Arc<dyn Queue>,
    followed: Mutex<Option<(Timestamp, Followed)>>,
}

/// The bundle that is followed, and the organization it speaks of.
#[derive(Debug, Clone)]
struct Followed {
    trusted: Trusted,
    cloud: Arc<AwsOrganization>,
    ground: AwsCloud,
}

impl Shell {
    /// Reads the environment. Nothing is asked of the network before the first event.
    pub async fn from_env() -> anyhow::Result<Self> {
        let governor = Arc::new(Governor::new(rate));
        let aws = Aws::from_env(governor).await.map_err(one_line)?;
        let footing = footing(&aws);
        let config = Config::read(|name| std::env::var(name).ok(), footing)?;
        let queue = aws.queue(&config.queue).map_err(|error| {
            anyhow::anyhow!("LANDFALL_QUEUE: {}", landfall_engine::control::chain(&error))
        })?;
        Ok(Shell { config, aws, store: OnceCell::new(), queue: Arc::new(queue), followed: Mutex::new(None) })
    }

    /// Answers one event.
    pub async fn answer(&self, event: &Value, deadline: Timestamp) -> anyhow::Result<Value> {
        let deadline = Deadline(deadline);
        let store = self.store().await?;
        let followed = self.followed(&store).await?;
        let engine = self.engine(&store, &followed);
        let trigger = match parse(event, &followed.ground.management_account) {
            Ok(trigger) => trigger,
            Err(malformed) => return refuse(&engine, event, &malformed.to_string()).await,
        };
        tracing::info!(trigger = trigger.word(), "woken");
        match trigger {
            Trigger::Created { tenant } => self.tenant(&engine, tenant, Cause::Created, deadline).await,
            Trigger::Joined { tenant: Some(tenant) } => {
                self.tenant(&engine, tenant, Cause::Joined, deadline).await
            }
            Trigger::Moved { tenant } => self.tenant(&engine, tenant, Cause::Moved, deadline).await,
            Trigger::Closed { tenant } => self.tenant(&engine, tenant, Cause::Closed, deadline).await,
            Trigger::Joined { tenant: None } | Trigger::Scheduled => {
                let sweep = sweep::begin(&engine, deadline).await?;
                Ok(json!({"sweep": sweep, "summary": "a sweep has begun; its targets are on the work queue"}))
            }
            Trigger::CreationFailed { why } => {
                tracing::warn!(why, "the cloud could not make a tenant");
                Ok(json!({"summary": format!("the cloud could not make a tenant: {why}")}))
            }
            Trigger::Work { messages } => self.work(&engine, messages, deadline).await,
            Trigger::Asked(request) => self.asked(&engine, &followed, request, deadline).await,
            Trigger::Ignored { why } => {
                tracing::info!(why, "not ours");
                Ok(json!({"ignored": why}))
            }
        }
    }

    async fn tenant(
        &self,
        engine: &Engine,
        tenant: TenantId,
        cause: Cause,
        deadline: Deadline,
    ) -> anyhow::Result<Value> {
        let target = Target::Tenant(tenant);
        let order = Order::new(target, cause, deadline);
        Ok(answer::reconciled(&reconcile(engine, &order).await?))
    }

    /// Does what the messages ask, one after the other: the queue sends more to other copies of this function. A message that
    /// fails comes again, and in the end is set aside; the others are done.
    async fn work(
        &self,
        engine: &Engine,
        messages: Vec<Parcel>,
        deadline: Deadline,
    ) -> anyhow::Result<Value> {
        let mut failed = Vec::new();
        for (place, Parcel { id, work: contents }) in messages.into_iter().enumerate() {
            let left = deadline.0.duration_since(engine.clock.now());
            let result = match contents {
                // Whoever is killed in the middle brings the whole batch back; the first message always gets its chance.
                _ if place > 0 && left < ENOUGH => Err("there was no time left to begin it".to_owned()),
                Contents::Work(work) => work::perform(engine, &work, deadline)
                    .await
                    .map(drop)
                    .map_err(|error| landfall_engine::control::chain(&error)),
                Contents::Unreadable(why) => Err(why),
            };
            if let Err(why) = result {
                tracing::error!(message = id, why, "a message failed; it comes again");
                failed.push(id);
            }
        }
        Ok(answer::batch(&failed))
    }

    async fn asked(
        &self,
        engine: &Engine,
        followed: &Followed,
        request: Request,
        deadline: Deadline,
    ) -> anyhow::Result<Value> {
        let Request { action, targets, setting, limits } = request;
        let engine = Engine { limits: limits.or(engine.limits), ..engine.clone() };
        let mut answers = serde_json::Map::new();
        match action {
            Action::Sweep => {
                let sweep = sweep::begin(&engine, deadline).await?;
                return Ok(
                    json!({"sweep": sweep, "summary": "a sweep has begun; ask for `status` in a minute"}),
                );
            }
            Action::Status => {
                let mut records = ask::status(&*engine.store).await?;
                records.retain(|record| targets.is_empty() || targets.contains(&record.target));
                return Ok(answer::status(&records));
            }
            Action::Plan | Action::Apply | Action::Explain if targets.is_empty() => {
                return Ok(json!({
                    "refused": "name the targets: {\"action\": \"plan\", \"targets\": [\"aws/222222222222\"]}"
                }));
            }
            Action::Plan | Action::Apply | Action::Explain => {}
        }
        for target in targets {
            let answer = match action {
                Action::Plan => {
                    let run = engine.new_run();
                    let preview = ask::preview(
                        &*engine.store,
                        &*engine.cloud,
                        &engine.trusted,
                        &*engine.clock,
                        &run,
                        &target,
                        engine.limits(),
                    )
                    .await;
                    preview.map(|preview| answer::preview(&preview))
                }
                Action::Apply => {
                    let order = Order::new(target.clone(), Cause::Asked, deadline);
                    reconcile(&engine, &order).await.map(|done| answer::reconciled(&done))
                }
                Action::Explain | Action::Sweep | Action::Status => {
                    let cloud = followed.cloud_name();
                    ask::explain(&*engine.store, Some(&engine.trusted), cloud, &target, setting.as_deref())
                        .await
                        .map(|found| {
                            found.map_or_else(
                                || json!({"unknown": "no run has looked at it yet"}),
                                |explanation| answer::explanation(&explanation),
                            )
                        })
                }
            };
            let answer =
                answer.unwrap_or_else(|error| json!({"error": landfall_engine::control::chain(&error)}));
            answers.insert(target.to_string(), answer);
        }
        Ok(answer::fit(Value::Object(answers), "runs/ and plans/"))
    }

    fn engine(&self, store: &Arc<dyn Store>, followed: &Followed) -> Engine {
        Engine {
            store: Arc::clone(store),
            queue: Arc::clone(&self.queue),
            cloud: Arc::clone(&followed.cloud) as Arc<dyn landfall_engine::cloud::Cloud>,
            hands: Arc::clone(&followed.cloud) as Arc<dyn landfall_engine::cloud::Hands>,
            trusted: followed.trusted.clone(),
            clock: Arc::new(SystemClock),
            dice: Arc::new(SystemDice),
            limits: None,
        }
    }

    async fn store(&self) -> anyhow::Result<Arc<dyn Store>> {
        let store = self.store.get_or_try_init(|| open(&self.config.store, &self.aws)).await?;
        Ok(Arc::clone(store))
    }

    /// The bundle that counts now; a warm function looks again from time to time.
    async fn followed(&self, store: &Arc<dyn Store>) -> anyhow::Result<Followed> {
        let now = SystemClock.now();
        let mut held = self.followed.lock().await;
        if let Some((at, followed)) = &*held
            && *at + FRESH > now
        {
            return Ok(followed.clone());
        }
        let manifest = &self.config.manifest;
        let bytes = fetch(&self.aws, manifest)
            .await?
            .with_context(|| format!("LANDFALL_MANIFEST: there is nothing at `{manifest}`"))?;
        let statement = match fetch(&self.aws, &statement_of(manifest)).await? {
            Some(bytes) => {
                Some(SignedStatement::load(&bytes).context("could not read the bundle's statement")?)
            }
            None => None,
        };
        let bundle =
            Bundle::load(&bytes).with_context(|| format!("could not read the bundle at `{manifest}`"))?;
        let keys = self.config.public_keys.as_ref();
        let trusted = trust(&**store, bundle, statement.as_ref(), keys, footing(&self.aws), now).await?;
        let (name, ground) = cloud(trusted.bundle.manifest(), self.config.cloud.as_ref())?;
        let cloud = Arc::new(AwsOrganization::new(self.aws.clone(), name, ground.clone()));
        let followed = Followed { trusted, cloud, ground };
        *held = Some((now, followed.clone()));
        Ok(followed)
    }
}

impl Followed {
    fn cloud_name(&self) -> &Name {
        use landfall_engine::cloud::Cloud as _;
        self.cloud.name()
    }
}

/// Whether everything this process reaches is on this machine.
pub fn footing(aws: &Aws) -> Footing {
    if aws.endpoints_are_loopback() { Footing::Loopback } else { Footing::Real }
}

/// Opens a store by its address.
pub async fn open(address: &str, aws: &Aws) -> anyhow::Result<Arc<dyn Store>> {
    #[cfg(feature = "sqlite")]
    if let Some(path) = address.strip_prefix("sqlite:") {
        let store = landfall_engine::store::sqlite::SqliteStore::open(path).await.map_err(one_line)?;
        return Ok(Arc::new(store));
    }
    let store = aws.store(address).map_err(one_line).context("LANDFALL_STORE")?;
    Ok(Arc::new(store))
}

/// Where a bundle's statement lies: beside it.
pub fn statement_of(bundle: &str) -> String {
    format!("{}.statement.json", bundle.strip_suffix(".json").unwrap_or(bundle))
}

async fn fetch(aws: &Aws, from: &str) -> anyhow::Result<Option<Vec<u8>>> {
    if from.starts_with("s3://") {
        return match aws.fetch(from).await {
            Ok(bytes) => Ok(Some(bytes.to_vec())),
            Err(landfall_aws::S3Error::Missing { .. }) => Ok(None),
            Err(error) => Err(error).with_context(|| format!("could not read `{from}`")),
        };
    }
    match std::fs::read(from) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).with_context(|| format!("could not read `{from}`")),
    }
}

/// The AWS cloud of the manifest that this function serves.
pub fn cloud(
    manifest: &landfall_model::manifest::Manifest,
    wanted: Option<&Name>,
) -> anyhow::Result<(Name, AwsCloud)> {
    let mut found = manifest.clouds.iter().filter_map(|(name, cloud)| match cloud {
        Cloud::Aws(ground) if wanted.is_none_or(|wanted| wanted == name) => {
            Some((name.clone(), ground.clone()))
        }
        Cloud::Aws(_) | Cloud::Azure(_) | Cloud::Gcp(_) => None,
    });
    match (found.next(), found.next(), wanted) {
        (Some(only), None, _) => Ok(only),
        (Some(_), Some(_), _) => {
            anyhow::bail!(
                "LANDFALL_CLOUD: is not set, and the manifest has several AWS clouds; expected the name of one"
            )
        }
        (None, _, Some(wanted)) => anyhow::bail!("LANDFALL_CLOUD: the manifest has no AWS cloud `{wanted}`"),
        (None, _, None) => anyhow::bail!("LANDFALL_MANIFEST: the manifest has no AWS cloud"),
    }
}

/// Says why an event is refused, and writes it down without the event itself.
async fn refuse(engine: &Engine, event: &Value, why: &str) -> anyhow::Result<Value> {
    let run = engine.new_run();
    let digest = Digest::of(event.to_string().as_bytes());
    let record = json!({"at": engine.clock.now(), "why": why, "event": digest});
    engine.store.create_json(&keys::refused(&run)?, &record).await?;
    tracing::warn!(why, event = %digest, "an event was refused");
    Ok(json!({"refused": why, "recorded": format!("refused/{run}")}))
}

fn one_line(error: impl std::error::Error) -> anyhow::Error {
    anyhow::anyhow!("{}", landfall_engine::control::chain(&error))
}
