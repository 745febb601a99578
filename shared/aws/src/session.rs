//! Who looks at an account and who writes to it: two identities, two types.
//!
//! A [`Reader`] enters every account, the organization's own included, by the manifest's read role, a [`Writer`] by its write role.
//! The function's own identity can assume these two roles and reach its store and queue, nothing else.

use landfall_model::id::{Region, RunId};
use landfall_model::manifest::{AwsCloud, AwsRoles};

use crate::client::{Aws, Client};
use crate::directory::Directory;
use crate::identity::Access;

/// The ways into one target: the account itself, and the account that owns the organization.
#[derive(Debug, Clone)]
pub(crate) struct Session {
    /// The account's id; the management account where the target is the organization.
    pub(crate) account: String,
    /// Calls made in the account.
    pub(crate) tenant: Client,
    /// Calls made in the management account: Organizations, Identity Center.
    pub(crate) organization: Client,
    /// What the organization has, looked up once.
    pub(crate) directory: Directory,
    /// The cloud as the manifest says.
    pub(crate) ground: AwsCloud,
}

/// Looks; its role can't write.
#[derive(Debug, Clone)]
pub(crate) struct Reader(pub(crate) Session);

/// Writes.
#[derive(Debug, Clone)]
pub(crate) struct Writer(pub(crate) Session);

impl Session {
    /// The home region, in which calls that are not regional are made.
    pub(crate) fn home(&self) -> &str {
        self.ground.home_region.as_str()
    }

    /// The region of an address; the home region where the setting is not regional.
    pub(crate) fn region<'a>(&'a self, region: Option<&'a Region>) -> &'a str {
        region.map_or_else(|| self.home(), Region::as_str)
    }
}

/// Makes the two kinds of sessions.
#[derive(Debug, Clone)]
pub(crate) struct Door {
    aws: Aws,
    ground: AwsCloud,
    directory: Directory,
}

impl Door {
    pub(crate) fn new(aws: Aws, ground: AwsCloud) -> Self {
        let directory =
            Directory::new(member(&aws, &ground, Role::Read, &ground.management_account, READING));
        Door { aws, ground, directory }
    }

    pub(crate) const fn directory(&self) -> &Directory {
        &self.directory
    }

    pub(crate) const fn ground(&self) -> &AwsCloud {
        &self.ground
    }

    pub(crate) fn reader(&self, account: &str, run: &RunId) -> Reader {
        let organization =
            member(&self.aws, &self.ground, Role::Read, &self.ground.management_account, READING);
        Reader(self.session(account, Role::Read, run, organization))
    }

    pub(crate) fn writer(&self, account: &str, run: &RunId) -> Writer {
        let named = format!("landfall-{run}");
        let organization =
            member(&self.aws, &self.ground, Role::Write, &self.ground.management_account, &named);
        Writer(self.session(account, Role::Write, run, organization))
    }

    fn session(&self, account: &str, role: Role, run: &RunId, organization: Client) -> Session {
        let named = format!("landfall-{run}");
        let tenant = if account == self.ground.management_account {
            organization.clone()
        } else {
            member(&self.aws, &self.ground, role, account, &named)
        };
        Session {
            account: account.to_owned(),
            tenant,
            organization,
            directory: self.directory.clone(),
            ground: self.ground.clone(),
        }
    }
}

/// Runs share one session for looking at the organization: a sweep would otherwise assume the role once for each tenant.
const READING: &str = "landfall-reading";

#[derive(Debug, Clone, Copy)]
enum Role {
    Read,
    Write,
}

fn member(aws: &Aws, ground: &AwsCloud, role: Role, account: &str, session: &str) -> Client {
    let AwsRoles { read, write, external_id, controller: _, bootstrap: _ } = &ground.roles;
    let role = match role {
        Role::Read => read,
        Role::Write => write,
    };
    aws.member(&Access {
        account: account.to_owned(),
        role: role.clone(),
        external_id: external_id.clone(),
        session: session.to_owned(),
    })
}
