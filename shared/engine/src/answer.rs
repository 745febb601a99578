//! From a trigger to an answer: what every cloud's function does with whatever wakes it, once it is read.
//!
//! The functions themselves only know how their cloud hands an event over and how it wants to be answered.

use std::time::Duration;

use jiff::SignedDuration;
use landfall_model::answer::{About, Answer};
use landfall_model::id::{Digest, Provider, TenantId, UnitPath};
use landfall_model::target::Target;
use landfall_model::trigger::{Action, Cause, Contents, Parcel, Request, Trigger, Work};
use serde_json::{Value, json};

use crate::control::chain;
use crate::engine::{Deadline, Engine, EngineError};
use crate::reconcile::{Order, reconcile};
use crate::store::StoreExt as _;
use crate::{ask, keys, sweep, work};

/// A further message of a batch is begun with at least this much time left: longer than one target usually takes.
const ENOUGH: SignedDuration = SignedDuration::from_secs(20);

/// Answers one trigger.
pub async fn answer(engine: &Engine, trigger: Trigger, deadline: Deadline) -> Result<Answer, EngineError> {
    tracing::info!(trigger = trigger.word(), "woken");
    match trigger {
        Trigger::Created { tenant } => one(engine, tenant, Cause::Created, deadline).await,
        Trigger::Joined { tenant: Some(tenant) } => one(engine, tenant, Cause::Joined, deadline).await,
        Trigger::Moved { tenant } => one(engine, tenant, Cause::Moved, deadline).await,
        Trigger::Changed { tenant } => one(engine, tenant, Cause::Changed, deadline).await,
        Trigger::Closed { tenant } => one(engine, tenant, Cause::Closed, deadline).await,
        Trigger::Joined { tenant: None } | Trigger::Scheduled => swept(engine, None, deadline).await,
        Trigger::CreationFailed { why } => {
            tracing::warn!(why, "the cloud could not make a tenant");
            Ok(Answer::CreationFailed { why })
        }
        Trigger::Work { messages } => Ok(messages_of(engine, messages, deadline).await),
        Trigger::Asked(request) => asked(engine, request, deadline).await,
        Trigger::Ignored { why } => {
            tracing::info!(why, "not ours");
            Ok(Answer::Ignored { why })
        }
    }
}

/// Answers what one event told of several tenants. One is reconciled here; of several, each is left to the work queue, whose other
/// workers take them at once and which brings back what fails.
pub async fn answer_all(
    engine: &Engine,
    triggers: Vec<Trigger>,
    deadline: Deadline,
) -> Result<Vec<Answer>, EngineError> {
    let several = triggers.iter().filter(|trigger| tenant(trigger).is_some()).count() > 1;
    let mut answers = Vec::new();
    for trigger in triggers {
        answers.push(match tenant(&trigger) {
            Some((tenant, cause)) if several => leave(engine, tenant.clone(), cause).await?,
            Some(_) | None => answer(engine, trigger, deadline).await?,
        });
    }
    Ok(answers)
}

/// Says why an event is refused, and writes it down without the event itself.
pub async fn refuse(engine: &Engine, event: &Value, why: &str) -> Result<Answer, EngineError> {
    let run = engine.new_run();
    let digest = Digest::of(event.to_string().as_bytes());
    let record = json!({"at": engine.clock.now(), "why": why, "event": digest});
    engine.store.create_json(&keys::refused(&run)?, &record).await?;
    tracing::warn!(why, event = %digest, "an event was refused");
    Ok(Answer::Refused { why: why.to_owned(), recorded: Some(format!("refused/{run}")) })
}

fn tenant(trigger: &Trigger) -> Option<(&TenantId, Cause)> {
    match trigger {
        Trigger::Created { tenant } => Some((tenant, Cause::Created)),
        Trigger::Joined { tenant: Some(tenant) } => Some((tenant, Cause::Joined)),
        Trigger::Moved { tenant } => Some((tenant, Cause::Moved)),
        Trigger::Changed { tenant } => Some((tenant, Cause::Changed)),
        Trigger::Closed { tenant } => Some((tenant, Cause::Closed)),
        Trigger::Joined { tenant: None }
        | Trigger::CreationFailed { .. }
        | Trigger::Scheduled
        | Trigger::Work { .. }
        | Trigger::Asked(_)
        | Trigger::Ignored { .. } => None,
    }
}

async fn leave(engine: &Engine, tenant: TenantId, cause: Cause) -> Result<Answer, EngineError> {
    let target = Target::Tenant(tenant);
    let message = Work::Reconcile { target: target.clone(), sweep: None, page: None, cause };
    work::send(engine, &message, Duration::ZERO).await?;
    Ok(Answer::Left(target))
}

async fn one(
    engine: &Engine,
    tenant: TenantId,
    cause: Cause,
    deadline: Deadline,
) -> Result<Answer, EngineError> {
    let order = Order::new(Target::Tenant(tenant), cause, deadline);
    reconcile(engine, &order).await.map(Answer::Reconciled)
}

/// Does what the messages ask, one after the other: the queue sends more to other copies of this function. A message that
/// fails comes again, and in the end is set aside; the others are done.
async fn messages_of(engine: &Engine, messages: Vec<Parcel>, deadline: Deadline) -> Answer {
    let mut failed = Vec::new();
    for (place, Parcel { id, work: contents }) in messages.into_iter().enumerate() {
        let left = deadline.0.duration_since(engine.clock.now());
        let result = match contents {
            // Whoever is killed in the middle brings the whole batch back; the first message always gets its chance.
            _ if place > 0 && left < ENOUGH => Err("there was no time left to begin it".to_owned()),
            Contents::Work(work) => {
                work::perform(engine, &work, deadline).await.map(drop).map_err(|error| chain(&error))
            }
            // Boxed, because an event's answer may be this very function's.
            Contents::Event(trigger) => {
                Box::pin(answer(engine, *trigger, deadline)).await.map(drop).map_err(|error| chain(&error))
            }
            Contents::Unreadable(why) => Err(why),
        };
        if let Err(why) = result {
            tracing::error!(message = id, why, "a message failed; it comes again");
            failed.push(id);
        }
    }
    Answer::Worked { failed }
}

async fn asked(engine: &Engine, request: Request, deadline: Deadline) -> Result<Answer, EngineError> {
    let Request { action, targets, unit, setting, limits } = request;
    let engine = Engine { limits: limits.or(engine.limits), ..engine.clone() };
    let refused = |why: String| Ok(Answer::Refused { why, recorded: None });
    match action {
        // Whoever names some of it must not get all of it.
        Action::Sweep if !targets.is_empty() => {
            let why = "a sweep is for everybody, or for one `unit`; to bring some `targets` to what the manifest says, ask to `apply`";
            return refused(why.to_owned());
        }
        Action::Plan | Action::Apply | Action::Status | Action::Explain if unit.is_some() => {
            return refused("only a `sweep` is for one `unit`; the others take `targets`".to_owned());
        }
        Action::Sweep => return swept(&engine, unit, deadline).await,
        Action::Status => {
            let mut status = ask::status(&*engine.store).await?;
            status.targets.retain(|record| targets.is_empty() || targets.contains(&record.target));
            return Ok(Answer::Status(status));
        }
        Action::Plan | Action::Apply | Action::Explain if targets.is_empty() => {
            let example = example(engine.cloud.provider());
            let why = format!("name the targets: {{\"action\": \"plan\", \"targets\": [\"{example}\"]}}");
            return refused(why);
        }
        Action::Plan | Action::Apply | Action::Explain => {}
    }
    let mut answers = Vec::new();
    for target in targets {
        let about = about(&engine, action, &target, setting.as_deref(), deadline).await;
        answers.push((target, about.unwrap_or_else(|error| About::Failed(chain(&error)))));
    }
    Ok(Answer::Told(answers))
}

async fn swept(engine: &Engine, unit: Option<UnitPath>, deadline: Deadline) -> Result<Answer, EngineError> {
    match sweep::begin(engine, unit.as_ref(), deadline).await {
        Ok(sweep) => Ok(Answer::Swept { sweep, unit }),
        // It is the asker's mistake, and trying again would not help.
        Err(error @ EngineError::NoSuchUnit { .. }) => {
            Ok(Answer::Refused { why: error.to_string(), recorded: None })
        }
        Err(error) => Err(error),
    }
}

async fn about(
    engine: &Engine,
    action: Action,
    target: &Target,
    setting: Option<&str>,
    deadline: Deadline,
) -> Result<About, EngineError> {
    match action {
        Action::Plan => {
            let run = engine.new_run();
            let (trusted, limits) = (&engine.trusted, engine.limits());
            let (store, cloud, clock) = (&*engine.store, &*engine.cloud, &*engine.clock);
            let preview = ask::preview(store, cloud, trusted, clock, &run, target, limits).await?;
            Ok(About::Plan(Box::new(preview)))
        }
        Action::Apply => {
            let order = Order::new(target.clone(), Cause::Asked, deadline);
            reconcile(engine, &order).await.map(About::Applied)
        }
        Action::Explain | Action::Sweep | Action::Status => {
            let cloud = engine.cloud.name();
            let found = ask::explain(&*engine.store, Some(&engine.trusted), cloud, target, setting).await?;
            Ok(found.map_or(About::Unknown, |explanation| About::Explained(Box::new(explanation))))
        }
    }
}

/// A tenant as people write it, for those who forgot.
const fn example(provider: Provider) -> &'static str {
    match provider {
        Provider::Aws => "aws/222222222222",
        Provider::Azure => "azure/3f2c0000-0000-4000-8000-000000000022",
        Provider::Gcp => "gcp/acme-checkout-prod",
    }
}
