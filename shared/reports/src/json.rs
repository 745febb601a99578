//! Answers as JSON that a person can read in a cloud's console: the words first, the details after them.

use landfall_model::answer::{About, Answer, Explanation, Preview, Reconciled, Status};
use landfall_model::id::{SweepId, UnitPath};
use landfall_model::report::Report;
use landfall_model::target::Target;
use serde::ser::{Serialize, SerializeMap as _, Serializer};
use serde_json::{Value, json};

use crate::text;

/// The largest answer that every cloud's function may give. Lambda's limit for a synchronous answer is 6 MB, the smallest of the three
/// (<https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html>); this leaves room for the envelope. Cloud Run's is 32 MiB
/// (<https://cloud.google.com/run/quotas>), which leaves room for indentation.
pub const MOST: usize = 5 * 1024 * 1024;

/// What each of several targets is given at least: its name, and the first lines of what is said of it.
const LEAST: usize = 4 * 1024;

/// What an answer that is cut needs beside its lines.
const FRAME: usize = 1024;

/// An answer: fields in the order in which they are written, since a console shows them so.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Spoken(Vec<(String, Part)>);

/// What a field holds.
#[derive(Debug, Clone, PartialEq)]
enum Part {
    Value(Value),
    /// An answer for itself: one of several targets.
    Spoken(Spoken),
}

impl Spoken {
    /// One field.
    pub fn of(name: &str, value: impl Into<Value>) -> Self {
        Spoken::default().and(name, value)
    }

    /// One more field.
    #[must_use]
    pub fn and(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.0.push((name.to_owned(), Part::Value(value.into())));
        self
    }

    /// Indented, for consoles that show what comes as it is.
    pub fn pretty(&self) -> String {
        let mut text = serde_json::to_string_pretty(self).unwrap_or_default();
        text.push('\n');
        text
    }

    fn size(&self) -> usize {
        size(self)
    }
}

impl Serialize for Spoken {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (name, part) in &self.0 {
            match part {
                Part::Value(value) => map.serialize_entry(name, value)?,
                Part::Spoken(spoken) => map.serialize_entry(name, spoken)?,
            }
        }
        map.end()
    }
}

/// What came of a trigger.
pub fn answer(answer: &Answer) -> Spoken {
    match answer {
        Answer::Reconciled(reconciled) => self::reconciled(reconciled, MOST),
        Answer::Swept { sweep, unit } => swept(sweep, unit.as_ref()),
        Answer::Left(target) => Spoken::of("summary", "it is on the work queue").and("left", json!(target)),
        Answer::Worked { failed } => Spoken::of("failed", json!(failed)),
        Answer::Told(told) => several(told, about),
        Answer::Status(status) => self::status(status),
        Answer::CreationFailed { why } => {
            Spoken::of("summary", format!("the cloud could not make a tenant: {why}"))
        }
        Answer::Ignored { why } => Spoken::of("ignored", why.as_str()),
        Answer::Refused { why, recorded: Some(recorded) } => {
            Spoken::of("refused", why.as_str()).and("recorded", recorded.as_str())
        }
        Answer::Refused { why, recorded: None } => Spoken::of("refused", why.as_str()),
    }
}

/// The same in one line, for logs.
pub fn line(answer: &Answer) -> String {
    match answer {
        Answer::Reconciled(Reconciled::Done(report)) => text::report_line(report),
        Answer::Reconciled(Reconciled::Busy { run }) => format!("run {run} is at it, and will look again"),
        Answer::Reconciled(Reconciled::Settled) => "there was nothing left to do".to_owned(),
        Answer::Swept { sweep, unit: None } => format!("the sweep {sweep} has begun"),
        Answer::Swept { sweep, unit: Some(unit) } => format!("the sweep {sweep} of `{unit}` has begun"),
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

fn swept(sweep: &SweepId, unit: Option<&UnitPath>) -> Spoken {
    match unit {
        None => Spoken::of("summary", "a sweep has begun; its targets are on the work queue"),
        Some(unit) => {
            let summary = format!(
                "a sweep of the unit `{unit}` has begun; its tenants are on the work queue, the others and the organization are left out"
            );
            Spoken::of("summary", summary).and("unit", json!(unit))
        }
    }
    .and("sweep", json!(sweep))
}

fn about(about: &About, most: usize) -> Spoken {
    match about {
        About::Plan(preview) => self::preview(preview, most),
        About::Applied(reconciled) => self::reconciled(reconciled, most),
        About::Explained(explanation) => self::explanation(explanation, most),
        About::Unknown => Spoken::of("unknown", "no run has looked at it yet"),
        About::Failed(why) => Spoken::of("error", cut(why, most)),
    }
}

/// No more of a text than fits, and how much there was. JSON writes a quote or a line's end as two bytes.
fn cut(text: &str, most: usize) -> String {
    let room = most.saturating_sub(FRAME);
    if size(&text) <= room {
        return text.to_owned();
    }
    let begin = text.get(..text.floor_char_boundary(room / 2)).unwrap_or_default();
    format!("{begin}… (cut, {} bytes in all)", text.len())
}

fn reconciled(reconciled: &Reconciled, most: usize) -> Spoken {
    match reconciled {
        Reconciled::Done(report) => self::report(report, most),
        Reconciled::Busy { run } => Spoken::of("busy", format!("run {run} is at it, and will look again")),
        Reconciled::Settled => Spoken::of("settled", "there was nothing left to do"),
    }
}

fn report(report: &Report, most: usize) -> Spoken {
    let key = format!("runs/{}/{}", report.run, report.target);
    let words = Spoken::of("summary", text::report_line(report));
    let details = |words: Spoken| words.and("report", json!(report));
    fit(words, &text::report(report), details, &in_store(&key), most)
}

fn preview(preview: &Preview, most: usize) -> Spoken {
    let Preview { target, name, standing: _, plan, refused, findings } = preview;
    let text = text::plan(plan, refused.as_ref());
    let words = Spoken::of("target", json!(target)).and("name", name.as_str());
    let details = |words: Spoken| {
        words.and("refused", json!(refused)).and("plan", json!(plan)).and("findings", json!(findings))
    };
    fit(words, &text, details, "a plan that is only looked at is not kept: ask for fewer targets", most)
}

fn status(status: &Status) -> Spoken {
    let Status { paused, swept, partly, targets } = status;
    let text = text::status(status);
    let summary = text.lines().last().unwrap_or_default();
    let words = Spoken::of("summary", summary);
    let details = |words: Spoken| {
        words
            .and("paused", json!(paused))
            .and("swept", json!(swept))
            .and("partly", json!(partly))
            .and("targets", json!(targets))
    };
    fit(words, &text, details, &in_store("tenants/"), MOST)
}

fn explanation(explanation: &Explanation, most: usize) -> Spoken {
    let Explanation { target, findings, asked: _, history, run, provenance } = explanation;
    let text = text::explain(target, findings, history, run, provenance);
    let words = Spoken::of("target", json!(target));
    let details = |words: Spoken| words.and("explanation", json!(explanation));
    fit(words, &text, details, &in_store(&format!("history/{target}")), most)
}

fn in_store(key: &str) -> String {
    format!("the whole is in the store under `{key}`")
}

/// An answer: words, the text by lines, and the details; where that is too large, the words and as many lines as there is room for, with
/// where the rest is.
fn fit(words: Spoken, text: &str, details: impl FnOnce(Spoken) -> Spoken, rest: &str, most: usize) -> Spoken {
    let lines: Vec<&str> = text.lines().collect();
    let whole = details(words.clone().and("text", json!(lines)));
    if whole.size() <= most {
        return whole;
    }
    let mut room = most.saturating_sub(words.size() + rest.len() + FRAME);
    let shown = lines
        .iter()
        .take_while(|line| {
            let needs = size(line) + 1;
            let fits = needs <= room;
            room = room.saturating_sub(needs);
            fits
        })
        .count();
    let more = lines.len() - shown;
    let lines: Vec<&str> = lines.into_iter().take(shown).collect();
    let mut cut = words.and("text", json!(lines));
    if more > 0 {
        cut = cut.and("more", format!("and {more} more lines"));
    }
    cut.and("too-large", rest)
}

/// The answers for several targets, each made within what it is given. Where all of them together are too large, each gets its share, and
/// those for whom there is none are counted.
fn several<T>(told: &[(Target, T)], within: impl Fn(&T, usize) -> Spoken) -> Spoken {
    let mut whole = Spoken::default();
    // Both braces, and for each its name, quotes, colon and comma. Nobody is kept whom there is no room for.
    let mut used = 2;
    for (target, one) in told {
        let name = target.to_string();
        let spoken = within(one, MOST);
        used += name.len() + 4 + spoken.size();
        if used > MOST {
            return shares(told, within);
        }
        whole.0.push((name, Part::Spoken(spoken)));
    }
    whole
}

fn shares<T>(told: &[(Target, T)], within: impl Fn(&T, usize) -> Spoken) -> Spoken {
    let shown = told.len().min(MOST / LEAST - 1);
    let share = MOST / (shown + 1);
    let mut cut = Spoken::default();
    for (target, one) in told.iter().take(shown) {
        let name = target.to_string();
        let spoken = within(one, share.saturating_sub(name.len() + 4));
        cut.0.push((name, Part::Spoken(spoken)));
    }
    if shown < told.len() {
        cut = cut.and("more", format!("and {} more targets: ask for fewer", told.len() - shown));
    }
    cut
}

fn size(value: &impl Serialize) -> usize {
    serde_json::to_vec(value).map_or(usize::MAX, |bytes| bytes.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(spoken: &Spoken) -> (String, Value) {
        let text = serde_json::to_string(spoken).unwrap();
        let value = serde_json::from_str(&text).unwrap();
        (text, value)
    }

    fn cut(text: &str, details: &str, most: usize) -> (String, Value) {
        let spoken = fit(
            Spoken::of("summary", "short"),
            text,
            |words| words.and("report", details),
            &in_store("runs/r"),
            most,
        );
        written(&spoken)
    }

    #[test]
    fn the_words_come_first() {
        let (text, value) = cut("one\ntwo", "details", MOST);
        assert_eq!(text, r#"{"summary":"short","text":["one","two"],"report":"details"}"#);
        assert!(value.get("more").is_none() && value.get("too-large").is_none());
        let sweep: SweepId = "20261121T101500Z-3f9a6c01".parse().unwrap();
        let unit: Option<UnitPath> = Some("workloads/production".parse().unwrap());
        let pretty = answer(&Answer::Swept { sweep, unit }).pretty();
        let lines: Vec<&str> = pretty.lines().collect();
        assert!(
            lines[1].starts_with("  \"summary\": \"a sweep of the unit `workloads/production` has begun")
        );
        assert_eq!(
            lines[2..],
            ["  \"unit\": \"workloads/production\",", "  \"sweep\": \"20261121T101500Z-3f9a6c01\"", "}"]
        );
        assert!(pretty.ends_with('\n'));
    }

    #[test]
    fn an_answer_that_is_too_large_says_where_the_whole_is() {
        let (_, value) = cut("one\ntwo", &"x".repeat(MOST), MOST);
        assert_eq!(value["summary"], "short");
        assert_eq!(value["text"], json!(["one", "two"]));
        assert_eq!(value["too-large"], "the whole is in the store under `runs/r`");
        assert!(value.get("report").is_none() && value.get("more").is_none());
    }

    #[test]
    fn of_a_text_that_is_too_large_the_first_lines_are_shown_and_the_others_counted() {
        // Quotes cost two bytes each.
        let text = format!("{}\n", "\"".repeat(50)).repeat(200_000);
        let (written, value) = cut(&text, "", MOST);
        let shown = value["text"].as_array().unwrap().len();
        assert!(written.len() <= MOST && written.len() > MOST - 2 * FRAME, "{}", written.len());
        assert_eq!(value["more"], format!("and {} more lines", 200_000 - shown));
    }

    #[test]
    fn a_long_reason_is_cut_to_its_share() {
        let failed = |why: String| written(&about(&About::Failed(why), FRAME + 101)).1["error"].clone();
        assert_eq!(failed("no right".to_owned()), "no right");
        assert_eq!(failed("é".repeat(80)), format!("{}… (cut, 160 bytes in all)", "é".repeat(25)));
        let target = |index| format!("aws/{index:012}").parse::<Target>().unwrap();
        let told: Vec<(Target, About)> =
            (0..1_000).map(|index| (target(index), About::Failed("a \"quote\"\n".repeat(1_000)))).collect();
        let (written, _) = written(&several(&told, about));
        assert!(written.len() <= MOST, "{}", written.len());
    }

    #[test]
    fn of_many_targets_each_gets_its_share_and_the_others_are_counted() {
        let text = "a line of a plan\n".repeat(1_000);
        for (targets, shown) in [(3, 3), (500, 500), (2_000, MOST / LEAST - 1)] {
            let target = |index| format!("aws/{index:012}").parse::<Target>().unwrap();
            let told: Vec<(Target, ())> = (0..targets).map(|index| (target(index), ())).collect();
            let within = |(): &(), most| {
                fit(
                    Spoken::of("name", "shop"),
                    &text,
                    |words| words.and("plan", text.as_str()),
                    "ask for fewer",
                    most,
                )
            };
            let (written, value) = written(&several(&told, within));
            assert!(written.len() <= MOST, "{targets}: {}", written.len());
            let first = &value["aws/000000000000"];
            assert!(first["text"].as_array().unwrap().len() > 10, "{targets}: {first}");
            assert_eq!(first.get("plan").is_some(), targets == 3, "{targets}");
            assert_eq!(
                value.as_object().unwrap().keys().filter(|name| name.starts_with("aws/")).count(),
                shown
            );
            let more =
                (shown < targets).then(|| format!("and {} more targets: ask for fewer", targets - shown));
            assert_eq!(value.get("more").and_then(Value::as_str), more.as_deref(), "{targets}");
        }
    }
}
