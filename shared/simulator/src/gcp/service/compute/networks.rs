//! Networks, their firewall rules, and what stands in them.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::super::fields::{only, text, with};
use super::{
    FIREWALLS, INSTANCES, NETWORKS, SUBNETWORKS, get, last, link, listed, operations, refusal, uses,
};
use crate::gcp::answer::Answered;
use crate::gcp::request::Request;
use crate::gcp::world::GcpWorld;

/// Where the default network has its subnets: a few of the forty regions.
const REGIONS: [&str; 3] = ["europe-west1", "europe-west4", "us-central1"];

/// Protocols with their ports; none for those that have none.
type Allowed = &'static [(&'static str, &'static str)];

/// The four rules of a default network, by what follows `default-allow-`: from where, and what.
///
/// <https://cloud.google.com/firewall/docs/firewalls#more_rules_default_vpc>
const RULES: [(&str, &str, Allowed); 4] = [
    ("internal", "10.128.0.0/9", &[("tcp", "0-65535"), ("udp", "0-65535"), ("icmp", "")]),
    ("ssh", "0.0.0.0/0", &[("tcp", "22")]),
    ("rdp", "0.0.0.0/0", &[("tcp", "3389")]),
    ("icmp", "0.0.0.0/0", &[("icmp", "")]),
];

pub(super) fn make_default(world: &mut GcpWorld, project: &str) {
    let base = format!("projects/{project}");
    let network = link(&format!("{base}/global/networks/default"));
    let subnetworks: Vec<String> =
        REGIONS.iter().map(|region| link(&format!("{base}/regions/{region}/subnetworks/default"))).collect();
    let made = json!({
        "kind": "compute#network", "id": world.number().to_string(), "name": "default", "selfLink": network,
        "description": "Default network for the project", "autoCreateSubnetworks": true,
        "subnetworks": subnetworks, "routingConfig": {"routingMode": "REGIONAL"},
        "networkFirewallPolicyEnforcementOrder": "AFTER_CLASSIC_FIREWALL",
    });
    let rules: Vec<(String, Value)> = RULES
        .iter()
        .map(|(short, source, allowed)| {
            let name = format!("default-allow-{short}");
            let allowed = allowed.iter().map(|(protocol, ports)| match *ports {
                "" => json!({ "IPProtocol": protocol }),
                ports => json!({"IPProtocol": protocol, "ports": [ports]}),
            });
            let rule = json!({
                "kind": "compute#firewall", "id": world.number().to_string(), "name": name, "network": network,
                "direction": "INGRESS", "priority": 65534, "disabled": false, "sourceRanges": [source],
                "allowed": allowed.collect::<Vec<_>>(), "logConfig": {"enable": false},
                "selfLink": link(&format!("{base}/global/firewalls/{name}")),
            });
            (name, rule)
        })
        .collect();
    if let Some(governance) = world.at(&base) {
        governance.things_mut(NETWORKS).insert("default".to_owned(), made);
        governance.things_mut(FIREWALLS).extend(rules);
    }
}

/// A network goes when nothing else needs it; its own subnets, where it makes them itself, go with it.
pub(super) fn delete(world: &mut GcpWorld, request: &Request, project: &str, name: &str) -> Answered {
    get(world, request, project, NETWORKS, name)?;
    let governance = world.governance(&format!("projects/{project}")).ok_or_else(|| request.unknown())?;
    let user = [FIREWALLS, INSTANCES, SUBNETWORKS].iter().find_map(|kind| {
        governance.things(kind).values().find(|thing| uses(thing, name)).map(|thing| text(thing, "selfLink"))
    });
    if let Some(user) = user {
        let user = user.split_once("/compute/v1/").map_or(user, |(_, path)| path);
        let message = format!(
            "The network resource 'projects/{project}/global/networks/{name}' is already being used by '{user}'"
        );
        let reason = "resourceInUseByAnotherResource";
        return Err(refusal(400, "RESOURCE_IN_USE_BY_ANOTHER_RESOURCE", reason, &message));
    }
    let effect = json!({"delete": [NETWORKS, name]});
    Ok(operations::begin(world, request, project, "delete", &effect, "networks", name))
}

pub(super) fn insert_firewall(world: &mut GcpWorld, request: &Request, project: &str) -> Answered {
    const KNOWN: [&str; 15] = [
        "name",
        "network",
        "direction",
        "priority",
        "disabled",
        "description",
        "sourceRanges",
        "destinationRanges",
        "sourceTags",
        "targetTags",
        "sourceServiceAccounts",
        "targetServiceAccounts",
        "allowed",
        "denied",
        "logConfig",
    ];
    only(&request.body, "", &KNOWN)?;
    let name = request.needs("name")?.to_owned();
    if get(world, request, project, FIREWALLS, &name).is_ok() {
        let message = format!("The resource 'projects/{project}/global/firewalls/{name}' already exists");
        return Err(refusal(409, "ALREADY_EXISTS", "alreadyExists", &message));
    }
    let network = Some(request.text("network")).filter(|network| !network.is_empty()).map_or("default", last);
    get(world, request, project, NETWORKS, network)?;
    let network = link(&format!("projects/{project}/global/networks/{network}"));
    let rule = with(with(request.body.clone(), "network", network), "kind", "compute#firewall");
    let rule = with(rule, "id", world.number().to_string());
    let rule = with(rule, "selfLink", link(&format!("projects/{project}/global/firewalls/{name}")));
    let effect = json!({"insert": [FIREWALLS, name], "what": rule});
    Ok(operations::begin(world, request, project, "insert", &effect, "firewalls", &name))
}

/// All instances by their zones; zones without any say so instead.
pub(super) fn instances(world: &GcpWorld, request: &Request, project: &str) -> Answered {
    let governance = world.governance(&format!("projects/{project}")).ok_or_else(|| request.unknown())?;
    let mut zones: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    for region in REGIONS {
        zones.entry(format!("zones/{region}-b")).or_default();
    }
    for instance in governance.things(INSTANCES).values() {
        let zone = format!("zones/{}", last(text(instance, "zone")));
        zones.entry(zone).or_default().push(instance.clone());
    }
    let items: Map<String, Value> = zones
        .into_iter()
        .map(|(zone, instances)| {
            let scoped = if instances.is_empty() {
                json!({"warning": {
                    "code": "NO_RESULTS_ON_PAGE", "message": format!("There are no results for scope '{zone}' on this page."),
                    "data": [{"key": "scope", "value": zone}],
                }})
            } else {
                json!({ "instances": instances })
            };
            (zone, scoped)
        })
        .collect();
    Ok(listed(json!({ "items": items }), request, "compute#instanceAggregatedList"))
}
