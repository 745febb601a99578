//! Answers as JSON that a person can read in a cloud's console: the words first, the details after them.

use landfall_model::answer::{About, Answer, Explanation, Preview, Reconciled, Status};
use landfall_model::report::Report;
use serde_json::{Value, json};

use crate::text;

/// The largest answer that every cloud's function may give. Lambda's limit for a synchronous answer is 6 MB; this leaves room for
/// the envelope.
pub const MOST: usize = 5 * 1024 * 1024;

/// What came of a trigger.
pub fn answer(answer: &Answer) -> Value {
    match answer {
        Answer::Reconciled(reconciled) => self::reconciled(reconciled),
        Answer::Swept(sweep) => {
            json!({"sweep": sweep, "summary": "a sweep has begun; its targets are on the work queue"})
        }
        Answer::Left(target) => json!({"left": target, "summary": "it is on the work queue"}),
        Answer::Worked { failed } => json!({"failed": failed}),
        Answer::Told(told) => {
            let fields = told.iter().map(|(target, about)| (target.to_string(), self::about(about)));
            fit(Value::Object(fields.collect()), "runs/ and plans/")
        }
        Answer::Status(status) => self::status(status),
        Answer::CreationFailed { why } => {
            json!({"summary": format!("the cloud could not make a tenant: {why}")})
        }
        Answer::Ignored { why } => json!({"ignored": why}),
        Answer::Refused { why, recorded: Some(recorded) } => json!({"refused": why, "recorded": recorded}),
        Answer::Refused { why, recorded: None } => json!({"refused": why}),
    }
}

/// The same in one line, for logs.
pub fn line(answer: &Answer) -> String {
    match answer {
        Answer::Reconciled(Reconciled::Done(report)) => text::report_line(report),
        Answer::Reconciled(Reconciled::Busy { run }) => format!("run {run} is at it, and will look again"),
        Answer::Reconciled(Reconciled::Settled) => "there was nothing left to do".to_owned(),
        Answer::Swept(sweep) => format!("the sweep {sweep} has begun"),
        Answer::Left(target) => format!("{target} is on the work queue"),
        Answer::Worked { failed } if failed.is_empty() => "done".to_owned(),
        Answer::Worked { failed } => format!("failed, and comes again: {}", failed.join(", ")),
        Answer::Told(told) => format!("{} targets", told.len()),
        Answer::Status(status) => format!("{} records", status.targets.len()),
        Answer::CreationFailed { why } => format!("the cloud could not make a tenant: {why}"),
        Answer::Ignored { why } => format!("ignored: {why}"),
        Answer::Refused { why, recorded: Some(recorded) } => format!("refused: {why} ({recorded})"),
        Answer::Refused { why, recorded: None } => format!("refused: {why}"),
    }
}

fn about(about: &About) -> Value {
    match about {
        About::Plan(preview) => self::preview(preview),
        About::Applied(reconciled) => self::reconciled(reconciled),
        About::Explained(explanation) => self::explanation(explanation),
        About::Unknown => json!({"unknown": "no run has looked at it yet"}),
        About::Failed(why) => json!({"error": why}),
    }
}

fn reconciled(reconciled: &Reconciled) -> Value {
    match reconciled {
        Reconciled::Done(report) => self::report(report),
        Reconciled::Busy { run } => json!({"busy": format!("run {run} is at it, and will look again")}),
        Reconciled::Settled => json!({"settled": "there was nothing left to do"}),
    }
}

fn report(report: &Report) -> Value {
    fit(
        json!({
            "summary": text::report_line(report),
            "text": lines(&text::report(report)),
            "report": report,
        }),
        &format!("runs/{}/{}", report.run, report.target),
    )
}

fn preview(preview: &Preview) -> Value {
    let text = text::plan(&preview.plan, preview.refused.as_ref());
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

fn status(status: &Status) -> Value {
    let Status { paused, swept, targets } = status;
    let text = text::status(status);
    fit(json!({"text": lines(&text), "paused": paused, "swept": swept, "targets": targets}), "tenants/")
}

fn explanation(explanation: &Explanation) -> Value {
    let Explanation { target, findings, asked: _, history, run, provenance } = explanation;
    let text = text::explain(target, findings, history, run, provenance);
    fit(json!({"text": lines(&text), "explanation": explanation}), &format!("history/{target}"))
}

fn lines(text: &str) -> Vec<&str> {
    text.lines().collect()
}

/// The answer, or its text and where the whole is kept, where it would be too large.
fn fit(mut answer: Value, key: &str) -> Value {
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
