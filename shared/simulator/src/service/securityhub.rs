//! Security Hub: one region's hub and the standards that it assesses.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::Answered;
use crate::ask::{Ask, member};
use crate::gate;
use crate::page::{SECURITY_HUB, page};
use crate::refusal::Refusal;
use crate::world::{Hub, Region, World};

/// The standards that there are, without what is before them in an ARN.
///
/// Source: AWS Security Hub user guide, Standards reference, November 2026.
const STANDARDS: [&str; 9] = [
    "aws-foundational-security-best-practices/v/1.0.0",
    "aws-resource-tagging-standard/v/1.0.0",
    "cis-aws-foundations-benchmark/v/1.4.0",
    "cis-aws-foundations-benchmark/v/3.0.0",
    "cis-aws-foundations-benchmark/v/5.0.0",
    "nist-800-171/v/2.0.0",
    "nist-800-53/v/5.0.0",
    "pci-dss/v/3.2.1",
    "pci-dss/v/4.0.1",
];
const BEST: &str = "aws-foundational-security-best-practices/v/1.0.0";
const OLDEST: &str = "arn:aws:securityhub:::ruleset/cis-aws-foundations-benchmark/v/1.2.0";

/// What a request may name at once.
const MOST: usize = 25;

pub(super) fn answer(world: &mut World, ask: &Ask) -> Answered {
    match ask.operation.as_str() {
        "DescribeHub" => {
            let at = hub(world, ask)?.subscribed_at.to_string();
            Ok(json!({
                "HubArn": hub_arn(ask), "SubscribedAt": at, "AutoEnableControls": true,
                "ControlFindingGenerator": "SECURITY_CONTROL",
            }))
        }
        "EnableSecurityHub" => enable(world, ask),
        "DisableSecurityHub" => {
            hub(world, ask)?;
            region(world, ask)?.hub = None;
            Ok(Value::Null)
        }
        "GetEnabledStandards" => {
            let standards = hub(world, ask)?.standards.clone();
            let wanted: Vec<&str> =
                ask.array("StandardsSubscriptionArns").iter().filter_map(Value::as_str).collect();
            let shown = standards
                .iter()
                .map(|(arn, status)| subscription(ask, arn, status))
                .filter(|one| wanted.is_empty() || wanted.contains(&member(one, "StandardsSubscriptionArn")));
            page(world, ask, SECURITY_HUB, "StandardsSubscriptions", shown).map(Value::Object)
        }
        "BatchEnableStandards" => register(world, ask),
        "BatchDisableStandards" => deregister(world, ask),
        _ => Err(super::unknown(Some(ask.service), &ask.operation)),
    }
}

fn region<'a>(world: &'a mut World, ask: &Ask) -> Result<&'a mut Region, Refusal> {
    let account = world.accounts.get_mut(&ask.caller.account).ok_or_else(|| gate::denial(ask))?;
    Ok(account.region(&ask.region))
}

/// Whoever is not subscribed is refused as if it was not allowed.
fn hub<'a>(world: &'a mut World, ask: &Ask) -> Result<&'a mut Hub, Refusal> {
    let account = &ask.caller.account;
    region(world, ask)?.hub.as_mut().ok_or_else(|| {
        let message = format!("Account {account} is not subscribed to AWS Security Hub");
        Refusal::new("InvalidAccessException", message).status(401)
    })
}

fn hub_arn(ask: &Ask) -> String {
    format!("arn:aws:securityhub:{}:{}:hub/default", ask.region, ask.caller.account)
}

fn standard_arn(ask: &Ask, name: &str) -> String {
    format!("arn:aws:securityhub:{}::standards/{name}", ask.region)
}

fn subscription_arn(ask: &Ask, standard: &str) -> String {
    let name = standard.split_once('/').map_or(standard, |(_, name)| name);
    format!("arn:aws:securityhub:{}:{}:subscription/{name}", ask.region, ask.caller.account)
}

fn subscription(ask: &Ask, arn: &str, status: &str) -> Value {
    let mut shown = json!({
        "StandardsSubscriptionArn": subscription_arn(ask, arn), "StandardsArn": arn, "StandardsInput": {},
        "StandardsStatus": status, "StandardsControlsUpdatable": "READY_FOR_UPDATES",
    });
    if let ("INCOMPLETE", Some(members)) = (status, shown.as_object_mut()) {
        let reason = json!({"StatusReasonCode": "NO_AVAILABLE_CONFIGURATION_RECORDER"});
        members.insert("StandardsStatusReason".to_owned(), reason);
    }
    shown
}

fn enable(world: &mut World, ask: &Ask) -> Answered {
    if region(world, ask)?.hub.is_some() {
        return Err(Refusal::new(
            "ResourceConflictException",
            "Account is already subscribed to Security Hub",
        )
        .status(409));
    }
    let mut standards = BTreeMap::new();
    if ask.flag("EnableDefaultStandards").unwrap_or(true) {
        for arn in [standard_arn(ask, BEST), OLDEST.to_owned()] {
            standards.insert(arn, "READY".to_owned());
        }
    }
    region(world, ask)?.hub = Some(Hub { subscribed_at: ask.now, standards });
    Ok(Value::Null)
}

fn register(world: &mut World, ask: &Ask) -> Answered {
    hub(world, ask)?;
    let requests = ask.array("StandardsSubscriptionRequests");
    if requests.is_empty() || requests.len() > MOST {
        return Err(ask.invalid(format!("Between 1 and {MOST} standards can be enabled at once")));
    }
    let arns: Vec<&str> = requests.iter().map(|request| member(request, "StandardsArn")).collect();
    let exists = |arn: &str| arn == OLDEST || STANDARDS.iter().any(|name| standard_arn(ask, name) == arn);
    if let Some(arn) = arns.iter().find(|arn| !exists(arn)) {
        return Err(ask.invalid(format!("StandardsArn {arn} is not a valid standards ARN")));
    }
    let hub = hub(world, ask)?;
    let mut shown = Vec::new();
    for arn in arns {
        // It is assessed from then on; for a while it is said to be pending.
        hub.standards.entry(arn.to_owned()).or_insert_with(|| "READY".to_owned());
        shown.push(subscription(ask, arn, "PENDING"));
    }
    Ok(json!({"StandardsSubscriptions": shown}))
}

fn deregister(world: &mut World, ask: &Ask) -> Answered {
    let hub = hub(world, ask)?;
    let mut shown = Vec::new();
    for wanted in ask.array("StandardsSubscriptionArns").iter().filter_map(Value::as_str) {
        let found = hub.standards.keys().find(|arn| subscription_arn(ask, arn) == wanted).cloned();
        if let Some(arn) = found {
            hub.standards.remove(&arn);
            shown.push(subscription(ask, &arn, "DELETING"));
        }
    }
    Ok(json!({"StandardsSubscriptions": shown}))
}
