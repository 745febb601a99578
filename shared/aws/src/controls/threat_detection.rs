//! `threat-detection` on AWS: GuardDuty's detector in each governed region.
//!
//! A detector that an administrator account manages is as good as one's own, as long as it is enabled with what is asked. Features
//! that others switched on stay on.

use std::collections::BTreeMap;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use landfall_engine::cloud::{Made, Sighting};
use landfall_engine::control::{Compare, Control, Permissions};
use landfall_model::catalog::ControlKind;
use landfall_model::catalog::threat_detection::Settings;
use landfall_model::desired::Desired;
use landfall_model::judgement::Verdict;
use landfall_model::observed::{Address, Seen};
use landfall_model::plan::{Change, Deed};

use super::{Aws, each_region, json, nothing, seen};
use crate::client::protocol::Reply;
use crate::client::service::GUARDDUTY;
use crate::error::{CallError, Misread};
use crate::session::{Reader, Session, Writer};

/// Regions that GuardDuty is not in: no answer comes from there, and that alone would read as "could not look".
///
/// Source: botocore 1.44.5, `endpoints.json`: the regions of a partition that `guardduty` does not list.
const WITHOUT: [&str; 1] = ["us-isob-west-1"];

/// What every detector watches; it can't be switched off.
const FOUNDATION: [&str; 3] = ["CLOUD_TRAIL", "DNS_LOGS", "FLOW_LOGS"];

const ENABLED: &str = "ENABLED";

pub(super) struct ThreatDetection;

/// The region's detector, in AWS's own names; its features by name, with their status.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Detector {
    detector_id: String,
    status: String,
    features: BTreeMap<String, String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Page {
    #[serde(default)]
    detector_ids: Vec<String>,
    #[serde(default)]
    next_token: Option<String>,
}

#[derive(Deserialize)]
struct Answer {
    status: String,
    #[serde(default)]
    features: Vec<Feature>,
}

#[derive(Deserialize)]
struct Feature {
    name: String,
    #[serde(default)]
    status: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Created {
    detector_id: String,
}

impl Detector {
    fn of(detector_id: &str, answer: Answer) -> Self {
        let features = answer.features.into_iter().map(|feature| (feature.name, feature.status)).collect();
        Detector { detector_id: detector_id.to_owned(), status: answer.status, features }
    }

    /// Whether a feature is on. Runtime Monitoring watches what EKS Runtime Monitoring does, and AWS allows one of the two.
    fn has(&self, feature: &str) -> bool {
        let on = |name: &str| self.features.get(name).is_some_and(|status| status == ENABLED);
        on(feature) || feature == "EKS_RUNTIME_MONITORING" && on("RUNTIME_MONITORING")
    }
}

/// Features as the API takes them.
fn listed<'a>(features: impl Iterator<Item = &'a String>, status: &str) -> Vec<Value> {
    features.map(|name| json!({"name": name, "status": status})).collect()
}

#[async_trait]
impl Control for ThreatDetection {
    const KIND: ControlKind = ControlKind::ThreatDetection;
    /// The first detector of an account brings GuardDuty's own role with it, and Malware Protection brings another.
    const PERMISSIONS: Permissions = Permissions {
        read: &["guardduty:GetDetector", "guardduty:ListDetectors"],
        write: &["guardduty:CreateDetector", "guardduty:UpdateDetector", "iam:CreateServiceLinkedRole"],
    };

    type On = Aws;
    type Want = Settings;

    fn addresses(&self, _: &Settings, desired: &Desired) -> Vec<Address> {
        each_region(Self::KIND, desired, "detector")
    }

    async fn look(&self, reader: &Reader, _: &Desired, address: &Address) -> Result<Sighting, CallError> {
        let session = &reader.0;
        let region = session.region(address.region.as_ref());
        if WITHOUT.contains(&region) {
            let seen = Seen::NotOffered(format!("GuardDuty is not in `{region}`"));
            return Ok(Sighting { seen, request: None });
        }
        match the_one(session, region).await? {
            (reply, None) => Ok(nothing(&reply)),
            (_, Some(id)) => {
                let (reply, detector) = read(session, region, &id).await?;
                Ok(seen(&reply, &detector))
            }
        }
    }

    async fn write(&self, writer: &Writer, change: &Change, _: &Made) -> Result<Value, CallError> {
        let session = &writer.0;
        let region = session.region(change.address.region.as_ref());
        let after = change.after.clone().unwrap_or_default();
        let features: BTreeMap<String, String> = after
            .get("features")
            .and_then(|all| serde_json::from_value(all.clone()).ok())
            .unwrap_or_default();
        let asked = listed(features.keys(), ENABLED);
        match after.get("detectorId").and_then(Value::as_str) {
            Some(id) => update(session, region, id, json!({"enable": true, "features": asked})).await?,
            None => create(session, region, &features, json!({"enable": true, "features": asked})).await?,
        }
        Ok(Value::Null)
    }
}

/// The id of the region's detector; AWS allows one.
async fn the_one(session: &Session, region: &str) -> Result<(Reply, Option<String>), CallError> {
    let mut last: Option<String> = None;
    loop {
        let path = match &last {
            None => "/detector".to_owned(),
            Some(token) => format!("/detector?nextToken={}", encoded(token)),
        };
        let method = http::Method::GET;
        let reply = session.tenant.rest(&GUARDDUTY, region, "ListDetectors", method, &path, "").await?;
        let Page { detector_ids, next_token } = reply.json()?;
        if let Some(id) = detector_ids.into_iter().next() {
            return Ok((reply, Some(id)));
        }
        match next_token.filter(|token| !token.is_empty()) {
            None => return Ok((reply, None)),
            Some(token) if last.as_ref() == Some(&token) => return Err(reply.unreadable(Misread::SamePage)),
            Some(token) => last = Some(token),
        }
    }
}

fn encoded(text: &str) -> String {
    form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

async fn read(session: &Session, region: &str, id: &str) -> Result<(Reply, Detector), CallError> {
    let path = format!("/detector/{}", encoded(id));
    let reply = session.tenant.rest(&GUARDDUTY, region, "GetDetector", http::Method::GET, &path, "").await?;
    let answer: Answer = reply.json()?;
    Ok((reply, Detector::of(id, answer)))
}

async fn update(session: &Session, region: &str, id: &str, body: Value) -> Result<(), CallError> {
    let (method, path) = (http::Method::POST, format!("/detector/{}", encoded(id)));
    let answer =
        session.tenant.rest(&GUARDDUTY, region, "UpdateDetector", method, &path, body.to_string()).await;
    answer.map(|_| ()).map_err(|error| match error.code() {
        // A member's features belong to its administrator; the refusal does not say so by a code of its own.
        Some("BadRequestException") => CallError::Explained {
            why: "GuardDuty did not take the change; where an administrator account manages this detector, it is made \
                  there"
                .to_owned(),
            source: Box::new(error),
        },
        _ => error,
    })
}

/// Makes a detector with what is asked. AWS switches most other features on with it, each of which costs money: those go off again.
async fn create(
    session: &Session,
    region: &str,
    asked: &BTreeMap<String, String>,
    body: Value,
) -> Result<(), CallError> {
    let method = http::Method::POST;
    let made =
        session.tenant.rest(&GUARDDUTY, region, "CreateDetector", method, "/detector", body.to_string());
    let Created { detector_id } = match made.await {
        Ok(reply) => reply.json()?,
        // Somebody else's, made since: its features are not ours to take away.
        Err(CallError::Api { code, message, .. })
            if code == "BadRequestException" && message.contains("already exists") =>
        {
            return Ok(());
        }
        Err(error) => return Err(error),
    };
    let (_, detector) = read(session, region, &detector_id).await?;
    let unasked: Vec<&String> = detector
        .features
        .iter()
        .filter(|(name, status)| *status == ENABLED && !asked.contains_key(*name))
        .map(|(name, _)| name)
        .filter(|name| !FOUNDATION.contains(&name.as_str()))
        .collect();
    if unasked.is_empty() {
        return Ok(());
    }
    let body = json!({"features": listed(unasked.into_iter(), "DISABLED")});
    update(session, region, &detector_id, body).await
}

impl Compare for ThreatDetection {
    type There = Detector;

    fn compare(&self, want: &Settings, _: &Desired, address: &Address, there: Option<Detector>) -> Verdict {
        let on = |features: &[&String]| -> BTreeMap<String, String> {
            features.iter().map(|name| ((*name).clone(), ENABLED.to_owned())).collect()
        };
        let Some(detector) = there else {
            let all: Vec<&String> = want.aws.iter().collect();
            let after = json!({"status": ENABLED, "features": on(&all)});
            let reason = "GuardDuty is not on";
            return Verdict::fails(Change::new(address, "create", Deed::Create, reason).after(after));
        };
        let off: Vec<&String> = want.aws.iter().filter(|feature| !detector.has(feature)).collect();
        let mut wrong = Vec::new();
        if detector.status != ENABLED {
            wrong.push("GuardDuty is suspended".to_owned());
        }
        if !off.is_empty() {
            let names: Vec<String> = off.iter().map(|name| format!("`{name}`")).collect();
            wrong.push(format!("GuardDuty runs without {}", names.join(", ")));
        }
        if wrong.is_empty() {
            return Verdict::Holds;
        }
        let after =
            Detector { detector_id: detector.detector_id, status: ENABLED.to_owned(), features: on(&off) };
        Verdict::fails(Change::new(address, "update", Deed::Update, wrong.join(", and ")).after(json(&after)))
    }
}

#[cfg(test)]
mod tests {
    use landfall_model::desired::Standing;

    use super::super::scenario::{addresses, said};
    use super::*;

    const AT: &str = "threat-detection@eu-west-1/detector";

    fn want(features: &[&str]) -> Value {
        json!({"aws": features, "azure": [], "gcp": []})
    }

    fn detector(status: &str, features: &[(&str, &str)]) -> Value {
        let features: Vec<Value> = features
            .iter()
            .map(|(name, status)| json!({"name": name, "status": status, "updatedAt": 1.5}))
            .collect();
        let answer = json!({"status": status, "serviceRole": "r", "features": features});
        super::super::json(&Detector::of("12ab", serde_json::from_value(answer).unwrap()))
    }

    #[test]
    fn each_governed_region_has_its_detector() {
        let expected = ["threat-detection@eu-central-1/detector", AT];
        assert_eq!(addresses(&ThreatDetection, want(&[])), expected);
    }

    #[test]
    fn what_is_asked_is_switched_on_and_the_rest_is_left() {
        let s3_on = [("S3_DATA_EVENTS", "ENABLED"), ("EKS_AUDIT_LOGS", "DISABLED"), ("DNS_LOGS", "ENABLED")];
        let both = &["EKS_AUDIT_LOGS", "S3_DATA_EVENTS"][..];
        let table = [
            (&[][..], Seen::Present(detector("ENABLED", &[])), "holds"),
            (&["S3_DATA_EVENTS"][..], Seen::Present(detector("ENABLED", &s3_on)), "holds"),
            (&[][..], Seen::Present(detector("ENABLED", &s3_on)), "holds"),
            (
                &["EKS_RUNTIME_MONITORING"][..],
                Seen::Present(detector("ENABLED", &[("RUNTIME_MONITORING", "ENABLED")])),
                "holds",
            ),
            (
                both,
                Seen::Present(detector("ENABLED", &s3_on)),
                "fails: GuardDuty runs without `EKS_AUDIT_LOGS`\n\
                 ~ update {\"detectorId\":\"12ab\",\"features\":{\"EKS_AUDIT_LOGS\":\"ENABLED\"},\"status\":\"ENABLED\"}",
            ),
            (
                &["S3_DATA_EVENTS"][..],
                Seen::Present(detector("DISABLED", &s3_on)),
                "fails: GuardDuty is suspended\n\
                 ~ update {\"detectorId\":\"12ab\",\"features\":{},\"status\":\"ENABLED\"}",
            ),
            (
                both,
                Seen::Absent,
                "fails: GuardDuty is not on\n\
                 + create {\"features\":{\"EKS_AUDIT_LOGS\":\"ENABLED\",\"S3_DATA_EVENTS\":\"ENABLED\"},\
                 \"status\":\"ENABLED\"}",
            ),
            (both, Seen::NotOffered("nowhere".to_owned()), "not applicable: nowhere"),
            (both, Seen::Unreadable("denied".to_owned()), "unknown: denied"),
        ];
        for (features, seen, expected) in table {
            let said = said(&ThreatDetection, want(features), Standing::Adopted, &[(AT, seen)]);
            assert_eq!(said, [expected]);
        }
    }
}
