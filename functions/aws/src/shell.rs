//! The function's shell: from what Lambda hands over to an answer. It holds no opinion about what should be; the engine does.

use std::sync::Arc;

use anyhow::Context as _;
use jiff::Timestamp;
use landfall_aws::{Aws, rate};
use landfall_engine::answer::{answer, refuse};
use landfall_engine::config::Config;
use landfall_engine::engine::Deadline;
use landfall_engine::governor::Governor;
use landfall_engine::warm::{Home as _, Warm};
use landfall_federation::reach;
use landfall_reports::json::Spoken;
use serde_json::Value;

use crate::answer::written;
use crate::config::FORMS;
use crate::trigger::parse;

/// Everything that outlives one event.
#[derive(Debug)]
pub struct Shell(Warm<Aws>);

impl Shell {
    /// Reads the environment. Nothing is asked of the network before the first event.
    pub async fn from_env() -> anyhow::Result<Self> {
        let governor = Arc::new(Governor::new(rate));
        let aws = Aws::from_env(governor).await?;
        let config = Config::read(|name| std::env::var(name).ok(), aws.footing(), &FORMS)?;
        let queue = aws.queue(&config.queue).context("LANDFALL_QUEUE")?;
        let connector = aws.connector().clone();
        let reach = reach(&config, &FORMS, &aws, connector, |name| std::env::var(name).ok())?;
        Ok(Shell(Warm::new(aws, config, &FORMS, Arc::new(queue)).reaching(reach)))
    }

    /// Answers one event.
    pub async fn answer(&self, event: &Value, deadline: Timestamp) -> anyhow::Result<Spoken> {
        let (engine, organization) = self.0.engine().await?;
        let answer = match parse(event, organization.management_account()) {
            Ok(trigger) => answer(&engine, trigger, Deadline(deadline)).await?,
            Err(malformed) => refuse(&engine, event, &malformed.to_string()).await?,
        };
        Ok(written(&answer))
    }
}
