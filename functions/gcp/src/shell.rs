//! The function's shell: from a trigger to an answer. It holds no opinion about what should be; the engine does.

use std::sync::Arc;

use anyhow::Context as _;
use async_trait::async_trait;
use jiff::Timestamp;
use landfall_engine::answer::{answer, refuse};
use landfall_engine::config::Config;
use landfall_engine::engine::Deadline;
use landfall_engine::governor::Governor;
use landfall_engine::trust::Footing;
use landfall_engine::warm::{Home as _, Warm};
use landfall_federation::reach;
use landfall_gcp::{Gcp, rate};
use landfall_model::answer::Answer;
use landfall_model::trigger::Trigger;
use serde_json::Value;

use crate::config::{self, Auth, FORMS, Worker};
use crate::handler::Desk;

/// Everything that outlives one event.
#[derive(Debug)]
pub struct Shell {
    warm: Warm<Gcp>,
    footing: Footing,
}

impl Shell {
    /// Reads the environment; also says who may call. Nothing is asked of the network before the first event.
    pub fn from_env() -> anyhow::Result<(Self, Auth)> {
        let variable = |name: &str| std::env::var(name).ok();
        let governor = Arc::new(Governor::new(rate));
        let gcp = Gcp::from_env(governor)?;
        let footing = gcp.footing();
        let config = Config::read(variable, footing, &FORMS)?;
        let auth = Auth::read(variable, footing)?;
        let Worker { url, account, audience } = Worker::read(variable, &auth, footing)?;
        let deadline = config::timeout(variable(config::TIMEOUT).as_deref())?.unsigned_abs();
        let worker = landfall_gcp::Worker { url, account, audience: Some(audience), deadline };
        let queue = gcp.queue(&config.queue, worker).context("LANDFALL_QUEUE")?;
        let reach = reach(&config, &FORMS, &gcp, gcp.connector(), variable)?;
        let warm = Warm::new(gcp, config, &FORMS, Arc::new(queue)).reaching(reach);
        Ok((Shell { warm, footing }, auth))
    }

    /// Whether everything this process reaches is on this machine.
    pub const fn footing(&self) -> Footing {
        self.footing
    }
}

#[async_trait]
impl Desk for Shell {
    async fn answer(&self, trigger: Trigger, deadline: Timestamp) -> anyhow::Result<Answer> {
        let (engine, _) = self.warm.engine().await?;
        Ok(answer(&engine, trigger, Deadline(deadline)).await?)
    }

    async fn refuse(&self, body: &[u8], why: &str) -> anyhow::Result<Option<String>> {
        let event = Value::String(String::from_utf8_lossy(body).into_owned());
        let (engine, _) = self.warm.engine().await?;
        match refuse(&engine, &event, why).await? {
            Answer::Refused { recorded, .. } => Ok(recorded),
            Answer::Reconciled(_)
            | Answer::Swept { .. }
            | Answer::Left(_)
            | Answer::Worked { .. }
            | Answer::Told(_)
            | Answer::Status(_)
            | Answer::CreationFailed { .. }
            | Answer::Ignored { .. } => Ok(None),
        }
    }
}
