//! What came of each change: made, or not, and why not.

use landfall_model::outcome::{Done, Outcome};
use landfall_model::plan::{Change, ChangeId};
use landfall_model::report::{Next, Report};
use landfall_reports::inert::inert;
use landfall_reports::text;

/// A change, and what came of it.
pub(crate) type Deed = (Change, Done);

/// Each change of a report with what came of it. Of a change that nobody got to, the report has no outcome; here it has one.
pub(crate) fn deeds(report: &Report) -> impl Iterator<Item = Deed> + '_ {
    report.changes.iter().map(|change| {
        let outcome = report.outcomes.iter().find(|outcome| outcome.change == change.id);
        let result = outcome.map_or_else(|| Done::Withheld { why: never(report) }, |one| one.result.clone());
        (change.clone(), result)
    })
}

/// Why a change has no outcome at all.
fn never(report: &Report) -> String {
    match (&report.refused, &report.next) {
        (Some(_), _) => "the plan was refused".to_owned(),
        (None, Next::Resume) => "time ran out before it".to_owned(),
        (None, Next::Sweep | Next::LookAgain { .. }) => "the run did not get to it".to_owned(),
    }
}

/// The report with what came of these changes in the place of its own.
pub(crate) fn with(report: &Report, deeds: &[Deed]) -> Report {
    let mut told = Report { changes: Vec::new(), outcomes: Vec::new(), ..report.clone() };
    for (number, (change, result)) in deeds.iter().enumerate() {
        // Two runs may have made the same change; in one report their names would be one.
        let id = ChangeId(format!("{number}/{}", change.id));
        let address = change.address.clone();
        told.outcomes.push(Outcome { change: id.clone(), address, result: result.clone(), at: report.ended });
        told.changes.push(Change { id, ..change.clone() });
    }
    told
}

/// The report, with an outcome for each of its changes.
pub(crate) fn whole(report: &Report) -> Report {
    with(report, &deeds(report).collect::<Vec<_>>())
}

/// Whether it was made.
pub(crate) const fn is_made(result: &Done) -> bool {
    matches!(result, Done::Written { .. })
}

/// A change in one line, with why it was not made where it was not.
pub(crate) fn line((change, result): &Deed) -> String {
    let change = text::change(change);
    match result {
        Done::Written { .. } => change,
        Done::Failed { why } => format!("{change}  FAILED: {}", inert(why)),
        Done::Moved { why } | Done::Withheld { why } => format!("{change}  NOT DONE: {}", inert(why)),
    }
}
