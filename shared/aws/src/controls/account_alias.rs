//! `account-alias` on AWS: the account's alias, row A2.
//!
//! An account has one alias. Creating another takes its place; nothing has to be deleted first.

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use landfall_engine::cloud::{Made, Sighting};
use landfall_engine::control::{Compare, Control, Permissions};
use landfall_model::catalog::ControlKind;
use landfall_model::catalog::account_alias::Settings;
use landfall_model::desired::{Desired, Standing};
use landfall_model::judgement::Verdict;
use landfall_model::observed::Address;
use landfall_model::plan::{Change, Deed};

use super::{Aws, nothing, seen};
use crate::client::protocol::Reply;
use crate::client::service::IAM;
use crate::error::CallError;
use crate::session::{Reader, Session, Writer};

pub(super) struct AccountAlias;

/// The account's aliases, in AWS's own name: a list of at most one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Aliases {
    account_aliases: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Answer {
    list_account_aliases_result: Body,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Body {
    account_aliases: Members,
}

#[derive(Deserialize)]
struct Members {
    #[serde(default)]
    member: Vec<String>,
}

#[async_trait]
impl Control for AccountAlias {
    const KIND: ControlKind = ControlKind::AccountAlias;
    /// A write that is told that the alias exists asks whose it is.
    const PERMISSIONS: Permissions = Permissions {
        read: &["iam:ListAccountAliases"],
        write: &["iam:CreateAccountAlias", "iam:ListAccountAliases"],
    };

    type On = Aws;
    type Want = Settings;

    fn addresses(&self, _: &Settings, _: &Desired) -> Vec<Address> {
        vec![Address::global(Self::KIND, "account")]
    }

    async fn look(&self, reader: &Reader, _: &Desired, _: &Address) -> Result<Sighting, CallError> {
        let (aliases, reply) = list(&reader.0).await?;
        Ok(if aliases.account_aliases.is_empty() { nothing(&reply) } else { seen(&reply, &aliases) })
    }

    async fn write(&self, writer: &Writer, change: &Change, _: &Made) -> Result<Value, CallError> {
        let session = &writer.0;
        let asked = change.after.as_ref().and_then(|after| after.pointer("/AccountAliases/0"));
        let alias = asked.and_then(Value::as_str).unwrap_or_default();
        let params = [("AccountAlias", alias.to_owned())];
        match session.tenant.query(&IAM, session.home(), "CreateAccountAlias", &params).await {
            Ok(_) => Ok(Value::Null),
            // Either it is somebody else's, or ours since a moment ago, and that answer was lost.
            Err(error) if error.code() == Some("EntityAlreadyExists") => {
                let (aliases, _) = list(session).await?;
                if aliases.account_aliases.iter().any(|there| there == alias) {
                    return Ok(Value::Null);
                }
                let why = format!("the alias `{alias}` is taken by another account");
                Err(CallError::Explained { why, source: Box::new(error) })
            }
            Err(error) => Err(error),
        }
    }
}

impl Compare for AccountAlias {
    type There = Aliases;

    fn compare(
        &self,
        want: &Settings,
        desired: &Desired,
        address: &Address,
        there: Option<Aliases>,
    ) -> Verdict {
        let Settings { alias } = want;
        let first = there.as_ref().and_then(|there| there.account_aliases.first());
        let (deed, reason) = match first {
            Some(there) if there == alias => return Verdict::Holds,
            Some(there) => (Deed::Update, format!("the account's alias is `{there}`")),
            None => (Deed::Create, "the account has no alias".to_owned()),
        };
        let after = json!({"AccountAliases": [alias]});
        let mut change = Change::new(address, "create", deed, reason).after(after);
        // The old sign-in address stops working, and people may have it.
        change.loses = deed == Deed::Update && desired.standing == Standing::Adopted;
        Verdict::fails(change)
    }
}

async fn list(session: &Session) -> Result<(Aliases, Reply), CallError> {
    let reply = session.tenant.query(&IAM, session.home(), "ListAccountAliases", &[]).await?;
    let answer: Answer = reply.xml()?;
    let account_aliases = answer.list_account_aliases_result.account_aliases.member;
    Ok((Aliases { account_aliases }, reply))
}

#[cfg(test)]
mod tests {
    use landfall_model::desired::Standing;
    use landfall_model::observed::Seen;

    use super::super::scenario::said;
    use super::*;

    #[test]
    fn the_answer_is_read() {
        let read = |aliases: &str| {
            let xml = format!(
                "<ListAccountAliasesResponse><ListAccountAliasesResult><IsTruncated>false</IsTruncated>{aliases}\
                 </ListAccountAliasesResult></ListAccountAliasesResponse>"
            );
            let answer: Answer = quick_xml::de::from_str(&xml).unwrap();
            answer.list_account_aliases_result.account_aliases.member
        };
        assert_eq!(read("<AccountAliases><member>acme</member></AccountAliases>"), ["acme"]);
        assert!(read("<AccountAliases/>").is_empty());
    }

    #[test]
    fn an_account_gets_its_alias() {
        let table = [
            (Seen::Present(json!({"AccountAliases": ["acme-shop-prod"]})), "holds"),
            (
                Seen::Absent,
                "fails: the account has no alias\n+ create {\"AccountAliases\":[\"acme-shop-prod\"]}",
            ),
            (
                Seen::Present(json!({"AccountAliases": ["shop"]})),
                "fails: the account's alias is `shop`\n~ create {\"AccountAliases\":[\"acme-shop-prod\"]}",
            ),
        ];
        for (seen, expected) in table {
            let want = json!({"alias": "acme-shop-prod"});
            let saw = [("account-alias/account", seen)];
            assert_eq!(said(&AccountAlias, want, Standing::New, &saw), [expected]);
        }
    }
}
