//! Plain text, as on a terminal.

mod plan;
mod values;

use landfall_model::answer;
use landfall_model::desired::Standing;
use landfall_model::finding::{Finding, Status};
use landfall_model::heartbeat::Partial;
use landfall_model::id::RunId;
use landfall_model::ledger::{Entry, Event};
use landfall_model::outcome::{Done, Outcome};
use landfall_model::pause::Turn;
use landfall_model::record::Counts;
use landfall_model::report::{Provenance, Report};
use landfall_model::target::Target;

use crate::inert::inert;

pub use plan::{change, plan};

/// A report in one line.
pub fn report_line(report: &Report) -> String {
    let written =
        report.outcomes.iter().filter(|outcome| matches!(outcome.result, Done::Written { .. })).count();
    let name = if report.name.is_empty() { String::new() } else { format!(" ({})", inert(&report.name)) };
    let mut line = format!(
        "{}{name}: {}, {} of {} changes made, {}",
        report.target,
        report.life,
        written,
        report.changes.len(),
        counts(report.counts)
    );
    if report.refused.is_some() {
        line.push_str("; THE PLAN WAS REFUSED");
    }
    if report.paused.is_some() {
        line.push_str("; PAUSED");
    }
    line
}

/// The stop switch, where it is thrown.
pub fn paused(turn: &Turn) -> String {
    format!("PAUSED: nothing is written to any cloud; {}", inert(&turn.to_string()))
}

/// Counts of findings in words.
pub fn counts(counts: Counts) -> String {
    let Counts { pass, fail, unknown, not_applicable, exempt } = counts;
    let mut words = format!("{pass} pass, {fail} fail, {unknown} unknown");
    for (number, word) in [(not_applicable, "not applicable"), (exempt, "exempt")] {
        if number > 0 {
            words.push_str(&format!(", {number} {word}"));
        }
    }
    words
}

/// A whole report: what was to be done, what happened, what does not hold.
pub fn report(report: &Report) -> String {
    let mut text = report_line(report);
    text.push('\n');
    for note in &report.notes {
        push(&mut text, &format!("  note: {}", inert(note)));
    }
    if let Some(turn) = &report.paused {
        push(&mut text, &format!("  {}", paused(turn)));
    }
    if let Some(refused) = &report.refused {
        for reason in &refused.reasons {
            push(&mut text, &format!("  refused: {}", inert(reason)));
        }
    }
    for one in &report.changes {
        let outcome = report.outcomes.iter().find(|outcome| outcome.change == one.id);
        push(&mut text, &format!("  {}{}", change(one), outcome.map(tail).unwrap_or_default()));
    }
    for blocked in &report.blocked {
        push(&mut text, &format!("  {}  NOT DONE: {}", change(&blocked.change), inert(&blocked.why)));
    }
    for finding in report.findings.iter().filter(|finding| is_open(finding)) {
        push(&mut text, &format!("  {}", self::finding(finding)));
    }
    text
}

fn tail(outcome: &Outcome) -> String {
    match &outcome.result {
        Done::Written { .. } => "  done".to_owned(),
        Done::Failed { why } => format!("  FAILED: {}", inert(why)),
        Done::Moved { why } | Done::Withheld { why } => format!("  NOT DONE: {}", inert(why)),
    }
}

const fn is_open(finding: &Finding) -> bool {
    matches!(finding.status, Status::Fail | Status::Unknown)
}

/// A finding in one line: `fail     encrypt-by-default@eu-central-1/ebs  why`.
pub fn finding(finding: &Finding) -> String {
    let mut line = format!("{:<8} {}", finding.status.as_str(), finding.address);
    if !finding.why.is_empty() {
        line.push_str(&format!("  {}", inert(&finding.why)));
    }
    if let Some(exemption) = &finding.exemption {
        line.push_str(&format!(
            "  [exempt until {}: {}, approved by {}]",
            exemption.expires,
            inert(&exemption.reason),
            inert(&exemption.approved_by)
        ));
    }
    line
}

/// When each cloud was last swept, which of its units on their own since, and whether somebody stopped everything: what stands above and below a table of all targets.
pub fn swept(status: &answer::Status) -> String {
    let mut text = String::new();
    if let Some(turn) = &status.paused {
        push(&mut text, &paused(turn));
    }
    for beat in &status.swept {
        let last = beat.last.strftime("%Y-%m-%d %H:%MZ");
        push(&mut text, &format!("{} was last swept at {last}", beat.cloud));
    }
    for Partial { cloud, unit, last, sweep: _ } in &status.partly {
        let last = last.strftime("%Y-%m-%d %H:%MZ");
        push(&mut text, &format!("{cloud}: only the unit `{unit}` was swept at {last}"));
    }
    text
}

/// How all targets stand: one line each, those that need a person marked.
pub fn status(status: &answer::Status) -> String {
    let mut text = swept(status);
    let mut all = Counts::default();
    for record in &status.targets {
        let name = record.facts.as_ref().map(|facts| inert(&facts.name)).unwrap_or_default();
        let last = record.last.as_ref();
        let found = last.map(|last| counts(last.counts)).unwrap_or_else(|| "never looked at".to_owned());
        let mark = if last.is_some_and(|last| last.counts.needs_attention()) { "!" } else { " " };
        let when = last.map(|last| last.at.strftime("%Y-%m-%d %H:%M:%SZ").to_string()).unwrap_or_default();
        let life = match record.target {
            Target::Organization(_) => String::new(),
            Target::Tenant(_) => record.life.to_string(),
        };
        let target = record.target.to_string();
        push(&mut text, &format!("{mark} {target:<24} {name:<24} {life:<12} {found}  {when}"));
        if let Some(last) = last {
            all.add(last.counts);
        }
    }
    push(&mut text, &format!("{} targets: {}", status.targets.len(), counts(all)));
    text
}

/// What a target is to us, in words.
pub fn standing(standing: &Standing) -> String {
    match standing {
        Standing::Organization => "the organization".to_owned(),
        Standing::New => "new: gated until it is verified".to_owned(),
        Standing::Waiting => "new, and named by nobody: it stays behind its gate".to_owned(),
        Standing::HandedOver => "handed over".to_owned(),
        Standing::Adopted => "adopted: it was there before, and the manifest names it".to_owned(),
        Standing::ReportOnly(why) => format!("looked at only: {}", inert(why)),
    }
}

/// The whole chain: clause, control, setting, value, evidence, run, bundle, author.
pub fn explain(
    target: &Target,
    findings: &[Finding],
    history: &[Entry],
    run: &RunId,
    provenance: &Provenance,
) -> String {
    let mut text = String::new();
    for one in findings {
        let clauses =
            if one.satisfies.is_empty() { "no clause named".to_owned() } else { one.satisfies.join(", ") };
        let names: Vec<&str> = one.names.iter().map(landfall_model::id::Name::as_str).collect();
        let names =
            if names.is_empty() { "follows from the manifest's shape".to_owned() } else { names.join(", ") };
        push(&mut text, &format!("{target}  {}", one.address));
        push(
            &mut text,
            &format!(
                "  status    {}{}",
                one.status.as_str(),
                if one.why.is_empty() { String::new() } else { format!(": {}", inert(&one.why)) }
            ),
        );
        push(&mut text, &format!("  clause    {clauses}"));
        push(&mut text, &format!("  control   {names}"));
        push(&mut text, &format!("  catalog   {}: {}", one.control, one.control.entry().title));
        push(
            &mut text,
            &format!(
                "  asked by  {}",
                if one.sources.is_empty() { "the manifest".to_owned() } else { one.sources.join(", ") }
            ),
        );
        if let Some(exemption) = &one.exemption {
            push(
                &mut text,
                &format!(
                    "  exempt    until {} ({}), approved by {}",
                    exemption.expires,
                    inert(&exemption.reason),
                    inert(&exemption.approved_by)
                ),
            );
        }
        if let Some(evidence) = &one.evidence {
            let value = evidence.value.as_ref().map_or_else(|| "nothing there".to_owned(), values::short);
            push(&mut text, &format!("  observed  {value}"));
            push(
                &mut text,
                &format!(
                    "  evidence  looked {}, request {}, sha256 {}",
                    evidence.at.strftime("%Y-%m-%d %H:%M:%SZ"),
                    evidence
                        .request
                        .as_deref()
                        .map(inert)
                        .unwrap_or_else(|| "not numbered by the cloud".to_owned()),
                    evidence.digest.short()
                ),
            );
        }
        text.push('\n');
    }
    if findings.is_empty() {
        push(&mut text, &format!("{target}: the last run judged no such setting"));
    }
    for entry in history {
        let when = entry.at.strftime("%Y-%m-%d %H:%M:%SZ");
        let what = match &entry.event {
            Event::Intent { change: one, .. } => change(one),
            Event::Outcome { intent, result, .. } => format!("  of {intent}: {}", done(result)),
            Event::Settled { intent, took_effect, .. } => format!(
                "  of {intent}: left open; {}",
                match took_effect {
                    Some(true) => "it took effect",
                    Some(false) => "it did not take effect",
                    None => "nobody can tell",
                }
            ),
            Event::Switched { turn } => inert(&turn.to_string()),
            Event::Life { from, to, why } => format!("{from} -> {to}: {}", inert(why)),
        };
        push(&mut text, &format!("  {when}  #{:<4} {what}", entry.seq));
    }
    push(
        &mut text,
        &format!(
            "run {run}, bundle {} generation {}, {}{}",
            provenance.bundle.short(),
            provenance.generation,
            provenance
                .signed_by
                .as_ref()
                .map_or_else(|| "NOT SIGNED".to_owned(), |key| format!("signed with {key}")),
            provenance
                .author
                .as_ref()
                .map(|author| format!(", author {}", inert(author)))
                .unwrap_or_default()
        ),
    );
    text
}

fn done(result: &Done) -> String {
    match result {
        Done::Written { .. } => "written".to_owned(),
        Done::Failed { why } => format!("failed: {}", inert(why)),
        Done::Moved { why } | Done::Withheld { why } => format!("not written: {}", inert(why)),
    }
}

/// Adds a line.
fn push(text: &mut String, line: &str) {
    text.push_str(line);
    text.push('\n');
}
