//! `service-accounts` on Google Cloud, row G31: `service-accounts/<account>`, and `service-accounts/<account>/<member>` for each member
//! that may act as it, one member of one binding of the account's own IAM policy.

use std::collections::BTreeSet;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use landfall_engine::cloud::{Made, Sighting};
use landfall_engine::control::{Control, Judge, Permissions, kept};
use landfall_model::catalog::ControlKind;
use landfall_model::catalog::service_accounts::Settings;
use landfall_model::desired::Desired;
use landfall_model::judgement::{Judgement, Verdict};
use landfall_model::observed::{Address, Observed, Seen};
use landfall_model::plan::{Change, ChangeId, Deed};

use super::iam_policy::{self, Part, same};
use super::{Gcp, absent, nothing, reported, seen, unasked};
use crate::client::service::IAM;
use crate::error::CallError;
use crate::session::{Reader, Session, Writer};

const KIND: ControlKind = ControlKind::ServiceAccounts;

pub(super) struct ServiceAccounts;

/// What people read of an account that Landfall made.
const DESCRIPTION: &str = "Made by Landfall, as the manifest asks.";

/// A service account, as far as it matters here.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
struct Account {
    #[serde(deserialize_with = "super::or_default")]
    disabled: bool,
}

/// Whether a member may act as an account.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
struct Held {
    held: bool,
}

fn of_account(account: &str) -> Address {
    Address::global(KIND, account)
}

fn of_member(account: &str, member: &str) -> Address {
    Address::global(KIND, format!("{account}/{member}"))
}

fn creation(account: &str) -> ChangeId {
    ChangeId(format!("{}#create", of_account(account)))
}

/// The role by which a member acts as an account: identities from elsewhere sign in by workload identity federation.
fn role(member: &str) -> &'static str {
    if member.starts_with("principal") {
        "roles/iam.workloadIdentityUser"
    } else {
        "roles/iam.serviceAccountTokenCreator"
    }
}

/// Whether Google takes the name: <https://cloud.google.com/iam/docs/service-accounts-create>, 6 to 30 lower-case letters, digits and
/// hyphens.
fn is_name(account: &str) -> bool {
    let letters = account.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
    (6..=30).contains(&account.len())
        && letters
        && account.starts_with(|first: char| first.is_ascii_lowercase())
        && !account.ends_with('-')
}

fn path(session: &Session, account: &str) -> String {
    let Session { project, .. } = session;
    format!("projects/{project}/serviceAccounts/{account}@{project}.iam.gserviceaccount.com")
}

/// Members that Landfall made and that nobody asks for any more.
fn withdrawn<'a>(want: &Settings, desired: &'a Desired) -> Vec<(&'a str, &'a str)> {
    let made = desired.record.made.iter().filter(|address| address.control == KIND);
    let asked = |account: &str, member: &str| {
        want.gcp.get(account).is_some_and(|members| members.iter().any(|one| same(one, member)))
    };
    made.filter_map(|address| address.resource.split_once('/'))
        .filter(|(account, member)| !asked(account, member))
        .collect()
}

#[async_trait]
impl Control for ServiceAccounts {
    const KIND: ControlKind = KIND;
    const PERMISSIONS: Permissions = Permissions {
        read: &["iam.serviceAccounts.get", "iam.serviceAccounts.getIamPolicy"],
        write: &[
            "iam.serviceAccounts.create",
            "iam.serviceAccounts.enable",
            "iam.serviceAccounts.getIamPolicy",
            "iam.serviceAccounts.setIamPolicy",
        ],
    };

    type On = Gcp;
    type Want = Settings;

    fn addresses(&self, want: &Settings, desired: &Desired) -> Vec<Address> {
        let mut addresses = BTreeSet::new();
        for (account, members) in want.gcp.iter().filter(|(account, _)| is_name(account)) {
            addresses.insert(of_account(account));
            addresses.extend(members.iter().map(|member| of_member(account, member)));
        }
        addresses
            .extend(withdrawn(want, desired).into_iter().map(|(account, member)| of_member(account, member)));
        addresses.into_iter().collect()
    }

    async fn look(&self, reader: &Reader, _: &Desired, at: &Address) -> Result<Sighting, CallError> {
        let session = &reader.0;
        let answer = match at.resource.split_once('/') {
            None => match session.client.get(&IAM, &path(session, &at.resource)).await {
                Ok(reply) => Ok(seen(&reply, &reply.json::<Account>()?)),
                Err(error) => Err(error),
            },
            Some((account, member)) => {
                let read = iam_policy::read(&session.client, &IAM, &path(session, account)).await;
                // Not held by one that is there looks like not held by one that is still to be made: a run that makes the account goes on.
                read.map(|(reply, policy)| match policy.holding(role(member), member) {
                    Some(held) if !held.conditional => seen(&reply, &Held { held: true }),
                    Some(_) | None => nothing(&reply),
                })
            }
        };
        match answer {
            Err(error) if error.is_not_found() => Ok(absent(&error)),
            other => other,
        }
    }

    async fn write(&self, writer: &Writer, change: &Change, _: &Made) -> Result<Value, CallError> {
        let session = &writer.0;
        let Session { client, project, .. } = session;
        let resource = change.address.resource.as_str();
        match (change.verb.as_str(), resource.split_once('/')) {
            ("create", None) => {
                let body = json!({
                    "accountId": resource,
                    "serviceAccount": {"displayName": resource, "description": DESCRIPTION},
                });
                match client.post(&IAM, &format!("projects/{project}/serviceAccounts"), &body).await {
                    Err(error) if error.is_there_already() => {}
                    other => drop(other?),
                }
            }
            ("enable", None) => {
                client.post(&IAM, &format!("{}:enable", path(session, resource)), &json!({})).await?;
            }
            (verb @ ("let" | "stop"), Some((account, member))) => {
                let edit = |policy: &mut iam_policy::Policy| match verb {
                    "let" => policy.give(role(member), member),
                    _ => policy.take(role(member), member),
                };
                iam_policy::change(client, &IAM, &path(session, account), Part::Bindings, edit).await?;
            }
            // INVARIANT: the changes are ours.
            _ => return Err(CallError::NothingToWrite(KIND)),
        }
        Ok(Value::Null)
    }
}

impl Judge for ServiceAccounts {
    fn judge(&self, want: &Settings, desired: &Desired, observed: &Observed) -> Vec<Judgement> {
        let mut judgements = Vec::new();
        for (account, members) in &want.gcp {
            let address = of_account(account);
            if !is_name(account) {
                let why = format!(
                    "`{account}` is no name of a service account: 6 to 30 lower-case letters, digits and hyphens"
                );
                judgements.push(Judgement { control: KIND, address, verdict: reported(why) });
                continue;
            }
            judgements
                .push(Judgement::of(KIND, &address, observed, |there| exists(account, &address, there)));
            let made_first = matches!(observed.seen(&address), Seen::Absent).then(|| creation(account));
            for member in members.iter().collect::<BTreeSet<_>>() {
                let address = of_member(account, member);
                judgements.push(Judgement::of(KIND, &address, observed, |there| {
                    acts(account, member, &address, there, made_first.as_ref())
                }));
            }
        }
        for (account, member) in withdrawn(want, desired) {
            let address = of_member(account, member);
            judgements.push(Judgement::of(KIND, &address, observed, |there| {
                acts_no_more(account, member, &address, there)
            }));
        }
        if judgements.is_empty() {
            judgements.push(unasked(KIND, "control", "no service accounts are asked"));
        }
        judgements
    }
}

fn exists(account: &str, address: &Address, there: Option<&Value>) -> Verdict {
    match kept::<Account>(there) {
        Err(unknown) => unknown,
        Ok(Some(Account { disabled: false })) => Verdict::Holds,
        Ok(Some(Account { disabled: true })) => Verdict::fails(
            Change::new(address, "enable", Deed::Update, format!("the account `{account}` is disabled"))
                .before(there.cloned())
                .after(json!({"disabled": false})),
        ),
        Ok(None) => Verdict::fails(
            Change::new(address, "create", Deed::Create, format!("there is no account `{account}`"))
                .after(json!({"disabled": false})),
        ),
    }
}

fn acts(
    account: &str,
    member: &str,
    address: &Address,
    there: Option<&Value>,
    made_first: Option<&ChangeId>,
) -> Verdict {
    match kept::<Held>(there) {
        Err(unknown) => unknown,
        Ok(Some(Held { held: true })) => Verdict::Holds,
        Ok(_) => {
            let why = format!("`{member}` may not act as `{account}`");
            let mut change = Change::new(address, "let", Deed::Create, why)
                .before(there.cloned())
                .after(json!({"held": true}));
            change.needs.extend(made_first.cloned());
            Verdict::fails(change)
        }
    }
}

fn acts_no_more(account: &str, member: &str, address: &Address, there: Option<&Value>) -> Verdict {
    match kept::<Held>(there) {
        Err(unknown) => unknown,
        // Rights that nobody grants any more are taken at once, as `access` does.
        Ok(Some(Held { held: true })) => Verdict::fails(
            Change::new(
                address,
                "stop",
                Deed::Delete,
                format!("nobody asks any more that `{member}` acts as `{account}`"),
            )
            .before(there.cloned()),
        ),
        Ok(_) => {
            let why = format!("`{member}` is no longer to act as `{account}`, and can't");
            Verdict::NotApplicable { why }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::controls::landscape::Landscape;

    const GROUP: &str = "group:payments@acme.example";
    const POOL: &str =
        "principalSet://iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/github/*";
    const AT: &str = "service-accounts/deployer";

    fn asking() -> Landscape {
        let asked = json!({"gcp": {"deployer": [GROUP, POOL]}});
        Landscape::adopted("acme-checkout-prod").asks(KIND, asked)
    }

    fn agreed() -> Landscape {
        asking()
            .saw(AT, json!({"disabled": false}))
            .saw(&format!("{AT}/{GROUP}"), json!({"held": true}))
            .saw(&format!("{AT}/{POOL}"), json!({"held": true}))
    }

    #[test]
    fn accounts_that_are_there_with_their_members_need_nothing() {
        assert_eq!(agreed().said(&ServiceAccounts), ["holds"; 3]);
        assert_eq!(
            agreed().addresses(&ServiceAccounts),
            [AT, &format!("{AT}/{GROUP}"), &format!("{AT}/{POOL}")]
        );
        let nothing = Landscape::adopted("acme-checkout-prod").asks(KIND, json!({"gcp": {}}));
        assert_eq!(nothing.said(&ServiceAccounts), ["not applicable: no service accounts are asked"]);
    }

    #[test]
    fn an_account_is_made_before_somebody_may_act_as_it() {
        let none = asking()
            .saw_nothing(AT)
            .saw_nothing(&format!("{AT}/{GROUP}"))
            .saw_nothing(&format!("{AT}/{POOL}"));
        assert_eq!(
            none.said(&ServiceAccounts)[..2],
            [
                "fails: there is no account `deployer`\n+ baseline service-accounts/deployer#create {\"disabled\":false}".to_owned(),
                format!(
                    "fails: `{GROUP}` may not act as `deployer`\n+ baseline {AT}/{GROUP}#let {{\"held\":true}} needs {AT}#create"
                ),
            ]
        );
    }

    #[test]
    fn one_thing_that_differs_is_put_right() {
        assert_eq!(
            agreed().saw(AT, json!({"disabled": true})).said(&ServiceAccounts)[0],
            format!(
                "fails: the account `deployer` is disabled\n~ baseline {AT}#enable {{\"disabled\":false}}"
            )
        );
        assert_eq!(
            agreed().saw_nothing(&format!("{AT}/{POOL}")).said(&ServiceAccounts)[2],
            format!(
                "fails: `{POOL}` may not act as `deployer`\n+ baseline {AT}/{POOL}#let {{\"held\":true}}"
            )
        );
        let gone = format!("{AT}/user:ada@acme.example");
        let withdrawn = || agreed().made(&gone).made(&format!("{AT}/{GROUP}"));
        assert_eq!(
            withdrawn().saw(&gone, json!({"held": true})).said(&ServiceAccounts)[3],
            format!(
                "fails: nobody asks any more that `user:ada@acme.example` acts as `deployer`\n- baseline {gone}#stop"
            )
        );
        assert_eq!(
            withdrawn().saw_nothing(&gone).said(&ServiceAccounts)[3],
            "not applicable: `user:ada@acme.example` is no longer to act as `deployer`, and can't"
        );
    }

    #[test]
    fn a_name_that_google_would_not_take_is_told() {
        for (name, fits) in [
            ("deployer", true),
            ("short", false),
            ("Deployer", false),
            ("1deployer", false),
            ("deployer-", false),
            ("de-ployer2", true),
        ] {
            assert_eq!(is_name(name), fits, "{name}");
        }
        let landscape =
            Landscape::adopted("acme-checkout-prod").asks(KIND, json!({"gcp": {"short": [GROUP]}}));
        assert!(
            landscape.said(&ServiceAccounts)[0].starts_with("fails: `short` is no name of a service account")
        );
        assert_eq!(role(POOL), "roles/iam.workloadIdentityUser");
        assert_eq!(role(GROUP), "roles/iam.serviceAccountTokenCreator");
    }
}
