//! Plans as people know them from terraform: action, address, before and after, control, reason.

use landfall_model::approve::Refused;
use landfall_model::plan::{Change, Deed, Plan};

use super::push;
use super::values::differences;
use crate::inert::inert;

/// A change in one line: `~ password-policy/account  MinimumPasswordLength: 6 -> 14  (weaker than asked)`.
pub fn change(change: &Change) -> String {
    let mut line = format!("{} {}", change.deed.sign(), change.address);
    if change.verb != "update" && change.verb != "create" && change.verb != "delete" {
        line.push_str(&format!(" {}", change.verb));
    }
    let fields = differences(change.before.as_ref(), change.after.as_ref());
    if !fields.is_empty() && change.deed != Deed::Delete {
        line.push_str(&format!("  {}", fields.join(", ")));
    }
    line.push_str(&format!("  ({})", inert(&change.reason)));
    if let Some(reaches) = change.reaches {
        line.push_str(&format!("  [reaches {reaches} tenants]"));
    }
    if change.loses {
        line.push_str("  [LOSES what is there]");
    }
    line
}

/// A whole plan, stage by stage.
pub fn plan(plan: &Plan, refused: Option<&Refused>) -> String {
    let mut text = String::new();
    if plan.changes.is_empty() && plan.blocked.is_empty() {
        push(&mut text, &format!("{}: nothing to change", plan.target));
        return text;
    }
    push(&mut text, &format!("{}", plan.target));
    let mut stage = None;
    for one in &plan.changes {
        if stage != Some(one.stage) {
            stage = Some(one.stage);
            push(&mut text, &format!("  {}", one.stage));
        }
        push(&mut text, &format!("    {}", change(one)));
    }
    for blocked in &plan.blocked {
        push(
            &mut text,
            &format!("    {}  WOULD NOT BE DONE: {}", change(&blocked.change), inert(&blocked.why)),
        );
    }
    let count = |deed: Deed| plan.changes.iter().filter(|change| change.deed == deed).count();
    push(
        &mut text,
        &format!(
            "  {} to create, {} to update, {} to delete",
            count(Deed::Create),
            count(Deed::Update),
            count(Deed::Delete)
        ),
    );
    for reason in refused.into_iter().flat_map(|refused| &refused.reasons) {
        push(&mut text, &format!("  REFUSED: {}", inert(reason)));
    }
    text
}
