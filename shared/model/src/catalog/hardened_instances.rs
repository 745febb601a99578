//! `hardened-instances`: a new machine guards its own credentials.

use serde::{Deserialize, Serialize};

use super::{Combine, ControlKind, Effect, Entry, Form, Parameter, Place};

/// What the catalog says.
pub const ENTRY: Entry = Entry {
    kind: ControlKind::HardenedInstances,
    title: "new machines guard their credentials",
    manual: "\
What it asks: a new machine gives its credentials only to who first asks for a session token, and the token does not
travel further than said.

Why: a web application that fetches any address it is told to can be made to fetch the machine's credentials. A session
token, asked for with a request that such applications can't send, ends that.

It is a default for new machines: those that run are not changed, and whoever starts one may still ask for something else.
A hop limit of 1 keeps containers on the machine from the credentials; they need 2.

AWS: in each governed region, the account's defaults for the instance metadata service
(ec2:ModifyInstanceMetadataDefaults): tokens required, which is IMDSv2, and the hop limit. Choices made at launch come
before them, and they come before the image's.
Azure: the metadata service asks for a fixed header and knows no session tokens, so neither parameter means anything there.
What is held instead is that nobody gets in by password: a policy of Landfall's own on the unit's management group denies Linux
machines and scale sets whose request has a Linux configuration that does not switch password login off. A request without one
is not seen by it, nor are Windows machines. What exists stays as it is, and can no longer be changed without following.
Google Cloud: the metadata server asks for a fixed header and knows no session tokens, so neither parameter means anything there.
What is held instead is how people get in. Two constraints on the unit's folder: compute.requireOsLogin, by which IAM decides and
not keys in metadata, and compute.disableSerialPortAccess. And in each project, where the Compute Engine API is enabled, the common
metadata of its machines (compute.projects.setCommonInstanceMetadata): enable-oslogin is TRUE and serial-port-enable is not TRUE;
all other keys stay as they are. Machines that run follow, unless their own metadata say otherwise: who got in by a key in metadata
no longer does. GKE nodes and machines that are no Linux are told by Google's documentation how they go along.

References: Amazon EC2 API reference, ModifyInstanceMetadataDefaults; Amazon EC2 user guide, Configure instance metadata
options; Azure Virtual Machines, Instance Metadata Service; Compute Engine, About VM metadata and Set up OS Login.",
    place: Place::Tenant,
    effect: Effect::Repairs,
    parameters: &[
        Parameter {
            name: "require-tokens",
            form: Form::Switch,
            combine: Combine::Any,
            default: Some("true"),
            help: "credentials only for who has a session token (IMDSv2)",
        },
        Parameter {
            name: "hop-limit",
            form: Form::Whole { min: 1, max: 64 },
            combine: Combine::Min,
            default: Some("2"),
            help: "network hops that a session token may travel; containers need 2",
        },
    ],
};

/// What must hold, combined over all levels.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Settings {
    /// Credentials only for who has a session token (IMDSv2).
    pub require_tokens: bool,
    /// Network hops that a session token may travel.
    pub hop_limit: u32,
}
