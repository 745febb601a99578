//! GuardDuty: one region's detector.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::Answered;
use crate::ask::{Ask, member};
use crate::gate;
use crate::page::{GUARDDUTY, page};
use crate::refusal::Refusal;
use crate::world::{Detector, Region, World};

/// What every detector watches; it can't be switched off.
const FOUNDATION: [&str; 3] = ["CLOUD_TRAIL", "DNS_LOGS", "FLOW_LOGS"];

/// The features, and whether CreateDetector switches them on where nobody says otherwise.
///
/// Source: GuardDuty API reference, CreateDetector: all optional features but RUNTIME_MONITORING, of which EKS_RUNTIME_MONITORING is
/// the older part. What the last two do is not said there.
const FEATURES: [(&str, bool); 9] = [
    ("S3_DATA_EVENTS", true),
    ("EKS_AUDIT_LOGS", true),
    ("EBS_MALWARE_PROTECTION", true),
    ("RDS_LOGIN_EVENTS", true),
    ("LAMBDA_NETWORK_LOGS", true),
    ("EKS_RUNTIME_MONITORING", false),
    ("RUNTIME_MONITORING", false),
    ("AI_PROTECTION", false),
    ("AI_ANALYST", false),
];

pub(super) fn answer(world: &mut World, ask: &Ask) -> Answered {
    match ask.operation.as_str() {
        "ListDetectors" => {
            let ids: Vec<Value> =
                region(world, ask)?.detector.iter().map(|detector| json!(detector.id)).collect();
            page(world, ask, GUARDDUTY, "detectorIds", ids.into_iter()).map(Value::Object)
        }
        "GetDetector" => Ok(shown(the_one(world, ask)?, ask)),
        "CreateDetector" => create(world, ask),
        "UpdateDetector" => update(world, ask),
        "DeleteDetector" => {
            the_one(world, ask)?;
            region(world, ask)?.detector = None;
            Ok(Value::Null)
        }
        _ => Err(super::unknown(Some(ask.service), &ask.operation)),
    }
}

fn region<'a>(world: &'a mut World, ask: &Ask) -> Result<&'a mut Region, Refusal> {
    let account = world.accounts.get_mut(&ask.caller.account).ok_or_else(|| gate::denial(ask))?;
    Ok(account.region(&ask.region))
}

fn rejected(why: &str) -> Refusal {
    Refusal::new("BadRequestException", format!("The request is rejected because {why}"))
}

fn the_one<'a>(world: &'a mut World, ask: &Ask) -> Result<&'a mut Detector, Refusal> {
    let id = ask.need("DetectorId")?;
    let found = region(world, ask)?.detector.as_mut().filter(|detector| detector.id == id);
    found.ok_or_else(|| rejected("the input detectorId is not owned by the current account."))
}

fn shown(detector: &Detector, ask: &Ask) -> Value {
    let status = |on: bool| if on { "ENABLED" } else { "DISABLED" };
    let at = detector.updated_at.as_second();
    let foundation = FOUNDATION.iter().map(|name| (*name, true));
    let optional = detector.features.iter().map(|(name, on)| (name.as_str(), *on));
    let features: Vec<Value> = foundation
        .chain(optional)
        .map(|(name, on)| json!({"name": name, "status": status(on), "updatedAt": at}))
        .collect();
    json!({
        "createdAt": detector.created_at.to_string(),
        "updatedAt": detector.updated_at.to_string(),
        "findingPublishingFrequency": "SIX_HOURS",
        "serviceRole": format!(
            "arn:aws:iam::{}:role/aws-service-role/guardduty.amazonaws.com/AWSServiceRoleForAmazonGuardDuty",
            ask.caller.account
        ),
        "status": status(detector.enabled),
        "tags": {},
        "features": features,
    })
}

/// The features that a request names, and whether they are to be on.
fn features(ask: &Ask) -> Result<BTreeMap<String, bool>, Refusal> {
    let mut asked = BTreeMap::new();
    for feature in ask.array("features") {
        let (name, status) = (member(feature, "name"), member(feature, "status"));
        if !FEATURES.iter().any(|(known, _)| *known == name) || !matches!(status, "ENABLED" | "DISABLED") {
            return Err(rejected("an invalid or out-of-range value is specified as an input parameter."));
        }
        asked.insert(name.to_owned(), status == "ENABLED");
    }
    if asked.contains_key("RUNTIME_MONITORING") && asked.contains_key("EKS_RUNTIME_MONITORING") {
        return Err(rejected("both RUNTIME_MONITORING and EKS_RUNTIME_MONITORING are specified."));
    }
    Ok(asked)
}

fn create(world: &mut World, ask: &Ask) -> Answered {
    let enabled = ask.flag("enable").ok_or_else(|| rejected("the parameter enable is required."))?;
    let asked = features(ask)?;
    if region(world, ask)?.detector.is_some() {
        return Err(rejected("a detector already exists for the current account."));
    }
    let id = world.next_id("", 32);
    let mut on: BTreeMap<String, bool> =
        FEATURES.iter().map(|(name, on)| ((*name).to_owned(), *on)).collect();
    on.extend(asked);
    let detector = Detector {
        id: id.clone(),
        enabled,
        features: on,
        administrator: None,
        created_at: ask.now,
        updated_at: ask.now,
    };
    region(world, ask)?.detector = Some(detector);
    Ok(json!({"detectorId": id}))
}

fn update(world: &mut World, ask: &Ask) -> Answered {
    let asked = features(ask)?;
    let detector = the_one(world, ask)?;
    if detector.administrator.is_some() {
        return Err(rejected("the current account is a member account and can't change this setting."));
    }
    if let Some(enabled) = ask.flag("enable") {
        detector.enabled = enabled;
    }
    detector.features.extend(asked);
    detector.updated_at = ask.now;
    Ok(Value::Null)
}
