//! `external-access-analysis` on AWS: IAM Access Analyzer, row A15.
//!
//! Resources are regional, so external access is analyzed in each governed region. Users and roles are the same everywhere, so
//! unused access is analyzed, and paid for, once, in the home region.

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use landfall_engine::cloud::{Made, Sighting};
use landfall_engine::control::{Compare, Control, Permissions};
use landfall_model::catalog::ControlKind;
use landfall_model::catalog::external_access_analysis::Settings;
use landfall_model::desired::Desired;
use landfall_model::judgement::Verdict;
use landfall_model::observed::Address;
use landfall_model::plan::{Change, Deed};

use super::{Aws, done, each_region, ground, nothing, reported, seen};
use crate::client::service::ACCESS_ANALYZER;
use crate::error::{CallError, Misread};
use crate::session::{Reader, Writer};

/// The two settings.
const EXTERNAL: &str = "external";
const UNUSED: &str = "unused";

pub(super) struct ExternalAccessAnalysis;

/// The analyzer that counts, in AWS's own names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Analyzer {
    name: String,
    #[serde(rename = "type")]
    kind: String,
    status: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    configuration: Option<Configuration>,
}

/// Only unused access has one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Configuration {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    unused_access: Option<UnusedAccess>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct UnusedAccess {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    unused_access_age: Option<u32>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Page {
    analyzers: Vec<Analyzer>,
    next_token: Option<String>,
}

impl Analyzer {
    /// AWS counts a right as unused after 90 days where nobody says.
    fn days(&self) -> u32 {
        let unused =
            self.configuration.as_ref().and_then(|configuration| configuration.unused_access.as_ref());
        unused.and_then(|unused| unused.unused_access_age).unwrap_or(90)
    }

    /// Of the right kind, whatever its name; one of the organization is as good.
    fn is(&self, resource: &str) -> bool {
        match resource {
            UNUSED => matches!(self.kind.as_str(), "ACCOUNT_UNUSED_ACCESS" | "ORGANIZATION_UNUSED_ACCESS"),
            _ => matches!(self.kind.as_str(), "ACCOUNT" | "ORGANIZATION"),
        }
    }
}

/// The one that does most: active before all others, then the one that looks for the shortest time.
fn best(analyzers: Vec<Analyzer>, resource: &str) -> Option<Analyzer> {
    analyzers
        .into_iter()
        .filter(|analyzer| analyzer.is(resource))
        .min_by_key(|analyzer| (analyzer.status != "ACTIVE", analyzer.days(), analyzer.name.clone()))
}

#[async_trait]
impl Control for ExternalAccessAnalysis {
    const KIND: ControlKind = ControlKind::ExternalAccessAnalysis;
    /// The first analyzer of an account brings Access Analyzer's own role with it.
    const PERMISSIONS: Permissions = Permissions {
        read: &["access-analyzer:ListAnalyzers"],
        write: &["access-analyzer:CreateAnalyzer", "iam:CreateServiceLinkedRole"],
    };

    type On = Aws;
    type Want = Settings;

    fn addresses(&self, want: &Settings, desired: &Desired) -> Vec<Address> {
        let mut addresses = each_region(Self::KIND, desired, EXTERNAL);
        if let Some(aws) = ground(desired).filter(|_| want.unused_access) {
            addresses.push(Address::regional(Self::KIND, &aws.home_region, UNUSED));
        }
        addresses
    }

    async fn look(&self, reader: &Reader, _: &Desired, address: &Address) -> Result<Sighting, CallError> {
        let session = &reader.0;
        let region = session.region(address.region.as_ref());
        let mut all = Vec::new();
        let mut last: Option<String> = None;
        loop {
            let path = match &last {
                None => "/analyzer".to_owned(),
                Some(token) => {
                    let token: String = form_urlencoded::byte_serialize(token.as_bytes()).collect();
                    format!("/analyzer?nextToken={token}")
                }
            };
            let method = http::Method::GET;
            let reply =
                session.tenant.rest(&ACCESS_ANALYZER, region, "ListAnalyzers", method, &path, "").await?;
            let Page { analyzers, next_token } = reply.json()?;
            all.extend(analyzers);
            match next_token.filter(|token| !token.is_empty()) {
                None => {
                    return Ok(best(all, &address.resource)
                        .map_or_else(|| nothing(&reply), |analyzer| seen(&reply, &analyzer)));
                }
                Some(token) if last.as_ref() == Some(&token) => {
                    return Err(reply.unreadable(Misread::SamePage));
                }
                Some(token) => last = Some(token),
            }
        }
    }

    async fn write(&self, writer: &Writer, change: &Change, _: &Made) -> Result<Value, CallError> {
        let session = &writer.0;
        let region = session.region(change.address.region.as_ref());
        let member = |name: &str| change.after.as_ref().and_then(|after| after.get(name)).cloned();
        let mut body = json!({"analyzerName": member("name"), "type": member("type")});
        if let (Some(configuration), Some(members)) = (member("configuration"), body.as_object_mut()) {
            members.insert("configuration".to_owned(), configuration);
        }
        let (method, body) = (http::Method::PUT, body.to_string());
        let made = session.tenant.rest(&ACCESS_ANALYZER, region, "CreateAnalyzer", method, "/analyzer", body);
        done(made.await, &["ConflictException"])?;
        Ok(Value::Null)
    }
}

impl Compare for ExternalAccessAnalysis {
    type There = Analyzer;

    fn compare(&self, want: &Settings, _: &Desired, address: &Address, there: Option<Analyzer>) -> Verdict {
        let unused = address.resource == UNUSED;
        let Some(analyzer) = there else {
            let (reason, after) = if unused {
                let configuration = json!({"unusedAccess": {"unusedAccessAge": want.unused_days}});
                (
                    "nobody looks for rights that are not used",
                    json!({
                        "name": "landfall-unused", "type": "ACCOUNT_UNUSED_ACCESS", "configuration": configuration,
                    }),
                )
            } else {
                (
                    "nobody looks for what outsiders can reach",
                    json!({"name": "landfall-external", "type": "ACCOUNT"}),
                )
            };
            return Verdict::fails(Change::new(address, "create", Deed::Create, reason).after(after));
        };
        match analyzer.status.as_str() {
            // An account has one analyzer of a kind, and its days are set when it is made.
            "ACTIVE" if unused && analyzer.days() > want.unused_days => reported(format!(
                "the analyzer `{}` counts rights as unused after {} days, {} are asked: it has to be made anew",
                analyzer.name,
                analyzer.days(),
                want.unused_days
            )),
            "ACTIVE" => Verdict::Holds,
            "CREATING" => Verdict::Unknown { why: format!("the analyzer `{}` is being made", analyzer.name) },
            status => reported(format!("the analyzer `{}` does not work: it is `{status}`", analyzer.name)),
        }
    }
}

#[cfg(test)]
mod tests {
    use landfall_model::desired::Standing;
    use landfall_model::observed::Seen;

    use super::super::scenario::{addresses, said};
    use super::*;

    fn analyzer(name: &str, kind: &str, status: &str) -> Value {
        json!({"name": name, "type": kind, "status": status, "arn": "a", "createdAt": "2026-01-01T00:00:00Z"})
    }

    #[test]
    fn unused_access_is_looked_at_in_the_home_region_and_only_if_asked() {
        let external =
            ["external-access-analysis@eu-central-1/external", "external-access-analysis@eu-west-1/external"];
        let want = json!({"unused-access": false, "unused-days": 90});
        assert_eq!(addresses(&ExternalAccessAnalysis, want), external);
        let want = json!({"unused-access": true, "unused-days": 90});
        let all = addresses(&ExternalAccessAnalysis, want);
        assert_eq!(all.last().unwrap(), "external-access-analysis@eu-central-1/unused");
        assert_eq!(all.len(), 3);
    }

    #[test]
    fn the_analyzer_that_does_most_counts() {
        let page: Page = serde_json::from_value(json!({"analyzers": [
            analyzer("unused", "ACCOUNT_UNUSED_ACCESS", "ACTIVE"),
            analyzer("broken", "ACCOUNT", "FAILED"),
            analyzer("theirs", "ORGANIZATION", "ACTIVE"),
        ]}))
        .unwrap();
        assert_eq!(best(page.analyzers.clone(), EXTERNAL).unwrap().name, "theirs");
        assert_eq!(best(page.analyzers, UNUSED).unwrap().days(), 90);
        assert_eq!(best(vec![], EXTERNAL), None);
    }

    #[test]
    fn an_analyzer_of_the_right_kind_is_enough() {
        let (external, unused) =
            ("external-access-analysis@eu-west-1/external", "external-access-analysis@eu-central-1/unused");
        let aged = |days: u32| {
            let mut analyzer = analyzer("x", "ACCOUNT_UNUSED_ACCESS", "ACTIVE");
            analyzer["configuration"] = json!({"unusedAccess": {"unusedAccessAge": days}});
            Seen::Present(analyzer)
        };
        let table = [
            (external, Seen::Present(analyzer("x", "ACCOUNT", "ACTIVE")), "holds"),
            (
                external,
                Seen::Present(analyzer("x", "ACCOUNT", "CREATING")),
                "unknown: the analyzer `x` is being made",
            ),
            (
                external,
                Seen::Present(analyzer("x", "ORGANIZATION", "DISABLED")),
                "fails: the analyzer `x` does not work: it is `DISABLED`",
            ),
            (
                external,
                Seen::Absent,
                "fails: nobody looks for what outsiders can reach\n\
                 + create {\"name\":\"landfall-external\",\"type\":\"ACCOUNT\"}",
            ),
            (unused, aged(60), "holds"),
            (
                unused,
                aged(180),
                "fails: the analyzer `x` counts rights as unused after 180 days, 60 are asked: it has to be made anew",
            ),
            (
                unused,
                Seen::Absent,
                "fails: nobody looks for rights that are not used\n\
                 + create {\"configuration\":{\"unusedAccess\":{\"unusedAccessAge\":60}},\"name\":\"landfall-unused\",\
                 \"type\":\"ACCOUNT_UNUSED_ACCESS\"}",
            ),
        ];
        for (address, seen, expected) in table {
            let want = json!({"unused-access": true, "unused-days": 60});
            let said = said(&ExternalAccessAnalysis, want, Standing::Adopted, &[(address, seen)]);
            assert_eq!(said, [expected]);
        }
    }
}
