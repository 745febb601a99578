//! What the function answers: JSON that a person can read in the console, and what SQS needs to know.

use landfall_model::answer::Answer;
use landfall_reports::json::{self, Spoken};
use serde_json::{Value, json};

/// What came of an event, as Lambda and its event sources read it.
pub fn written(answer: &Answer) -> Spoken {
    match answer {
        // The messages that failed are delivered again, the others are done.
        Answer::Worked { failed } => {
            let failures: Vec<Value> = failed.iter().map(|id| json!({"itemIdentifier": id})).collect();
            Spoken::of("batchItemFailures", failures)
        }
        Answer::Reconciled(_)
        | Answer::Swept { .. }
        | Answer::Left(_)
        | Answer::Told(_)
        | Answer::Status(_)
        | Answer::CreationFailed { .. }
        | Answer::Ignored { .. }
        | Answer::Refused { .. } => json::answer(answer),
    }
}
