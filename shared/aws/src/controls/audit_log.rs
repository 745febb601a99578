//! `audit-log` on AWS: CloudTrail's trail of the organization.
//!
//! It is made once, in the management account, by the organization's own target. A tenant shows it as a shadow that nobody in the
//! tenant can change, so there it is only looked at. A trail of others is never changed; one that does all that is asked will do.

use std::collections::BTreeMap;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use landfall_engine::cloud::{Made, Sighting};
use landfall_engine::control::{Compare, Control, Permissions};
use landfall_model::catalog::ControlKind;
use landfall_model::catalog::audit_log::Settings;
use landfall_model::desired::Desired;
use landfall_model::judgement::Verdict;
use landfall_model::observed::Address;
use landfall_model::plan::{Change, Deed};

use super::{Aws, done, ground, json, nothing, reported, seen};
use crate::client::service::CLOUDTRAIL;
use crate::endpoint::Partition;
use crate::error::CallError;
use crate::session::{Reader, Session, Writer};

/// The trail that is ours.
const NAME: &str = "landfall-audit";

pub(super) struct AuditLog;

/// A trail, in AWS's own names, and whether it logs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Trail {
    name: String,
    #[serde(default)]
    home_region: String,
    #[serde(default)]
    s3_bucket_name: String,
    #[serde(default)]
    is_multi_region_trail: bool,
    #[serde(default)]
    is_organization_trail: bool,
    #[serde(default)]
    log_file_validation_enabled: bool,
    /// GetTrailStatus says it.
    #[serde(default)]
    is_logging: bool,
}

/// Trails by their ARN: those of the organization, and ours, whatever became of it.
pub(super) type Trails = BTreeMap<String, Trail>;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Described {
    #[serde(default)]
    trail_list: Vec<DescribedTrail>,
}

#[derive(Deserialize)]
struct DescribedTrail {
    #[serde(rename = "TrailARN")]
    arn: String,
    #[serde(flatten)]
    trail: Trail,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Status {
    #[serde(default)]
    is_logging: bool,
}

impl Trail {
    /// As it has to be made.
    fn asked(home_region: &str, bucket: &str) -> Self {
        Trail {
            name: NAME.to_owned(),
            home_region: home_region.to_owned(),
            s3_bucket_name: bucket.to_owned(),
            is_multi_region_trail: true,
            is_organization_trail: true,
            log_file_validation_enabled: true,
            is_logging: true,
        }
    }

    /// Whether it writes down what is done everywhere in every account, to the bucket where one is named.
    fn serves(&self, bucket: Option<&str>) -> bool {
        self.is_organization_trail
            && self.is_multi_region_trail
            && self.is_logging
            && bucket.is_none_or(|bucket| bucket == self.s3_bucket_name)
    }

    /// What it does not do, for people.
    fn lacks(&self, asked: &Trail) -> String {
        let mut wrong = Vec::new();
        let mut unless = |right: bool, what: &str| {
            if !right {
                wrong.push(what.to_owned());
            }
        };
        unless(self.is_organization_trail, "is not the organization's");
        unless(self.is_multi_region_trail, "is of one region");
        unless(self.log_file_validation_enabled, "has no log file validation");
        unless(self.is_logging, "does not log");
        if self.s3_bucket_name != asked.s3_bucket_name {
            wrong.push(format!("writes to `{}`", self.s3_bucket_name));
        }
        format!("the trail `{}` {}", self.name, wrong.join(", "))
    }
}

#[async_trait]
impl Control for AuditLog {
    const KIND: ControlKind = ControlKind::AuditLog;
    /// A trail of the organization is made with what CloudTrail itself asks Organizations and IAM for in the caller's name.
    const PERMISSIONS: Permissions = Permissions {
        read: &["cloudtrail:DescribeTrails", "cloudtrail:GetTrailStatus"],
        write: &[
            "cloudtrail:CreateTrail",
            "cloudtrail:StartLogging",
            "cloudtrail:UpdateTrail",
            "iam:CreateServiceLinkedRole",
            "iam:GetRole",
            "organizations:DescribeOrganization",
            "organizations:ListAWSServiceAccessForOrganization",
            "organizations:ListAccounts",
        ],
    };

    type On = Aws;
    type Want = Settings;

    fn addresses(&self, _: &Settings, _: &Desired) -> Vec<Address> {
        vec![Address::global(Self::KIND, "trail")]
    }

    async fn look(&self, reader: &Reader, _: &Desired, _: &Address) -> Result<Sighting, CallError> {
        let session = &reader.0;
        let body = json!({"includeShadowTrails": true});
        let reply = session.tenant.json(&CLOUDTRAIL, session.home(), "DescribeTrails", body).await?;
        let Described { trail_list } = reply.json()?;
        let mut trails = Trails::new();
        for DescribedTrail { arn, mut trail } in trail_list {
            if !(trail.is_organization_trail || is_ours(&trail, &arn, session)) {
                continue;
            }
            // A shadow is asked for by its ARN.
            let body = json!({"Name": arn});
            let status = session.tenant.json(&CLOUDTRAIL, session.home(), "GetTrailStatus", body).await?;
            Status { is_logging: trail.is_logging } = status.json()?;
            trails.insert(arn, trail);
        }
        Ok(if trails.is_empty() { nothing(&reply) } else { seen(&reply, &trails) })
    }

    async fn write(&self, writer: &Writer, change: &Change, _: &Made) -> Result<Value, CallError> {
        let session = &writer.0;
        let trails: Trails = change
            .after
            .as_ref()
            .and_then(|after| serde_json::from_value(after.clone()).ok())
            .unwrap_or_default();
        let Some((arn, trail)) = trails.into_iter().next() else {
            return Err(CallError::NothingToWrite(Self::KIND));
        };
        // A trail is changed where it was made.
        let region = trail.home_region.as_str();
        let settings = |name: &str| {
            json!({
                "Name": name,
                "S3BucketName": trail.s3_bucket_name,
                "IncludeGlobalServiceEvents": true,
                "IsMultiRegionTrail": true,
                "EnableLogFileValidation": true,
                "IsOrganizationTrail": true,
            })
        };
        let call = |operation, body| session.tenant.json(&CLOUDTRAIL, region, operation, body);
        match change.verb.as_str() {
            "create" => {
                let made = call("CreateTrail", settings(&trail.name)).await;
                done(made, &["TrailAlreadyExistsException"]).map_err(explained)?;
            }
            "update" => {
                call("UpdateTrail", settings(&arn)).await.map_err(explained)?;
            }
            _ => {}
        }
        // Doing it twice is no error.
        call("StartLogging", json!({"Name": arn})).await.map_err(explained)?;
        Ok(Value::Null)
    }
}

/// What has the name that Landfall gives, in the account that the trail has to be in.
fn is_ours(trail: &Trail, arn: &str, session: &Session) -> bool {
    let management = &session.ground.management_account;
    trail.name == NAME && session.account == *management && arn.contains(&format!(":{management}:"))
}

/// What a refusal asks for, where it is others' business.
fn explained(error: CallError) -> CallError {
    let why = match error.code() {
        Some("CloudTrailAccessNotEnabledException") => {
            "CloudTrail has no trusted access to the organization: add `cloudtrail.amazonaws.com` to what enabled-services \
             switches on"
        }
        Some("S3BucketDoesNotExistException") => {
            "the named bucket does not exist; the platform team makes it, in an account that tenants can't enter"
        }
        Some("InsufficientS3BucketPolicyException") => {
            "the bucket's policy does not let CloudTrail write the organization's log"
        }
        _ => return error,
    };
    CallError::Explained { why: why.to_owned(), source: Box::new(error) }
}

impl Compare for AuditLog {
    type There = Trails;

    fn compare(
        &self,
        want: &Settings,
        desired: &Desired,
        address: &Address,
        there: Option<Trails>,
    ) -> Verdict {
        let trails = there.unwrap_or_default();
        let bucket = want.aws.as_deref();
        let serving = trails.values().filter(|trail| trail.serves(bucket));
        if desired.target.tenant().is_some() {
            return if serving.count() > 0 { Verdict::Holds } else { reported(missing(&trails, bucket)) };
        }
        let Some(bucket) = bucket else {
            return if serving.count() > 0 {
                Verdict::Holds
            } else {
                reported(
                    "no trail of the organization logs in all regions: name a bucket (`with: { aws: … }`) and Landfall makes \
                     one",
                )
            };
        };
        if serving.into_iter().any(|trail| trail.log_file_validation_enabled) {
            return Verdict::Holds;
        }
        let Some(ground) = ground(desired) else {
            return Verdict::Unknown { why: "the target is not on AWS".to_owned() };
        };
        let ours = trails.iter().find(|(arn, trail)| {
            trail.name == NAME && arn.contains(&format!(":{}:", ground.management_account))
        });
        let change = match ours {
            None => {
                let home = ground.home_region.as_str();
                let partition = Partition::of_region(home).id;
                let arn =
                    format!("arn:{partition}:cloudtrail:{home}:{}:trail/{NAME}", ground.management_account);
                let reason = "no trail of the organization writes every account's log to the named bucket";
                Change::new(address, "create", Deed::Create, reason)
                    .after(json(&Trails::from([(arn, Trail::asked(home, bucket))])))
            }
            Some((arn, trail)) => {
                let asked = Trail::asked(&trail.home_region, bucket);
                let only_stopped = Trail { is_logging: true, ..trail.clone() } == asked;
                let verb = if only_stopped { "start" } else { "update" };
                let reason = trail.lacks(&asked);
                Change::new(address, verb, Deed::Update, reason)
                    .after(json(&Trails::from([(arn.clone(), asked)])))
            }
        };
        Verdict::fails(change)
    }
}

/// Why a tenant's actions are not written down, as the tenant shows it.
fn missing(trails: &Trails, bucket: Option<&str>) -> String {
    const LATER: &str = "one that was made a moment ago shows after some minutes";
    let everywhere = |trail: &&Trail| trail.is_organization_trail && trail.is_multi_region_trail;
    let Some(trail) = trails.values().find(everywhere) else {
        return format!(
            "no trail of the organization shows here ({LATER}); it is made in the management account"
        );
    };
    match bucket {
        Some(bucket) if trails.values().filter(everywhere).all(|trail| trail.s3_bucket_name != bucket) => {
            format!(
                "the organization's trail writes to `{}`, not to `{bucket}` ({LATER})",
                trail.s3_bucket_name
            )
        }
        Some(_) | None => {
            "the organization's trail does not log; the management account starts it".to_owned()
        }
    }
}

#[cfg(test)]
mod tests {
    use landfall_model::desired::Standing;
    use landfall_model::observed::Seen;

    use super::super::landscape::Landscape;
    use super::super::scenario::said;
    use super::*;

    const AT: &str = "audit-log/trail";
    const OURS: &str = "arn:aws:cloudtrail:eu-central-1:111111111111:trail/landfall-audit";
    const THEIRS: &str = "arn:aws:cloudtrail:us-east-1:111111111111:trail/theirs";

    fn want(bucket: Option<&str>) -> Value {
        bucket.map_or_else(|| json!({}), |bucket| json!({"aws": bucket}))
    }

    /// As a look keeps it, with one member changed.
    fn trail(name: &str, member: &str, value: impl Into<Value>) -> Value {
        let mut trail = super::super::json(&Trail {
            name: name.to_owned(),
            ..Trail::asked(if name == NAME { "eu-central-1" } else { "us-east-1" }, "acme-audit")
        });
        trail[member] = value.into();
        trail
    }

    fn theirs(member: &str, value: impl Into<Value>) -> Seen {
        Seen::Present(json!({THEIRS: trail("theirs", member, value)}))
    }

    fn ours(member: &str, value: impl Into<Value>) -> Seen {
        Seen::Present(json!({OURS: trail(NAME, member, value)}))
    }

    /// The organization's own target says one line.
    fn organization(bucket: Option<&str>, seen: Seen) -> String {
        let landscape = Landscape::organization().asks(AuditLog::KIND, want(bucket));
        landscape.with(AT, seen).said(&AuditLog).remove(0)
    }

    #[test]
    fn aws_s_answer_is_read_as_it_is_sent() {
        let described: Described = serde_json::from_value(json!({"trailList": [{
            "Name": "x", "S3BucketName": "b", "IncludeGlobalServiceEvents": true, "IsMultiRegionTrail": true,
            "HomeRegion": "eu-west-1", "TrailARN": THEIRS, "LogFileValidationEnabled": true,
            "HasCustomEventSelectors": false, "HasInsightSelectors": false, "IsOrganizationTrail": true,
        }]}))
        .unwrap();
        let DescribedTrail { arn, trail } = &described.trail_list[0];
        assert_eq!(arn, THEIRS);
        let expected = Trail { name: "x".to_owned(), is_logging: false, ..Trail::asked("eu-west-1", "b") };
        assert_eq!(*trail, expected);
    }

    #[test]
    fn the_organization_makes_its_trail_and_puts_it_right() {
        let created = "fails: no trail of the organization writes every account's log to the named bucket\n\
                       + baseline audit-log/trail#create";
        let table = [
            (ours("Name", NAME), "holds"),
            // Somebody else's that does everything is enough; one that lacks anything is left alone beside ours.
            (theirs("Name", "theirs"), "holds"),
            (theirs("S3BucketName", "elsewhere"), created),
            (theirs("IsMultiRegionTrail", false), created),
            (theirs("LogFileValidationEnabled", false), created),
            (theirs("IsLogging", false), created),
            (Seen::Absent, created),
            (
                ours("IsLogging", false),
                "fails: the trail `landfall-audit` does not log\n~ baseline audit-log/trail#start",
            ),
            (
                ours("S3BucketName", "elsewhere"),
                "fails: the trail `landfall-audit` writes to `elsewhere`\n~ baseline audit-log/trail#update",
            ),
            (
                ours("IsOrganizationTrail", false),
                "fails: the trail `landfall-audit` is not the organization's\n~ baseline audit-log/trail#update",
            ),
            (
                ours("LogFileValidationEnabled", false),
                "fails: the trail `landfall-audit` has no log file validation\n~ baseline audit-log/trail#update",
            ),
            (Seen::Unreadable("denied".to_owned()), "unknown: denied"),
        ];
        for (seen, expected) in table {
            let said = organization(Some("acme-audit"), seen.clone());
            assert!(said.starts_with(expected), "{seen:?}: {said}");
            if said.contains("audit-log/trail#") {
                // Ours, and nothing of theirs.
                let asked = json!({OURS: trail(NAME, "Name", NAME)}).to_string();
                assert!(said.ends_with(&asked), "{said}");
            }
        }
        let moved = json!({OURS: trail(NAME, "HomeRegion", "eu-west-1")});
        assert_eq!(organization(Some("acme-audit"), Seen::Present(moved)), "holds");
    }

    #[test]
    fn without_a_bucket_any_trail_that_logs_will_do_and_none_is_made() {
        assert_eq!(organization(None, theirs("S3BucketName", "elsewhere")), "holds");
        assert_eq!(organization(None, theirs("LogFileValidationEnabled", false)), "holds");
        for seen in [Seen::Absent, theirs("IsLogging", false), theirs("IsMultiRegionTrail", false)] {
            let said = organization(None, seen);
            assert!(said.starts_with("fails: ") && said.contains("name a bucket"), "{said}");
            assert!(!said.contains('\n'), "{said}");
        }
    }

    #[test]
    fn a_tenant_is_only_looked_at() {
        let table = [
            (Some("acme-audit"), ours("Name", NAME), "holds"),
            (Some("acme-audit"), theirs("Name", "theirs"), "holds"),
            (None, theirs("S3BucketName", "elsewhere"), "holds"),
            (
                Some("acme-audit"),
                theirs("S3BucketName", "elsewhere"),
                "fails: the organization's trail writes to `elsewhere`",
            ),
            (Some("acme-audit"), ours("IsLogging", false), "fails: the organization's trail does not log"),
            (None, ours("IsLogging", false), "fails: the organization's trail does not log"),
            (Some("acme-audit"), ours("IsMultiRegionTrail", false), "fails: no trail of the organization"),
            (None, ours("IsOrganizationTrail", false), "fails: no trail of the organization shows here"),
            (Some("acme-audit"), Seen::Absent, "fails: no trail of the organization shows here"),
        ];
        for (bucket, seen, expected) in table {
            let said = said(&AuditLog, want(bucket), Standing::New, &[(AT, seen.clone())]).remove(0);
            assert!(said.starts_with(expected) && !said.contains('\n'), "{seen:?}: {said}");
        }
    }
}
