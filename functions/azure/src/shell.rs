//! The function's shell: from what the host hands over to an answer. It holds no opinion about what should be; the engine does.

use std::sync::Arc;

use anyhow::Context as _;
use async_trait::async_trait;
use jiff::Timestamp;
use landfall_azure::{Azure, rate};
use landfall_engine::answer::{answer_all, refuse};
use landfall_engine::config::Config;
use landfall_engine::engine::Deadline;
use landfall_engine::governor::Governor;
use landfall_engine::warm::{Home as _, Warm};
use landfall_federation::reach;
use landfall_model::answer::Answer;
use serde_json::Value;

use crate::config::FORMS;
use crate::handler::Desk;
use crate::trigger::{Function, parse};

/// Everything that outlives one event.
#[derive(Debug)]
pub struct Shell(Warm<Azure>);

impl Shell {
    /// Reads the environment. Nothing is asked of the network before the first event.
    pub fn from_env() -> anyhow::Result<Self> {
        let governor = Arc::new(Governor::new(rate));
        let azure = Azure::from_env(governor)?;
        let config = Config::read(|name| std::env::var(name).ok(), azure.footing(), &FORMS)?;
        let queue = azure.queue(&config.queue).context("LANDFALL_QUEUE")?;
        let connector = azure.connector();
        let reach = reach(&config, &FORMS, &azure, connector, |name| std::env::var(name).ok())?;
        Ok(Shell(Warm::new(azure, config, &FORMS, Arc::new(queue)).reaching(reach)))
    }
}

#[async_trait]
impl Desk for Shell {
    async fn answer(
        &self,
        function: Function,
        body: &Value,
        deadline: Timestamp,
    ) -> anyhow::Result<Vec<Answer>> {
        let (engine, _) = self.0.engine().await?;
        match parse(function, body) {
            Ok(triggers) => Ok(answer_all(&engine, triggers, Deadline(deadline)).await?),
            Err(malformed) => Ok(vec![refuse(&engine, body, &malformed.to_string()).await?]),
        }
    }
}
