//! `password-policy` on AWS: the account's IAM password policy, row A6.
//!
//! `UpdateAccountPasswordPolicy` has no partial update: a value that is not sent falls back to AWS's default. So everything is sent,
//! and what is there and stronger than asked is kept.

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use landfall_engine::cloud::{Made, Sighting};
use landfall_engine::control::{Compare, Control, Permissions};
use landfall_model::catalog::ControlKind;
use landfall_model::catalog::password_policy::Settings;
use landfall_model::desired::Desired;
use landfall_model::judgement::Verdict;
use landfall_model::observed::Address;
use landfall_model::plan::{Change, Deed};

use super::{Aws, absent, form, json, seen};
use crate::client::service::IAM;
use crate::error::CallError;
use crate::session::{Reader, Writer};

pub(super) struct PasswordPolicy;

/// The policy as the account has it, in AWS's own names, which the update takes as well; what AWS's answer leaves out is AWS's
/// default.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Policy {
    #[serde(default = "shortest")]
    minimum_password_length: u32,
    #[serde(default)]
    require_symbols: bool,
    #[serde(default)]
    require_numbers: bool,
    #[serde(default)]
    require_uppercase_characters: bool,
    #[serde(default)]
    require_lowercase_characters: bool,
    #[serde(default)]
    allow_users_to_change_password: bool,
    #[serde(default)]
    hard_expiry: bool,
    /// Absent or 0: passwords never expire.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    max_password_age: Option<u32>,
    /// Absent or 0: every earlier password may be used again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    password_reuse_prevention: Option<u32>,
}

/// AWS's own least.
const fn shortest() -> u32 {
    6
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Answer {
    get_account_password_policy_result: Body,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Body {
    password_policy: Policy,
}

impl Policy {
    /// What an account without a policy behaves like (IAM user guide, "Default password policy"): 8 characters of three kinds,
    /// which no single requirement expresses, so none counts as held.
    const fn none() -> Self {
        Policy {
            minimum_password_length: 8,
            require_symbols: false,
            require_numbers: false,
            require_uppercase_characters: false,
            require_lowercase_characters: false,
            allow_users_to_change_password: false,
            hard_expiry: false,
            max_password_age: None,
            password_reuse_prevention: None,
        }
    }

    /// This policy, with one word for what AWS says in two: 0 is the same as nothing.
    fn plain(mut self) -> Self {
        self.max_password_age = self.max_password_age.filter(|days| *days > 0);
        self.password_reuse_prevention = self.password_reuse_prevention.filter(|count| *count > 0);
        self
    }

    /// This policy, made as strong as asked and nowhere weaker than it is.
    fn tightened(&self, want: &Settings) -> Self {
        let Settings {
            minimum_length,
            require_symbols,
            require_numbers,
            require_uppercase,
            require_lowercase,
            reuse_prevention,
            max_age,
        } = want;
        Policy {
            minimum_password_length: self.minimum_password_length.max(*minimum_length),
            require_symbols: self.require_symbols || *require_symbols,
            require_numbers: self.require_numbers || *require_numbers,
            require_uppercase_characters: self.require_uppercase_characters || *require_uppercase,
            require_lowercase_characters: self.require_lowercase_characters || *require_lowercase,
            allow_users_to_change_password: self.allow_users_to_change_password,
            hard_expiry: self.hard_expiry,
            max_password_age: match (self.max_password_age, max_age) {
                (Some(there), Some(asked)) => Some(there.min(*asked)),
                (there, asked) => there.or(*asked),
            },
            password_reuse_prevention: self.password_reuse_prevention.max(Some(*reuse_prevention)),
        }
    }
}

#[async_trait]
impl Control for PasswordPolicy {
    const KIND: ControlKind = ControlKind::PasswordPolicy;
    const PERMISSIONS: Permissions =
        Permissions { read: &["iam:GetAccountPasswordPolicy"], write: &["iam:UpdateAccountPasswordPolicy"] };

    type On = Aws;
    type Want = Settings;

    fn addresses(&self, _: &Settings, _: &Desired) -> Vec<Address> {
        vec![Address::global(Self::KIND, "account")]
    }

    async fn look(&self, reader: &Reader, _: &Desired, _: &Address) -> Result<Sighting, CallError> {
        let session = &reader.0;
        match session.tenant.query(&IAM, session.home(), "GetAccountPasswordPolicy", &[]).await {
            Ok(reply) => {
                let answer: Answer = reply.xml()?;
                Ok(seen(&reply, &answer.get_account_password_policy_result.password_policy))
            }
            Err(error) if error.code() == Some("NoSuchEntity") => Ok(absent(&error)),
            Err(error) => Err(error),
        }
    }

    async fn write(&self, writer: &Writer, change: &Change, _: &Made) -> Result<Value, CallError> {
        let session = &writer.0;
        session
            .tenant
            .query(&IAM, session.home(), "UpdateAccountPasswordPolicy", &form(change.after.as_ref()))
            .await?;
        Ok(Value::Null)
    }
}

impl Compare for PasswordPolicy {
    type There = Policy;

    fn compare(&self, want: &Settings, _: &Desired, address: &Address, there: Option<Policy>) -> Verdict {
        let policy = there.map(Policy::plain);
        let asked = policy.clone().unwrap_or_else(Policy::none).tightened(want);
        if policy.as_ref() == Some(&asked) {
            return Verdict::Holds;
        }
        // Whose password is older than the new age is locked out until an administrator resets it.
        let locks_out = policy
            .as_ref()
            .is_some_and(|policy| policy.hard_expiry && policy.max_password_age != asked.max_password_age);
        let (deed, reason) = match policy {
            None => (Deed::Create, "there is no password policy"),
            Some(_) => (Deed::Update, "the password policy is weaker than asked"),
        };
        let mut change = Change::new(address, "update", deed, reason).after(json(&asked));
        change.loses = locks_out;
        Verdict::fails(change)
    }
}

#[cfg(test)]
mod tests {
    use landfall_model::desired::Standing;
    use landfall_model::observed::Seen;

    use super::super::scenario::said;
    use super::*;

    /// Passwords that never expire are shown as 0 days by some, and left out by others.
    #[test]
    fn an_age_of_zero_is_no_age() {
        let want = serde_json::json!({
            "minimum-length": 14, "require-symbols": true, "require-numbers": true, "require-uppercase": true,
            "require-lowercase": true, "reuse-prevention": 24,
        });
        let mut there = serde_json::json!({
            "MinimumPasswordLength": 16, "RequireSymbols": true, "RequireNumbers": true,
            "RequireUppercaseCharacters": true, "RequireLowercaseCharacters": true, "PasswordReusePrevention": 24,
        });
        for age in [None, Some(0), Some(90)] {
            there["MaxPasswordAge"] = serde_json::json!(age);
            let saw = [("password-policy/account", Seen::Present(there.clone()))];
            assert_eq!(said(&PasswordPolicy, want.clone(), Standing::Adopted, &saw), ["holds"], "{age:?}");
        }
        there["PasswordReusePrevention"] = serde_json::json!(5);
        let saw = [("password-policy/account", Seen::Present(there))];
        let said = said(&PasswordPolicy, want, Standing::Adopted, &saw).remove(0);
        assert!(said.starts_with("fails: the password policy is weaker than asked\n~ update"), "{said}");
    }
}
