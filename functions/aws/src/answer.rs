//! What the function answers: JSON that a person can read in the console, and what SQS needs to know.

use landfall_model::answer::Answer;
use serde_json::{Value, json};

/// What came of an event, as Lambda and its event sources read it.
pub fn written(answer: &Answer) -> Value {
    match answer {
        // The messages that failed are delivered again, the others are done.
        Answer::Worked { failed } => {
            let failures: Vec<Value> = failed.iter().map(|id| json!({"itemIdentifier": id})).collect();
            json!({"batchItemFailures": failures})
        }
        Answer::Reconciled(_)
        | Answer::Swept(_)
        | Answer::Left(_)
        | Answer::Told(_)
        | Answer::Status(_)
        | Answer::CreationFailed { .. }
        | Answer::Ignored { .. }
        | Answer::Refused { .. } => landfall_reports::json::answer(answer),
    }
}
