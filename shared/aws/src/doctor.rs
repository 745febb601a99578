//! What a person wants to know before anything runs: who we are, and which of the manifest's roles let us in. Nothing is written.

use landfall_engine::control::Permissions;
use landfall_engine::permissions::Errand;
use landfall_model::manifest::{AwsCloud, AwsRoles};
use serde::Deserialize;
use serde_json::json;

use crate::client::service::{ORGANIZATIONS, STS};
use crate::client::{Aws, Client};
use crate::directory::REGION;
use crate::error::CallError;
use crate::identity::Access;

/// What it calls, beside asking who it is.
pub(crate) const ERRAND: Errand = Errand {
    name: "doctor",
    needs: Permissions { read: &["organizations:DescribeOrganization"], write: &[] },
};

/// Which of the manifest's two roles.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// The one that plans are made with.
    Read,
    /// The one that changes are made with.
    Write,
}

/// Who AWS says that somebody is.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Caller {
    /// The account.
    pub account: String,
    /// The user or the role's session.
    pub arn: String,
}

/// The organization as its management account sees it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Organization {
    /// `o-a1b2c3d4e5`.
    pub id: String,
    /// The account that owns it.
    pub master_account_id: String,
    /// `ALL`, or `CONSOLIDATED_BILLING`, with which no policy holds.
    #[serde(default)]
    pub feature_set: String,
}

/// Who the process itself is.
pub async fn whoami(aws: &Aws) -> Result<Caller, CallError> {
    caller(&aws.own(), aws.region()).await
}

/// Enters an account by one of the manifest's roles, and answers who we are there.
pub async fn enter(aws: &Aws, ground: &AwsCloud, account: &str, way: Way) -> Result<Caller, CallError> {
    caller(&member(aws, ground, account, way), ground.home_region.as_str()).await
}

/// Asks the organization who it is, by the read role of the management account.
pub async fn organization(aws: &Aws, ground: &AwsCloud) -> Result<Organization, CallError> {
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Answer {
        organization: Organization,
    }
    let client = member(aws, ground, &ground.management_account, Way::Read);
    let reply = client.json(&ORGANIZATIONS, REGION, "DescribeOrganization", json!({})).await?;
    let Answer { organization } = reply.json()?;
    Ok(organization)
}

async fn caller(client: &Client, region: &str) -> Result<Caller, CallError> {
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Answer {
        get_caller_identity_result: Caller,
    }
    let Answer { get_caller_identity_result } =
        client.query(&STS, region, "GetCallerIdentity", &[]).await?.xml()?;
    Ok(get_caller_identity_result)
}

fn member(aws: &Aws, ground: &AwsCloud, account: &str, way: Way) -> Client {
    let AwsRoles { read, write, external_id, controller: _, bootstrap: _ } = &ground.roles;
    let role = match way {
        Way::Read => read,
        Way::Write => write,
    };
    aws.member(&Access {
        account: account.to_owned(),
        role: role.clone(),
        external_id: external_id.clone(),
        session: "landfall-doctor".to_owned(),
    })
}
