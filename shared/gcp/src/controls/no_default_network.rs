//! `no-default-network` on Google Cloud: the network `default` is gone, row G19; and the constraint compute.skipDefaultNetworkCreation
//! keeps it from being made, row G7.
//!
//! Deleting is final. It is only done where no machine is attached and where all that belongs to the network was made with it. What else
//! may be attached Google knows and refuses; the firewall rules, which have to go first, are then put back.

use std::collections::BTreeSet;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use landfall_engine::carried::Carried;
use landfall_engine::cloud::{Made, Sighting};
use landfall_engine::control::{Control, Judge, Permissions, kept};
use landfall_model::catalog::ControlKind;
use landfall_model::catalog::no_default_network::Settings;
use landfall_model::desired::Desired;
use landfall_model::judgement::{Judgement, Verdict};
use landfall_model::observed::{Address, Observed, Seen};
use landfall_model::plan::{Change, Deed};

use super::policies::InPolicies;
use super::{Gcp, absent, or_default, reported, seen};
use crate::client::service::COMPUTE;
use crate::error::CallError;
use crate::session::{Reader, Session, Writer};

/// The part that policies carry.
struct ByPolicy;

impl Carried for ByPolicy {
    const KIND: ControlKind = ControlKind::NoDefaultNetwork;

    type Want = Settings;

    fn unasked(&self, _: &Settings) -> Option<&'static str> {
        None
    }
}

const CARRIED: InPolicies<ByPolicy> = InPolicies(ByPolicy);

pub(super) struct NoDefaultNetwork;

/// What Google calls the network that it makes.
const NETWORK: &str = "default";

/// The firewall rules that Google makes with it: <https://cloud.google.com/firewall/docs/firewalls#more_rules_default_vpc>.
const RULES: [&str; 4] =
    ["default-allow-icmp", "default-allow-internal", "default-allow-rdp", "default-allow-ssh"];

/// The network with what has to go before it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Network {
    /// Google's number of it: one that was made anew is another one.
    id: String,
    /// How many machines are in it.
    machines: usize,
    /// The firewall rules that were made with it.
    rules: BTreeSet<String>,
    /// What people added: firewall rules, peerings, and subnets of their own.
    others: BTreeSet<String>,
}

/// A network as Compute Engine answers it.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Answer {
    #[serde(default)]
    id: String,
    #[serde(default)]
    auto_create_subnetworks: bool,
    #[serde(default, deserialize_with = "or_default")]
    peerings: Vec<Peering>,
}

#[derive(Debug, Deserialize)]
struct Peering {
    name: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Machine {
    #[serde(default, deserialize_with = "or_default")]
    network_interfaces: Vec<Interface>,
}

#[derive(Debug, Deserialize)]
struct Interface {
    #[serde(default)]
    network: String,
}

/// Whether an address of Google's means the network.
fn is_default(network: &str) -> bool {
    network == NETWORK || network.ends_with("/global/networks/default")
}

fn network_at() -> Address {
    Address::global(ControlKind::NoDefaultNetwork, NETWORK)
}

/// The firewall rules of the network, as Google answers them.
async fn rules(session: &Session) -> Result<Vec<Value>, CallError> {
    let path = format!("projects/{}/global/firewalls", session.project);
    let (_, mut rules) = session.client.list(&COMPUTE, &path, "items").await?;
    rules.retain(|rule| rule.get("network").and_then(Value::as_str).is_some_and(is_default));
    Ok(rules)
}

fn name(rule: &Value) -> String {
    rule.get("name").and_then(Value::as_str).unwrap_or_default().to_owned()
}

/// How many machines are in the network. They are listed by zone, and each zone has a list of its own.
async fn machines(session: &Session) -> Result<usize, CallError> {
    let first = format!("projects/{}/aggregated/instances", session.project);
    let mut path = first.clone();
    let mut count = 0;
    loop {
        let reply = session.client.get(&COMPUTE, &path).await?;
        let page = reply.value()?;
        let zones = page.get("items").and_then(Value::as_object).into_iter().flatten();
        for (_, zone) in zones {
            for machine in zone.get("instances").and_then(Value::as_array).into_iter().flatten() {
                let machine: Machine =
                    serde_json::from_value(machine.clone()).map_err(|error| reply.unreadable(error))?;
                count += usize::from(machine.network_interfaces.iter().any(|one| is_default(&one.network)));
            }
        }
        match page.get("nextPageToken").and_then(Value::as_str).filter(|token| !token.is_empty()) {
            None => return Ok(count),
            Some(token) => {
                let token: String = url::form_urlencoded::byte_serialize(token.as_bytes()).collect();
                let next = format!("{first}?pageToken={token}");
                if next == path {
                    return Err(reply.unreadable("it names a page again that was read already"));
                }
                path = next;
            }
        }
    }
}

#[async_trait]
impl Control for NoDefaultNetwork {
    const KIND: ControlKind = ControlKind::NoDefaultNetwork;
    /// Those of both parts.
    const PERMISSIONS: Permissions = Permissions {
        read: &[
            "compute.firewalls.list",
            "compute.instances.list",
            "compute.networks.get",
            "orgpolicy.policy.get",
            "resourcemanager.folders.get",
            "resourcemanager.folders.list",
            "resourcemanager.projects.get",
        ],
        write: &[
            "compute.firewalls.create",
            "compute.firewalls.delete",
            "compute.firewalls.list",
            "compute.globalOperations.get",
            "compute.networks.delete",
            "compute.networks.updatePolicy",
        ],
    };

    type On = Gcp;
    type Want = Settings;

    fn addresses(&self, want: &Settings, desired: &Desired) -> Vec<Address> {
        let mut addresses = CARRIED.addresses(want, desired);
        addresses.push(network_at());
        addresses
    }

    async fn look(&self, reader: &Reader, desired: &Desired, at: &Address) -> Result<Sighting, CallError> {
        if at.control != Self::KIND {
            return CARRIED.look(reader, desired, at).await;
        }
        let session = &reader.0;
        let path = format!("projects/{}/global/networks/{NETWORK}", session.project);
        let reply = match session.client.get(&COMPUTE, &path).await {
            Ok(reply) => reply,
            Err(error) if error.is_not_found() => return Ok(absent(&error)),
            Err(error) if error.is_service_disabled() => {
                let why = "the Compute Engine API is not enabled: the project has no network";
                let request = error.request_id().map(str::to_owned);
                return Ok(Sighting { seen: Seen::NotOffered(why.to_owned()), request });
            }
            Err(error) => return Err(error),
        };
        let Answer { id, auto_create_subnetworks, peerings } = reply.json()?;
        let machines = machines(session).await?;
        let (rules, added): (BTreeSet<String>, BTreeSet<String>) =
            rules(session).await?.iter().map(name).partition(|name| RULES.contains(&name.as_str()));
        let mut others: BTreeSet<String> =
            added.into_iter().map(|name| format!("firewall rule `{name}`")).collect();
        others.extend(peerings.into_iter().map(|Peering { name }| format!("peering `{name}`")));
        if !auto_create_subnetworks {
            others.insert("subnets of people's own".to_owned());
        }
        Ok(seen(&reply, &Network { id, machines, rules, others }))
    }

    async fn write(&self, writer: &Writer, change: &Change, _: &Made) -> Result<Value, CallError> {
        let session = &writer.0;
        let Ok(Some(network)) = kept::<Network>(change.before.as_ref()) else {
            return Err(CallError::NothingToWrite(Self::KIND));
        };
        let all = format!("projects/{}/global", session.project);
        let mut gone = Vec::new();
        let mut failed = None;
        for rule in rules(session).await? {
            let name = name(&rule);
            if !network.rules.contains(&name) {
                continue;
            }
            match delete(session, &format!("{all}/firewalls/{name}")).await {
                Ok(()) => gone.push(rule),
                Err(error) => {
                    failed = Some(error);
                    break;
                }
            }
        }
        if failed.is_none() {
            failed = delete(session, &format!("{all}/networks/{NETWORK}")).await.err();
        }
        let Some(error) = failed else { return Ok(Value::Null) };
        // It goes on as it was: whatever is in it may rest on the rules.
        for rule in gone {
            restore(session, &format!("{all}/firewalls"), rule).await?;
        }
        Err(error.explained("the network could not be deleted, so its firewall rules were put back"))
    }
}

async fn delete(session: &Session, path: &str) -> Result<(), CallError> {
    match session.client.delete(&COMPUTE, path).await? {
        Some(reply) => session.client.finish(reply).await.map(drop),
        None => Ok(()),
    }
}

/// Makes a rule again as it was read, without what only Google says of it.
async fn restore(session: &Session, path: &str, mut rule: Value) -> Result<(), CallError> {
    if let Some(rule) = rule.as_object_mut() {
        for field in ["creationTimestamp", "id", "kind", "selfLink"] {
            rule.remove(field);
        }
    }
    let reply = session.client.post(&COMPUTE, path, &rule).await?;
    session.client.finish(reply).await.map(drop)
}

impl Judge for NoDefaultNetwork {
    fn judge(&self, want: &Settings, desired: &Desired, observed: &Observed) -> Vec<Judgement> {
        let mut all = CARRIED.judge(want, desired, observed);
        let address = network_at();
        all.push(Judgement::of(Self::KIND, &address, observed, |there| match kept::<Network>(there) {
            Ok(network) => compare(desired, &address, there, network),
            Err(unknown) => unknown,
        }));
        all
    }
}

fn compare(desired: &Desired, address: &Address, there: Option<&Value>, network: Option<Network>) -> Verdict {
    let Some(Network { id: _, machines, rules: _, others }) = network else { return Verdict::Holds };
    match (machines, others.is_empty()) {
        (0, true) => {
            let why = format!("the network `{NETWORK}` is there, and no machine is in it");
            let mut change = Change::new(address, "delete", Deed::Delete, why).before(there.cloned());
            change.loses = !desired.standing.before_handover();
            Verdict::fails(change)
        }
        (0, false) => {
            let others = others.into_iter().collect::<Vec<_>>().join(", ");
            reported(format!(
                "the network `{NETWORK}` holds more than was made with it, so it stays: {others}"
            ))
        }
        (1, _) => reported(format!("the network `{NETWORK}` is in use: 1 machine is in it")),
        (n, _) => reported(format!("the network `{NETWORK}` is in use: {n} machines are in it")),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::controls::landscape::Landscape;

    const AT: &str = "no-default-network/default";
    const SKIP: &str = "policies/acme-checkout-prod/compute.skipDefaultNetworkCreation";

    fn network(machines: usize, others: &[&str]) -> Seen {
        Seen::Present(json!({"id": "17", "machines": machines, "rules": RULES, "others": others}))
    }

    fn said(landscape: Landscape, network: Seen) -> String {
        let skipped = json!({"effective": {"rules": [{"enforce": true}]}});
        let said = landscape.saw(SKIP, skipped).with(AT, network).said(&NoDefaultNetwork);
        assert_eq!(said[0], "holds");
        said[1].clone()
    }

    #[test]
    fn the_network_goes_while_nothing_is_attached() {
        let adopted = || Landscape::adopted("acme-checkout-prod");
        let delete = "fails: the network `default` is there, and no machine is in it\n\
                      - baseline no-default-network/default#delete";
        let table = [
            (adopted(), Seen::Absent, "holds".to_owned()),
            (Landscape::new("acme-checkout-prod"), network(0, &[]), delete.to_owned()),
            (adopted(), network(0, &[]), format!("{delete} loses")),
            (adopted().handed_over(), network(0, &[]), format!("{delete} loses")),
            (
                adopted(),
                network(2, &[]),
                "fails: the network `default` is in use: 2 machines are in it".to_owned(),
            ),
            (
                Landscape::new("acme-checkout-prod"),
                network(0, &["firewall rule `office`"]),
                "fails: the network `default` holds more than was made with it, so it stays: firewall rule `office`"
                    .to_owned(),
            ),
            (
                adopted(),
                Seen::NotOffered("the Compute Engine API is not enabled".to_owned()),
                "not applicable: the Compute Engine API is not enabled".to_owned(),
            ),
        ];
        for (landscape, seen, expected) in table {
            assert_eq!(said(landscape, seen), expected);
        }
    }

    #[test]
    fn a_constraint_that_is_not_in_force_is_told() {
        let open = json!({"effective": {}});
        let said = Landscape::adopted("acme-checkout-prod").saw(SKIP, open).with(AT, Seen::Absent);
        assert_eq!(
            said.said(&NoDefaultNetwork),
            [
                "fails: `compute.skipDefaultNetworkCreation`: it is not enforced; `policies` sets what carries it",
                "holds"
            ]
        );
    }

    #[test]
    fn it_may_what_its_parts_may() {
        let Permissions { read, write } = InPolicies::<ByPolicy>::PERMISSIONS;
        assert!(write.is_empty());
        assert!(read.iter().all(|one| NoDefaultNetwork::PERMISSIONS.read.contains(one)));
    }
}
