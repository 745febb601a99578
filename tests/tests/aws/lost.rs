//! A write whose answer is lost: what became of it is what a look says, in the outcome and in the finding.

use std::sync::Arc;

use async_trait::async_trait;
use landfall_engine::cloud::{Hands, Made, Writer};
use landfall_engine::reconcile::{Order, Reconciled, reconcile};
use landfall_model::catalog::ControlKind;
use landfall_model::finding::Status;
use landfall_model::id::RunId;
use landfall_model::outcome::Done;
use landfall_model::plan::Change;
use landfall_model::target::Target;
use landfall_model::trigger::Cause;
use landfall_tests::stage::{Stage, tenant};
use serde_json::Value;

/// Nobody hears what came of changing the password policy.
#[derive(Debug)]
struct Unheard {
    inner: Arc<dyn Hands>,
    /// Whether the change is made all the same.
    made: bool,
}

impl Hands for Unheard {
    fn writer(&self, target: &Target, run: &RunId) -> Box<dyn Writer> {
        Box::new(Mute { inner: self.inner.writer(target, run), made: self.made })
    }
}

struct Mute {
    inner: Box<dyn Writer>,
    made: bool,
}

#[async_trait]
impl Writer for Mute {
    async fn write(&self, change: &Change, made: &Made) -> Result<Value, String> {
        if change.address.control != ControlKind::PasswordPolicy {
            return self.inner.write(change, made).await;
        }
        if self.made {
            self.inner.write(change, made).await?;
        }
        Err("no answer came".to_owned())
    }
}

#[tokio::test]
async fn a_write_whose_answer_is_lost_is_what_a_look_says_of_it() {
    for (made, why, status) in [
        (true, "no answer came; a look shows that it took effect all the same", Status::Pass),
        (false, "no answer came", Status::Fail),
    ] {
        let stage = Stage::with(2).await;
        stage.sweep().await;
        let account = stage.simulator.edit(|world| world.create_account("new-shop"));
        stage.run(&account, Cause::Created).await;
        stage.simulator.edit(|world| world.account_mut(&account).unwrap().password_policy = None);

        let mut engine = stage.another().await;
        engine.hands = Arc::new(Unheard { inner: engine.hands, made });
        let order = Order::new(tenant(&account), Cause::Asked, stage.deadline());
        let Reconciled::Done(report) = reconcile(&engine, &order).await.unwrap() else { panic!("not done") };
        let of = ControlKind::PasswordPolicy;
        let outcome = report.outcomes.iter().find(|one| one.address.control == of).unwrap();
        assert_eq!(outcome.result, Done::Failed { why: why.to_owned() });
        let finding = report.findings.iter().find(|one| one.control == of).unwrap();
        assert_eq!(finding.status, status, "{finding:#?}");
        assert!(stage.history_is_whole(&account).await);
    }
}
