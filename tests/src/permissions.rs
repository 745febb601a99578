//! What Landfall is granted against what it takes: what is asked of each cloud alike.

#![expect(clippy::unwrap_used, reason = "test harness: a failure here is a failed test")]

use std::collections::BTreeSet;

use landfall_engine::permissions::Needed;
use landfall_model::catalog::ControlKind;
use landfall_model::report::Report;
use landfall_simulator::Call;

/// What is granted and taken by none of the disturbances: what takes it, and the permissions.
pub type Untaken = [(&'static str, &'static [&'static str])];

/// Fails for what is granted and nothing of this process took so far. Other scenarios run at the same time and may take more, so that
/// those with a reason are allowed to be among the taken.
pub fn nothing_is_granted_that_no_scenario_takes(
    granted: Needed,
    untaken: &Untaken,
    is_taken: impl Fn(&str) -> bool,
) {
    let granted: BTreeSet<&str> = granted.0.into_keys().collect();
    let known: BTreeSet<&str> = untaken.iter().flat_map(|(_, permissions)| *permissions).copied().collect();
    let nobody = |one: &&str| !is_taken(one) && !known.contains(one);
    assert_eq!(
        granted.iter().copied().filter(nobody).collect::<Vec<_>>(),
        [""; 0],
        "granted, and taken by nobody"
    );
    assert_eq!(known.difference(&granted).collect::<Vec<_>>(), [&""; 0], "a reason, and nothing granted");
}

/// The calls that were refused for want of a permission.
pub fn denied(calls: Vec<Call>) -> Vec<Call> {
    calls.into_iter().filter(|call| call.status == Some(403)).collect()
}

/// The missing permission is named, its control does not hold, and another one does: what is missing is missed there and nowhere else.
pub fn is_missed(report: &Report, permission: &str, control: &str, unharmed: ControlKind) {
    let said = landfall_reports::text::report(report);
    assert!(said.contains(permission), "{permission} of {control}:\n{said}");
    let holds = |kind: ControlKind| {
        report.findings.iter().filter(|one| one.control == kind).all(|one| !one.needs_attention())
    };
    assert!(!holds(control.parse().unwrap()), "{permission}: {control} holds all the same\n{said}");
    assert!(holds(unharmed), "{permission}: one broken setting costs that setting\n{said}");
}
