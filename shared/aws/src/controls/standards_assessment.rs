//! `standards-assessment` on AWS: Security Hub's standards in each governed region.
//!
//! A standard has one name everywhere and another ARN in each region; here it goes by its name. Standards that others switched on stay
//! on, and what AWS would switch on with Security Hub itself is not.

use std::collections::BTreeMap;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use landfall_engine::cloud::{Made, Sighting};
use landfall_engine::control::{Compare, Control, Permissions};
use landfall_model::catalog::ControlKind;
use landfall_model::catalog::standards_assessment::Settings;
use landfall_model::desired::Desired;
use landfall_model::judgement::{Judgement, Verdict};
use landfall_model::observed::Address;
use landfall_model::plan::{Change, Deed};

use super::{Aws, absent, done, each_region, json, reported, seen, unasked};
use crate::client::protocol::Reply;
use crate::client::service::SECURITY_HUB;
use crate::endpoint::Partition;
use crate::error::{CallError, Misread};
use crate::session::{Reader, Session, Writer};

/// What its ARN has before the name of a standard: the oldest is of no region.
const STANDARD: &str = "standards/";
const RULESET: &str = "ruleset/";
/// The one standard whose ARN names a rule set, and no region.
///
/// Source: AWS Security Hub API reference, BatchEnableStandards; botocore 1.44.5.
const OLDEST: &str = "cis-aws-foundations-benchmark/v/1.2.0";

/// What a request may switch on at once, and the size of a page: the API's own limits.
const MOST: usize = 25;
const PAGE: u32 = 100;

pub(super) struct StandardsAssessment;

/// The standards that the region's Security Hub assesses, by name.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Hub {
    standards: BTreeMap<String, Standing>,
}

/// What became of a standard, in AWS's own names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Standing {
    status: Status,
    /// Why it is not what it should be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
enum Status {
    /// It is being switched on, or AWS adds something to it.
    Pending,
    Ready,
    /// It is on, and some of it can't be assessed.
    Incomplete,
    Deleting,
    Failed,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Page {
    #[serde(default)]
    standards_subscriptions: Vec<Subscription>,
    #[serde(default)]
    next_token: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Subscription {
    standards_arn: String,
    standards_status: Status,
    #[serde(default)]
    standards_status_reason: Option<Reason>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Reason {
    status_reason_code: String,
}

/// The name of a standard that may be written as an ARN.
fn name(standard: &str) -> &str {
    let after = |word: &str| standard.split_once(word).map(|(_, name)| name);
    after(STANDARD).or_else(|| after(RULESET)).unwrap_or(standard)
}

fn arn(name: &str, region: &str) -> String {
    let partition = Partition::of_region(region).id;
    match name {
        OLDEST => format!("arn:{partition}:securityhub:::{RULESET}{name}"),
        _ => format!("arn:{partition}:securityhub:{region}::{STANDARD}{name}"),
    }
}

#[async_trait]
impl Control for StandardsAssessment {
    const KIND: ControlKind = ControlKind::StandardsAssessment;
    /// The first hub of an account brings Security Hub's own role with it.
    const PERMISSIONS: Permissions = Permissions {
        read: &["securityhub:GetEnabledStandards"],
        write: &[
            "iam:CreateServiceLinkedRole",
            "securityhub:BatchEnableStandards",
            "securityhub:EnableSecurityHub",
        ],
    };

    type On = Aws;
    type Want = Settings;

    fn addresses(&self, want: &Settings, desired: &Desired) -> Vec<Address> {
        if want.aws.is_empty() { Vec::new() } else { each_region(Self::KIND, desired, "standards") }
    }

    async fn look(&self, reader: &Reader, _: &Desired, address: &Address) -> Result<Sighting, CallError> {
        let session = &reader.0;
        match read(session, session.region(address.region.as_ref())).await {
            Ok((reply, hub)) => Ok(seen(&reply, &hub)),
            Err(error) if is_off(&error) => Ok(absent(&error)),
            Err(error) => Err(error),
        }
    }

    async fn write(&self, writer: &Writer, change: &Change, _: &Made) -> Result<Value, CallError> {
        let session = &writer.0;
        let region = session.region(change.address.region.as_ref());
        if change.deed == Deed::Create {
            let body = json!({"EnableDefaultStandards": false});
            done(
                post(session, region, "EnableSecurityHub", "/accounts", &body).await,
                &["ResourceConflictException"],
            )?;
        }
        let after = change.after.clone().and_then(|after| serde_json::from_value(after).ok());
        let Hub { standards } = after.unwrap_or_default();
        let requests: Vec<Value> =
            standards.keys().map(|name| json!({"StandardsArn": arn(name, region)})).collect();
        for some in requests.chunks(MOST) {
            let body = json!({"StandardsSubscriptionRequests": some});
            post(session, region, "BatchEnableStandards", "/standards/register", &body).await?;
        }
        Ok(Value::Null)
    }
}

/// Security Hub says so by the code that it has for a denial as well.
fn is_off(error: &CallError) -> bool {
    matches!(error, CallError::Api { code, message, .. }
        if code == "InvalidAccessException" && message.contains("not subscribed"))
}

async fn post(
    session: &Session,
    region: &str,
    operation: &'static str,
    path: &str,
    body: &Value,
) -> Result<Reply, CallError> {
    let method = http::Method::POST;
    session.tenant.rest(&SECURITY_HUB, region, operation, method, path, body.to_string()).await
}

async fn read(session: &Session, region: &str) -> Result<(Reply, Hub), CallError> {
    let mut hub = Hub::default();
    let mut last: Option<String> = None;
    loop {
        let mut body = json!({"MaxResults": PAGE});
        if let (Some(token), Some(body)) = (&last, body.as_object_mut()) {
            body.insert("NextToken".to_owned(), json!(token));
        }
        let reply = post(session, region, "GetEnabledStandards", "/standards/get", &body).await?;
        let Page { standards_subscriptions, next_token } = reply.json()?;
        for one in standards_subscriptions {
            let reason = one.standards_status_reason.map(|reason| reason.status_reason_code);
            let standing = Standing { status: one.standards_status, reason };
            hub.standards.insert(name(&one.standards_arn).to_owned(), standing);
        }
        match next_token.filter(|token| !token.is_empty()) {
            None => return Ok((reply, hub)),
            Some(token) if last.as_ref() == Some(&token) => return Err(reply.unreadable(Misread::SamePage)),
            Some(token) => last = Some(token),
        }
    }
}

impl Compare for StandardsAssessment {
    type There = Hub;

    fn compare(&self, want: &Settings, _: &Desired, address: &Address, there: Option<Hub>) -> Verdict {
        let wanted = || want.aws.iter().map(|standard| name(standard));
        let on = |names: &mut dyn Iterator<Item = &str>| {
            let ready = || Standing { status: Status::Ready, reason: None };
            json(&Hub { standards: names.map(|name| (name.to_owned(), ready())).collect() })
        };
        let Some(hub) = there else {
            let after = on(&mut wanted());
            let reason = "Security Hub is not on";
            return Verdict::fails(Change::new(address, "enable", Deed::Create, reason).after(after));
        };
        let (mut off, mut wrong, mut going) = (Vec::new(), Vec::new(), Vec::new());
        for name in wanted() {
            match hub.standards.get(name) {
                None => off.push(name),
                Some(Standing { status: Status::Ready | Status::Pending, .. }) => {}
                Some(Standing { status: Status::Deleting, .. }) => going.push(name),
                Some(Standing { status: Status::Incomplete | Status::Failed, reason }) => {
                    let reason = reason.as_deref().unwrap_or("no reason is given");
                    wrong.push(format!("Security Hub can't assess all of `{name}`: {reason}"));
                }
            }
        }
        off.sort_unstable();
        off.dedup();
        if !off.is_empty() {
            let names: Vec<String> = off.iter().map(|name| format!("`{name}`")).collect();
            wrong.push(format!("Security Hub does not assess {}", names.join(", ")));
            let change = Change::new(address, "add", Deed::Update, wrong.join(", and "));
            return Verdict::fails(change.after(on(&mut off.into_iter())));
        }
        match (wrong.is_empty(), going.first()) {
            (false, _) => reported(wrong.join(", and ")),
            // AWS refuses to switch it on until it is off.
            (true, Some(name)) => Verdict::Unknown { why: format!("`{name}` is being switched off") },
            (true, None) => Verdict::Holds,
        }
    }

    fn unasked(&self, want: &Settings) -> Option<Judgement> {
        want.aws.is_empty().then(|| unasked(Self::KIND, "standards", "no standards are named for aws"))
    }
}

#[cfg(test)]
mod tests {
    use landfall_model::desired::Standing as Life;
    use landfall_model::observed::Seen;

    use super::super::scenario::{addresses, said};
    use super::*;

    const AT: &str = "standards-assessment@eu-west-1/standards";
    const BEST: &str = "aws-foundational-security-best-practices/v/1.0.0";
    const CIS: &str = "cis-aws-foundations-benchmark/v/3.0.0";

    fn want(standards: &[&str]) -> Value {
        json!({"aws": standards, "azure": [], "gcp": []})
    }

    #[test]
    fn each_governed_region_has_its_standards() {
        let expected = ["standards-assessment@eu-central-1/standards", AT];
        assert_eq!(addresses(&StandardsAssessment, want(&[BEST])), expected);
        assert!(addresses(&StandardsAssessment, want(&[])).is_empty());
        let said = said(&StandardsAssessment, want(&[]), Life::Adopted, &[]);
        assert_eq!(said, ["not applicable: no standards are named for aws"]);
    }

    #[test]
    fn a_standard_has_one_name_and_an_arn_in_each_region() {
        for (name_of, region, expected) in [
            (
                CIS,
                "eu-west-1",
                "arn:aws:securityhub:eu-west-1::standards/cis-aws-foundations-benchmark/v/3.0.0",
            ),
            (OLDEST, "eu-west-1", "arn:aws:securityhub:::ruleset/cis-aws-foundations-benchmark/v/1.2.0"),
            (
                BEST,
                "cn-north-1",
                "arn:aws-cn:securityhub:cn-north-1::standards/aws-foundational-security-best-practices/v/1.0.0",
            ),
        ] {
            assert_eq!(arn(name_of, region), expected);
            assert_eq!(name(expected), name_of);
            assert_eq!(name(name_of), name_of);
        }
    }

    #[test]
    fn what_is_asked_is_switched_on_and_the_rest_is_left() {
        let hub = |standards: &[(&str, &str)]| {
            let all = standards.iter().map(|(name, status)| {
                let reason = (*status == "INCOMPLETE").then_some("NO_AVAILABLE_CONFIGURATION_RECORDER");
                ((*name).to_owned(), json!({"status": status, "reason": reason}))
            });
            Seen::Present(json!({"standards": Value::Object(all.collect())}))
        };
        let arn = "arn:aws:securityhub:us-east-1::standards/cis-aws-foundations-benchmark/v/3.0.0";
        let table = [
            (&[BEST][..], hub(&[(BEST, "READY"), (CIS, "FAILED")]), "holds"),
            (&[BEST, CIS], hub(&[(BEST, "READY"), (CIS, "PENDING")]), "holds"),
            (&[arn], hub(&[(CIS, "READY")]), "holds"),
            (
                &[BEST, CIS, arn],
                hub(&[(BEST, "READY")]),
                "fails: Security Hub does not assess `cis-aws-foundations-benchmark/v/3.0.0`\n\
                 ~ add {\"standards\":{\"cis-aws-foundations-benchmark/v/3.0.0\":{\"status\":\"READY\"}}}",
            ),
            (
                &[CIS],
                hub(&[(CIS, "INCOMPLETE")]),
                "fails: Security Hub can't assess all of `cis-aws-foundations-benchmark/v/3.0.0`: \
                 NO_AVAILABLE_CONFIGURATION_RECORDER",
            ),
            (
                &[CIS],
                hub(&[(CIS, "DELETING")]),
                "unknown: `cis-aws-foundations-benchmark/v/3.0.0` is being switched off",
            ),
            (
                &[CIS],
                Seen::Absent,
                "fails: Security Hub is not on\n\
                 + enable {\"standards\":{\"cis-aws-foundations-benchmark/v/3.0.0\":{\"status\":\"READY\"}}}",
            ),
            (&[CIS], Seen::Unreadable("denied".to_owned()), "unknown: denied"),
        ];
        for (standards, seen, expected) in table {
            let said = said(&StandardsAssessment, want(standards), Life::Adopted, &[(AT, seen)]);
            assert_eq!(said, [expected]);
        }
    }

    #[test]
    fn only_not_being_subscribed_means_that_it_is_off() {
        let error = |code: &str, message: &str| CallError::Api {
            service: "securityhub",
            operation: "GetEnabledStandards",
            status: 401,
            code: code.to_owned(),
            message: message.to_owned(),
            request_id: None,
        };
        assert!(is_off(&error("InvalidAccessException", "Account 1 is not subscribed to AWS Security Hub")));
        assert!(!is_off(&error("InvalidAccessException", "The account has no permission")));
        assert!(!is_off(&error("AccessDeniedException", "not subscribed")));
    }
}
