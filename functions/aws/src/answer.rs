//! What the function answers: JSON that a person can read in the console, and what SQS needs to know.

use landfall_engine::ask::{Explanation, Preview};
use landfall_engine::reconcile::Reconciled;
use landfall_model::record::Record;
use landfall_model::report::Report;
use serde_json::{Value, json};

/// Lambda's limit for a synchronous answer is 6 MB; this leaves room for the envelope.
pub const MOST: usize = 5 * 1024 * 1024;

/// A batch's answer: the messages that failed are delivered again, the others are done.
pub fn batch(failed: &[String]) -> Value {
    let failures: Vec<Value> = failed.iter().map(|id| json!({"itemIdentifier": id})).collect();
    json!({"batchItemFailures": failures})
}

/// What came of reconciling one target.
pub fn reconciled(reconciled: &Reconciled) -> Value {
    match reconciled {
        Reconciled::Done(report) => self::report(report),
        Reconciled::Busy { run } => json!({"busy": format!("run {run} is at it, and will look again")}),
        Reconciled::Settled => json!({"settled": "there was nothing left to do"}),
    }
}

/// A report: the words first, the details after them.
pub fn report(report: &Report) -> Value {
    fit(
        json!({
            "summary": landfall_reports::text::report_line(report),
            "text": lines(&landfall_reports::text::report(report)),
            "report": report,
        }),
        &format!("runs/{}/{}", report.run, report.target),
    )
}

/// What would be done.
pub fn preview(preview: &Preview) -> Value {
    let text = landfall_reports::text::plan(&preview.plan, preview.refused.as_ref());
    fit(
        json!({
            "target": preview.target,
            "name": preview.name,
            "text": lines(&text),
            "plan": preview.plan,
            "refused": preview.refused,
            "findings": preview.findings,
        }),
        "nothing: a plan that is only looked at is not kept; ask for fewer targets",
    )
}

/// How things stand.
pub fn status(records: &[Record]) -> Value {
    fit(json!({"text": lines(&landfall_reports::text::status(records)), "targets": records}), "tenants/")
}

/// Why a setting is as it is.
pub fn explanation(explanation: &Explanation) -> Value {
    let Explanation { target, findings, asked: _, history, run, provenance } = explanation;
    let text = landfall_reports::text::explain(target, findings, history, run, provenance);
    fit(json!({"text": lines(&text), "explanation": explanation}), &format!("history/{target}"))
}

fn lines(text: &str) -> Vec<&str> {
    text.lines().collect()
}

/// The answer, or its text and where the whole is kept, where it would be too large.
pub fn fit(mut answer: Value, key: &str) -> Value {
    let size = |value: &Value| serde_json::to_vec(value).map_or(usize::MAX, |bytes| bytes.len());
    if size(&answer) <= MOST {
        return answer;
    }
    if let Value::Object(fields) = &mut answer {
        fields.retain(|name, _| matches!(name.as_str(), "summary" | "text" | "target" | "name"));
        fields.insert("too-large".to_owned(), json!({"the whole is in the store under": key}));
        if let Some(Value::Array(text)) = fields.get_mut("text") {
            text.truncate(10_000);
        }
    }
    if size(&answer) <= MOST {
        return answer;
    }
    json!({"too-large": {"the whole is in the store under": key}})
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_that_is_too_large_says_where_the_whole_is() {
        let long = "x".repeat(MOST);
        let answer = fit(json!({"summary": "short", "report": long}), "runs/r");
        assert_eq!(answer["summary"], "short");
        assert_eq!(answer["too-large"]["the whole is in the store under"], "runs/r");
        assert!(answer.get("report").is_none());
    }
}
