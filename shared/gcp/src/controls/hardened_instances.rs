//! `hardened-instances` on Google Cloud: the constraints compute.requireOsLogin and compute.disableSerialPortAccess, row G7; and the
//! project's common metadata, which says the same to the machines that are there, row G30.

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use landfall_engine::carried::Carried;
use landfall_engine::cloud::{Made, Sighting};
use landfall_engine::control::{Control, Judge, Permissions, kept};
use landfall_model::catalog::ControlKind;
use landfall_model::catalog::hardened_instances::Settings;
use landfall_model::desired::{Desired, Standing};
use landfall_model::judgement::{Judgement, Verdict};
use landfall_model::observed::{Address, Observed, Seen};
use landfall_model::plan::{Change, Deed};

use super::policies::InPolicies;
use super::{Gcp, or_default, seen};
use crate::client::service::COMPUTE;
use crate::error::CallError;
use crate::session::{Reader, Session, Writer};

/// The part that policies carry.
struct ByPolicy;

impl Carried for ByPolicy {
    const KIND: ControlKind = ControlKind::HardenedInstances;

    type Want = Settings;

    fn unasked(&self, _: &Settings) -> Option<&'static str> {
        None
    }
}

const CARRIED: InPolicies<ByPolicy> = InPolicies(ByPolicy);

pub(super) struct HardenedInstances;

const RESOURCE: &str = "project-metadata";

/// Who gets in is decided by IAM, and not by keys in metadata: <https://cloud.google.com/compute/docs/oslogin/set-up-oslogin>.
const OS_LOGIN: &str = "enable-oslogin";

/// The interactive serial console: <https://cloud.google.com/compute/docs/troubleshooting/troubleshooting-using-serial-console>.
const SERIAL_PORT: &str = "serial-port-enable";

/// How often the metadata are read again because somebody else wrote meanwhile.
const TURNS: usize = 5;

/// The two keys of the project's metadata; nobody else's are kept.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
struct Metadata {
    #[serde(skip_serializing_if = "Option::is_none")]
    enable_oslogin: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    serial_port_enable: Option<String>,
}

/// A project as Compute Engine knows it.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Project {
    #[serde(deserialize_with = "or_default")]
    common_instance_metadata: Common,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Common {
    #[serde(deserialize_with = "or_default")]
    fingerprint: String,
    #[serde(deserialize_with = "or_default")]
    items: Vec<Item>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Item {
    key: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    value: Option<String>,
}

/// "TRUE or FALSE, also Y, Yes, 1 and N, No, 0, in any case": <https://cloud.google.com/compute/docs/metadata/overview>, Boolean values.
fn is_on(value: Option<&String>) -> bool {
    value.is_some_and(|value| ["true", "y", "yes", "1"].contains(&value.trim().to_ascii_lowercase().as_str()))
}

impl Common {
    fn metadata(&self) -> Metadata {
        let value =
            |key: &str| self.items.iter().find(|item| item.key == key).and_then(|item| item.value.clone());
        Metadata { enable_oslogin: value(OS_LOGIN), serial_port_enable: value(SERIAL_PORT) }
    }
}

async fn read(session: &Session) -> Result<(crate::client::Reply, Common), CallError> {
    let reply = session.client.get(&COMPUTE, &format!("projects/{}", session.project)).await?;
    let Project { common_instance_metadata } = reply.json()?;
    Ok((reply, common_instance_metadata))
}

fn metadata_at() -> Address {
    Address::global(ControlKind::HardenedInstances, RESOURCE)
}

#[async_trait]
impl Control for HardenedInstances {
    const KIND: ControlKind = ControlKind::HardenedInstances;
    /// Those of both parts.
    const PERMISSIONS: Permissions = Permissions {
        read: &[
            "compute.projects.get",
            "orgpolicy.policy.get",
            "resourcemanager.folders.get",
            "resourcemanager.folders.list",
            "resourcemanager.projects.get",
        ],
        // Who changes what all machines are told needs the right to act as the accounts they run as.
        write: &[
            "compute.globalOperations.get",
            "compute.projects.get",
            "compute.projects.setCommonInstanceMetadata",
            "iam.serviceAccounts.actAs",
        ],
    };

    type On = Gcp;
    type Want = Settings;

    fn addresses(&self, want: &Settings, desired: &Desired) -> Vec<Address> {
        let mut addresses = CARRIED.addresses(want, desired);
        addresses.push(metadata_at());
        addresses
    }

    async fn look(&self, reader: &Reader, desired: &Desired, at: &Address) -> Result<Sighting, CallError> {
        if at.control != Self::KIND {
            return CARRIED.look(reader, desired, at).await;
        }
        match read(&reader.0).await {
            Ok((reply, common)) => Ok(seen(&reply, &common.metadata())),
            Err(error) if error.is_service_disabled() => {
                let why =
                    "the Compute Engine API is not enabled: the project has no machines to tell anything";
                let request = error.request_id().map(str::to_owned);
                Ok(Sighting { seen: Seen::NotOffered(why.to_owned()), request })
            }
            Err(error) => Err(error),
        }
    }

    async fn write(&self, writer: &Writer, change: &Change, _: &Made) -> Result<Value, CallError> {
        let session = &writer.0;
        let after = change.after.clone().and_then(|after| serde_json::from_value(after).ok());
        // INVARIANT: the changes are ours, and each says which keys it sets.
        let Some(Metadata { enable_oslogin, serial_port_enable }) = after else {
            return Err(CallError::NothingToWrite(Self::KIND));
        };
        let ours = [(OS_LOGIN, enable_oslogin), (SERIAL_PORT, serial_port_enable)];
        let path = format!("projects/{}/setCommonInstanceMetadata", session.project);
        let mut turn = 0;
        loop {
            let (_, Common { fingerprint, mut items }) = read(session).await?;
            for (key, value) in &ours {
                let Some(value) = value else { continue };
                items.retain(|item| item.key != *key);
                items.push(Item { key: (*key).to_owned(), value: Some(value.clone()) });
            }
            let body = json!({"fingerprint": fingerprint, "items": items});
            match session.client.post(&COMPUTE, &path, &body).await {
                Err(error) if error.is_conflict() && turn < TURNS => turn += 1,
                Err(error) => return Err(error),
                Ok(reply) => {
                    session.client.finish(reply).await?;
                    return Ok(Value::Null);
                }
            }
        }
    }
}

impl Judge for HardenedInstances {
    fn judge(&self, want: &Settings, desired: &Desired, observed: &Observed) -> Vec<Judgement> {
        let mut all = CARRIED.judge(want, desired, observed);
        let address = metadata_at();
        all.push(Judgement::of(Self::KIND, &address, observed, |there| match kept::<Metadata>(there) {
            Ok(metadata) => compare(desired, &address, there, &metadata.unwrap_or_default()),
            Err(unknown) => unknown,
        }));
        all
    }
}

fn compare(desired: &Desired, address: &Address, there: Option<&Value>, metadata: &Metadata) -> Verdict {
    let mut after = Metadata::default();
    let mut why = Vec::new();
    if !is_on(metadata.enable_oslogin.as_ref()) {
        after.enable_oslogin = Some("TRUE".to_owned());
        why.push(format!("`{OS_LOGIN}` is not TRUE"));
    }
    // Where nobody says, it is off.
    if is_on(metadata.serial_port_enable.as_ref()) {
        after.serial_port_enable = Some("FALSE".to_owned());
        why.push(format!("`{SERIAL_PORT}` is TRUE"));
    }
    if why.is_empty() {
        return Verdict::Holds;
    }
    let mut change = Change::new(address, "set", Deed::Update, why.join("; "))
        .before(there.cloned())
        .after(super::json(&after));
    // Keys in metadata stop letting people in, on the machines that run as well.
    change.loses = matches!(desired.standing, Standing::HandedOver | Standing::Adopted);
    Verdict::fails(change)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::controls::landscape::Landscape;

    const AT: &str = "hardened-instances/project-metadata";
    const LOGIN: &str = "policies/acme-checkout-prod/compute.requireOsLogin";
    const SERIAL: &str = "policies/acme-checkout-prod/compute.disableSerialPortAccess";

    fn project() -> Landscape {
        let enforced = || json!({"effective": {"rules": [{"enforce": true}]}});
        Landscape::adopted("acme-checkout-prod").saw(LOGIN, enforced()).saw(SERIAL, enforced())
    }

    #[test]
    fn a_hardened_project_needs_nothing() {
        for metadata in [
            json!({"enable-oslogin": "TRUE", "serial-port-enable": "FALSE"}),
            json!({"enable-oslogin": "yes"}),
        ] {
            assert_eq!(project().saw(AT, metadata).said(&HardenedInstances), ["holds"; 3]);
        }
    }

    #[test]
    fn metadata_that_say_otherwise_are_set() {
        let table = [
            (
                json!({"serial-port-enable": "0"}),
                "fails: `enable-oslogin` is not TRUE\n~ baseline hardened-instances/project-metadata#set \
                 {\"enable-oslogin\":\"TRUE\"} loses",
            ),
            (
                json!({"enable-oslogin": "TRUE", "serial-port-enable": "1"}),
                "fails: `serial-port-enable` is TRUE\n~ baseline hardened-instances/project-metadata#set \
                 {\"serial-port-enable\":\"FALSE\"} loses",
            ),
        ];
        for (metadata, expected) in table {
            assert_eq!(project().saw(AT, metadata).said(&HardenedInstances)[2], expected);
        }
        let new = Landscape::new("acme-checkout-prod").saw(AT, json!({}));
        assert!(!new.said(&HardenedInstances)[2].contains("loses"));
    }

    #[test]
    fn a_constraint_that_is_not_in_force_is_told() {
        let open = json!({"effective": {"rules": [{"enforce": false}]}});
        let said =
            project().saw(LOGIN, open).saw(AT, json!({"enable-oslogin": "TRUE"})).said(&HardenedInstances);
        assert_eq!(
            said,
            [
                "holds",
                "fails: `compute.requireOsLogin`: it is not enforced; `policies` sets what carries it",
                "holds"
            ]
        );
    }

    #[test]
    fn a_project_without_compute_engine_has_no_metadata() {
        let none = Seen::NotOffered("the Compute Engine API is not enabled".to_owned());
        let said = project().with(AT, none).said(&HardenedInstances);
        assert_eq!(said[2], "not applicable: the Compute Engine API is not enabled");
    }

    #[test]
    fn it_may_what_its_parts_may() {
        let Permissions { read, write } = InPolicies::<ByPolicy>::PERMISSIONS;
        assert!(write.is_empty());
        assert!(read.iter().all(|one| HardenedInstances::PERMISSIONS.read.contains(one)));
    }
}
