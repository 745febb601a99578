//! Who could open a tenant's gate from inside without the manifest's naming them: what is said of them. Nobody is taken out: who made a
//! tenant is its owner, and may be the only one.

use landfall_model::desired::Standing;
use landfall_model::judgement::Verdict;

use crate::control::reported;

/// Most names that a finding tells; the evidence has them all.
const TOLD: usize = 10;

/// What is said of those who can hand out rights or take policies away in a tenant, each in words. `unread` hold roles that could not be
/// read, and `opens` says what a gate has to do with it.
pub fn strangers(known: &[String], unread: &[String], standing: &Standing, opens: &str) -> Verdict {
    match (known.is_empty(), unread.is_empty()) {
        (true, true) => return Verdict::Holds,
        (true, false) => {
            let why = format!(
                "a role that could not be read may let its holder hand out rights or take policies away here: {}",
                tell(unread)
            );
            return Verdict::Unknown { why };
        }
        (false, _) => {}
    }
    let mut who = tell(known);
    if !unread.is_empty() {
        who = format!("{who}; perhaps also, by a role that could not be read: {}", tell(unread));
    }
    match standing {
        Standing::New | Standing::Waiting => reported(format!(
            "not named by the manifest, and able to hand out rights or take policies away here, {opens}: {who}"
        )),
        Standing::HandedOver | Standing::Organization => reported(format!(
            "not named by the manifest, and able to hand out rights or take policies away here: {who}"
        )),
        // What was there before Landfall is its people's own.
        Standing::Adopted | Standing::ReportOnly(_) => Verdict::NotApplicable {
            why: format!(
                "there before Landfall, and able to hand out rights or take policies away here: {who}"
            ),
        },
    }
}

fn tell(who: &[String]) -> String {
    let told: Vec<&str> = who.iter().take(TOLD).map(String::as_str).collect();
    let more = match who.len().saturating_sub(TOLD) {
        0 => String::new(),
        more => format!(", and {more} more"),
    };
    format!("{}{more}", told.join(", "))
}
