//! The policies that bind a scope: assigned there or above, not excluded, not exempted, not switched off.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value};

use super::expression::{Context, evaluate_text};
use super::rule;
use super::subject::Subject;
use crate::azure::scope::Scope;
use crate::azure::world::resource::{id, key};
use crate::azure::world::{AzureWorld, Resource};

/// One policy as one assignment puts it in force.
#[derive(Debug)]
pub(crate) struct InForce<'a> {
    pub(crate) assignment: &'a Resource,
    pub(crate) assignment_id: String,
    pub(crate) scope_id: String,
    pub(crate) definition: &'a Resource,
    pub(crate) definition_id: String,
    /// The initiative that it is part of, and its name there.
    pub(crate) set_id: Option<String>,
    pub(crate) reference: Option<String>,
    /// In lower case.
    pub(crate) effect: String,
    /// Values by name in lower case.
    parameters: BTreeMap<String, Value>,
}

impl InForce<'_> {
    /// When the assignment takes effect: what lags is not there yet.
    pub(crate) fn binding_since(&self, lag: Duration) -> Timestamp {
        let lag = SignedDuration::try_from(lag).unwrap_or_default();
        self.assignment.updated_at.checked_add(lag).unwrap_or(self.assignment.updated_at)
    }

    pub(crate) fn shown_name(&self) -> &str {
        let shown = self.assignment.text("displayName");
        if shown.is_empty() { &self.assignment.name } else { shown }
    }

    /// Whether the rule's condition holds for a resource.
    ///
    /// A rule that can't be evaluated hits nothing; rules are looked at when they are written, so that is a test's own doing.
    pub(crate) fn hits(&self, subject: &Subject) -> bool {
        // `Indexed` means types that have tags and a location.
        let indexed = self.definition.text("mode").eq_ignore_ascii_case("Indexed");
        if (indexed && !subject.indexed) || !self.selects(subject) {
            return false;
        }
        let condition = self.definition.properties.get("policyRule").and_then(|rule| rule.get("if"));
        let context = Context::new(subject, &self.parameters);
        condition.is_some_and(|condition| rule::holds(condition, &context).unwrap_or(false))
    }

    /// <https://learn.microsoft.com/azure/governance/policy/concepts/assignment-structure#resource-selectors>
    fn selects(&self, subject: &Subject) -> bool {
        let Some(groups) = self.assignment.properties.get("resourceSelectors").and_then(Value::as_array)
        else {
            return true;
        };
        let one = |selector: &Value| {
            let value = match selector.get("kind").and_then(Value::as_str) {
                Some("resourceType") => subject.kind.as_str(),
                Some("resourceLocation") => subject.location.as_deref().unwrap_or_default(),
                _ => return true,
            };
            selected(selector, value)
        };
        let all =
            |group: &Value| group.get("selectors").and_then(Value::as_array).into_iter().flatten().all(one);
        groups.is_empty() || groups.iter().any(all)
    }
}

/// Whether `in` or `notIn` of a selector takes a value.
fn selected(selector: &Value, value: &str) -> bool {
    let has = |name: &str| {
        let list = selector.get(name).and_then(Value::as_array)?;
        Some(list.iter().any(|one| one.as_str().is_some_and(|one| one.eq_ignore_ascii_case(value))))
    };
    has("in").unwrap_or(true) && !has("notIn").unwrap_or(false)
}

/// Every policy in force on a scope, from the nearest assignment up.
pub(crate) fn in_force<'a>(world: &'a AzureWorld, scope: &Scope, now: Timestamp) -> Vec<InForce<'a>> {
    let way = world.way_up(scope);
    let mut all = Vec::new();
    for above in &way {
        let Some(governance) = world.governance(above) else { continue };
        for assignment in governance.policy_assignments.values() {
            let off = assignment.text("enforcementMode").eq_ignore_ascii_case("DoNotEnforce");
            if off || excluded(assignment, &way) {
                continue;
            }
            let scope_id = above.id();
            let assignment_id = id(&scope_id, "Microsoft.Authorization/policyAssignments", &assignment.name);
            collect(world, assignment, &assignment_id, &scope_id, &mut all);
        }
    }
    all.retain(|policy| !exempted(world, &way, policy, now) && policy.effect != "disabled");
    all
}

/// Whether one of the assignment's `notScopes` is the scope or above it.
fn excluded(assignment: &Resource, way: &[Scope]) -> bool {
    let outside = assignment.properties.get("notScopes").and_then(Value::as_array);
    let mut outside = outside.into_iter().flatten().filter_map(Value::as_str);
    outside
        .any(|outside| way.iter().any(|scope| scope.id().eq_ignore_ascii_case(outside.trim_end_matches('/'))))
}

fn collect<'a>(
    world: &'a AzureWorld,
    assignment: &'a Resource,
    assignment_id: &str,
    scope_id: &str,
    all: &mut Vec<InForce<'a>>,
) {
    let target = assignment.text("policyDefinitionId");
    let Some(definition) = super::definition(world, target) else { return };
    let given = assignment.properties.get("parameters").and_then(Value::as_object);
    let values = values(definition, given, |value| Some(value.clone()));
    let mut add = |definition: &'a Resource,
                   definition_id: &str,
                   set: Option<(&str, String)>,
                   parameters: BTreeMap<String, Value>| {
        let (set_id, reference) = set.map(|(id, reference)| (id.to_owned(), reference)).unzip();
        let effect = effect(assignment, definition, reference.as_deref(), &parameters);
        all.push(InForce {
            assignment,
            assignment_id: assignment_id.to_owned(),
            scope_id: scope_id.to_owned(),
            definition,
            definition_id: definition_id.to_owned(),
            set_id,
            reference,
            effect,
            parameters,
        });
    };
    let Some(members) = definition.properties.get("policyDefinitions").and_then(Value::as_array) else {
        add(definition, target, None, values);
        return;
    };
    for member in members {
        let text = |name: &str| member.get(name).and_then(Value::as_str).unwrap_or_default();
        let Some(inner) = super::definition(world, text("policyDefinitionId")) else { continue };
        // The initiative's values, as the member passes them on.
        let given = member.get("parameters").and_then(Value::as_object);
        let nobody = Subject::default();
        let context = Context::new(&nobody, &values);
        let inner_values = self::values(inner, given, |value| evaluate_text(value, &context).ok());
        let reference = text("policyDefinitionReferenceId").to_owned();
        add(inner, text("policyDefinitionId"), Some((target, reference)), inner_values);
    }
}

/// The value of every parameter: given, or by default.
fn values(
    definition: &Resource,
    given: Option<&Map<String, Value>>,
    read: impl Fn(&Value) -> Option<Value>,
) -> BTreeMap<String, Value> {
    let declared = definition.properties.get("parameters").and_then(Value::as_object);
    let by_default = declared
        .into_iter()
        .flatten()
        .filter_map(|(name, about)| Some((key(name), about.get("defaultValue")?.clone())));
    let given =
        given.into_iter().flatten().filter_map(|(name, value)| Some((key(name), read(value.get("value")?)?)));
    by_default.chain(given).collect()
}

/// The effect in lower case: overridden by the assignment, or the rule's, which may be a parameter.
fn effect(
    assignment: &Resource,
    definition: &Resource,
    reference: Option<&str>,
    parameters: &BTreeMap<String, Value>,
) -> String {
    let overrides = assignment.properties.get("overrides").and_then(Value::as_array);
    let mut overrides = overrides.into_iter().flatten().filter(|one| {
        let selectors = one.get("selectors").and_then(Value::as_array);
        one.get("kind").and_then(Value::as_str) == Some("policyEffect")
            && selectors
                .into_iter()
                .flatten()
                .all(|selector| selected(selector, reference.unwrap_or_default()))
    });
    if let Some(value) = overrides.next().and_then(|one| one.get("value")).and_then(Value::as_str) {
        return value.to_ascii_lowercase();
    }
    let then = definition.properties.get("policyRule").and_then(|rule| rule.get("then"));
    let Some(effect) = then.and_then(|then| then.get("effect")) else { return String::new() };
    let nobody = Subject::default();
    let value = evaluate_text(effect, &Context::new(&nobody, parameters)).unwrap_or_default();
    value.as_str().unwrap_or_default().to_ascii_lowercase()
}

/// <https://learn.microsoft.com/azure/governance/policy/concepts/exemption-structure>
fn exempted(world: &AzureWorld, way: &[Scope], policy: &InForce<'_>, now: Timestamp) -> bool {
    let exemptions = way.iter().filter_map(|scope| world.governance(scope));
    let mut exemptions = exemptions.flat_map(|governance| governance.policy_exemptions.values());
    exemptions.any(|exemption| {
        let until = exemption.text("expiresOn");
        let over = until.parse::<Timestamp>().is_ok_and(|until| until <= now);
        let named = exemption.properties.get("policyDefinitionReferenceIds").and_then(Value::as_array);
        let named = named.is_none_or(|list| {
            let reference = policy.reference.as_deref().unwrap_or_default();
            list.is_empty()
                || list.iter().any(|one| one.as_str().is_some_and(|one| one.eq_ignore_ascii_case(reference)))
        });
        !over && named && exemption.text("policyAssignmentId").eq_ignore_ascii_case(&policy.assignment_id)
    })
}
