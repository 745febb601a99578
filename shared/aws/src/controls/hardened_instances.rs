//! `hardened-instances` on AWS: the account's defaults for the instance metadata service in each governed region, row A11.

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use landfall_engine::cloud::{Made, Sighting};
use landfall_engine::control::{Compare, Control, Permissions};
use landfall_model::catalog::ControlKind;
use landfall_model::catalog::hardened_instances::Settings;
use landfall_model::desired::Desired;
use landfall_model::judgement::Verdict;
use landfall_model::observed::Address;
use landfall_model::plan::{Change, Deed};

use super::{Aws, each_region, ec2, json};
use crate::error::CallError;
use crate::session::{Reader, Writer};

const REQUIRED: &str = "required";

pub(super) struct HardenedInstances;

#[derive(Deserialize)]
struct Answer {
    /// Empty where the account prefers nothing.
    #[serde(rename = "accountLevel")]
    account_level: Defaults,
}

/// What stands in the evidence is the account's level alone.
impl Serialize for Answer {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.account_level.serialize(serializer)
    }
}

/// The defaults of one region, in AWS's own names, which the write takes as well; what is absent is no preference.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Defaults {
    #[serde(alias = "httpTokens", default, skip_serializing_if = "Option::is_none")]
    http_tokens: Option<String>,
    #[serde(alias = "httpPutResponseHopLimit", default, skip_serializing_if = "Option::is_none")]
    http_put_response_hop_limit: Option<i64>,
    #[serde(alias = "httpEndpoint", default, skip_serializing_if = "Option::is_none")]
    http_endpoint: Option<String>,
    #[serde(alias = "instanceMetadataTags", default, skip_serializing_if = "Option::is_none")]
    instance_metadata_tags: Option<String>,
    #[serde(alias = "httpTokensEnforced", default, skip_serializing_if = "Option::is_none")]
    http_tokens_enforced: Option<String>,
    #[serde(alias = "managedBy", default, skip_serializing_if = "Option::is_none")]
    managed_by: Option<String>,
}

impl Defaults {
    /// The two that are asked, as strong as asked and nowhere weaker than they are. What is not named in a write stays.
    fn tightened(&self, want: &Settings) -> Defaults {
        let Settings { require_tokens, hop_limit } = want;
        let asked = i64::from(*hop_limit);
        Defaults {
            http_tokens: match require_tokens {
                true => Some(REQUIRED.to_owned()),
                false => self.http_tokens.clone(),
            },
            // Without a preference, which AWS writes as -1, a launch gets 1 hop, or 2 where its image says so. Asking for 2 or more
            // would only raise it.
            http_put_response_hop_limit: match self.http_put_response_hop_limit {
                Some(hops) if hops > 0 => Some(hops.min(asked)),
                Some(_) | None if asked >= 2 => self.http_put_response_hop_limit,
                Some(_) | None => Some(asked),
            },
            ..Defaults::default()
        }
    }

    fn shows(&self, asked: &Defaults) -> bool {
        self.http_tokens == asked.http_tokens
            && self.http_put_response_hop_limit == asked.http_put_response_hop_limit
    }
}

#[async_trait]
impl Control for HardenedInstances {
    const KIND: ControlKind = ControlKind::HardenedInstances;
    const PERMISSIONS: Permissions = Permissions {
        read: &["ec2:GetInstanceMetadataDefaults"],
        write: &["ec2:ModifyInstanceMetadataDefaults"],
    };

    type On = Aws;
    type Want = Settings;

    fn addresses(&self, _: &Settings, desired: &Desired) -> Vec<Address> {
        each_region(Self::KIND, desired, "metadata")
    }

    async fn look(&self, reader: &Reader, _: &Desired, address: &Address) -> Result<Sighting, CallError> {
        ec2::setting::<Answer>(&reader.0, address, "GetInstanceMetadataDefaults").await
    }

    async fn write(&self, writer: &Writer, change: &Change, _: &Made) -> Result<Value, CallError> {
        ec2::put(&writer.0, change, "ModifyInstanceMetadataDefaults").await
    }
}

impl Compare for HardenedInstances {
    type There = Defaults;

    fn compare(&self, want: &Settings, _: &Desired, address: &Address, there: Option<Defaults>) -> Verdict {
        let defaults = there.unwrap_or_default();
        let asked = defaults.tightened(want);
        if defaults.shows(&asked) {
            return Verdict::Holds;
        }
        let reason = match (&asked.http_tokens, &defaults.http_tokens) {
            (asked, there) if asked != there => "new machines give credentials without a session token",
            (_, _) => "session tokens of new machines may travel further than asked",
        };
        let change = Change::new(address, "update", Deed::Update, reason).after(json(&asked));
        ec2::unless_by_policy(defaults.managed_by.as_deref(), change)
    }
}

#[cfg(test)]
mod tests {
    use landfall_model::desired::Standing;
    use landfall_model::observed::Seen;
    use serde_json::json;

    use super::super::scenario::said;
    use super::*;

    #[test]
    fn the_answer_is_read() {
        let xml = "<GetInstanceMetadataDefaultsResponse><requestId>r</requestId><accountLevel>\
            <httpTokens>required</httpTokens><httpPutResponseHopLimit>2</httpPutResponseHopLimit>\
            <managedBy>account</managedBy></accountLevel></GetInstanceMetadataDefaultsResponse>";
        let answer: Answer = quick_xml::de::from_str(xml).unwrap();
        let there = json!({"HttpTokens": "required", "HttpPutResponseHopLimit": 2, "ManagedBy": "account"});
        assert_eq!(super::super::json(&answer), there);
        let nothing: Answer = quick_xml::de::from_str("<R><accountLevel/></R>").unwrap();
        assert_eq!(super::super::json(&nothing), json!({}));
        assert!(quick_xml::de::from_str::<Answer>("<R/>").is_err());
    }

    #[test]
    fn the_defaults_are_tightened_and_never_weakened() {
        let open = "fails: new machines give credentials without a session token\n~ update ";
        let far = "fails: session tokens of new machines may travel further than asked\n~ update ";
        let both = "{\"HttpPutResponseHopLimit\":2,\"HttpTokens\":\"required\"}";
        let table = [
            (true, json!({"HttpTokens": "required", "HttpPutResponseHopLimit": 2}), "holds".to_owned()),
            (true, json!({"HttpTokens": "required", "HttpPutResponseHopLimit": 1}), "holds".to_owned()),
            (false, json!({"HttpTokens": "required", "HttpPutResponseHopLimit": 2}), "holds".to_owned()),
            (false, json!({"HttpPutResponseHopLimit": 2}), "holds".to_owned()),
            // No preference is 1 hop, or 2 where the image says so: asking for 2 would only raise it.
            (true, json!({}), format!("{open}{{\"HttpTokens\":\"required\"}}")),
            (true, json!({"HttpTokens": "optional", "HttpPutResponseHopLimit": 2}), format!("{open}{both}")),
            (
                true,
                json!({"HttpTokens": "optional", "HttpPutResponseHopLimit": 1}),
                format!("{open}{{\"HttpPutResponseHopLimit\":1,\"HttpTokens\":\"required\"}}"),
            ),
            (true, json!({"HttpTokens": "required", "HttpPutResponseHopLimit": 3}), format!("{far}{both}")),
            (true, json!({"HttpTokens": "required"}), "holds".to_owned()),
            (true, json!({"HttpTokens": "required", "HttpPutResponseHopLimit": -1}), "holds".to_owned()),
        ];
        for (require_tokens, there, expected) in table {
            let saw = [("hardened-instances@eu-west-1/metadata", Seen::Present(there.clone()))];
            let want = json!({"require-tokens": require_tokens, "hop-limit": 2});
            assert_eq!(said(&HardenedInstances, want, Standing::Adopted, &saw), [expected], "{there}");
        }
    }

    #[test]
    fn what_a_declarative_policy_holds_is_not_written() {
        let there = json!({"HttpTokens": "optional", "ManagedBy": "declarative-policy"});
        let saw = [("hardened-instances@eu-west-1/metadata", Seen::Present(there))];
        let want = json!({"require-tokens": true, "hop-limit": 2});
        let said = said(&HardenedInstances, want, Standing::Adopted, &saw);
        assert!(said[0].ends_with("by a declarative policy of the organization, which has to be changed"));
    }
}
