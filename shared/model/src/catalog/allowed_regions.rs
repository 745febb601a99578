//! `allowed-regions`: where data and workloads may be.

use serde::{Deserialize, Serialize};

use super::{Combine, ControlKind, Effect, Entry, Form, Parameter, Place};

/// What the catalog says.
pub const ENTRY: Entry = Entry {
    kind: ControlKind::AllowedRegions,
    title: "only in the regions that are allowed",
    manual: "\
What it asks: nothing is made outside the regions that are listed for the cloud. Where none are listed for a cloud,
nothing is asked there. A lower level can only take regions away.

Why: laws and contracts say where data may be, and a region that nobody watches is where unwanted things are run.

What already exists elsewhere stays there and is not deleted.

AWS: a service control policy that denies requests whose aws:RequestedRegion is not listed, but for services that are
global or answer from one region for all (IAM, Organizations, Route 53, CloudFront, billing, support and the like). It
binds at once, what runs already too: from its attachment on, the roles of running workloads are refused in other regions,
reading included. Look at CloudTrail first for who calls there. Lambda@Edge, the KMS keys of Route 53 DNSSEC and the
metrics of CloudFront need us-east-1: list it where they are used. It judges where a request is sent, so what exists in
another region can no longer be managed, and a copy sent across regions by a service is not seen. It spares Landfall's
roles, the bootstrap roles and break-glass, and nobody else may make or change a role or user of these names.
Azure: two built-in policies, Allowed locations and Allowed locations for resource groups, assigned to the unit's management
group, deny making or changing resources and resource groups elsewhere. Resources that Azure calls global are not bound, nor are
those that have no location of their own. What already exists elsewhere can no longer be changed there, only used and deleted.
Azure Policy judges what is written and not who writes it: nobody is spared.
Google Cloud: the organization policy constraint gcp.resourceLocations, on the unit's folder. A region such as europe-west1 stands
for itself and its zones (in:europe-west1-locations); groups such as in:eu-locations are taken as they are, and is:europe-west1
is the region without its zones. It binds what is made from then on, in the services that Google lists as supporting it; what has
no location, and what a service makes inside a resource, is not bound. Whether a location belongs to a group whose name does not
say so can't be told, and is unknown. Nobody is spared.

References: AWS Organizations user guide, Service control policy examples; Azure Policy built-in definitions, General;
Resource Manager, Restricting resource locations.",
    place: Place::Policy,
    effect: Effect::Prevents,
    parameters: &[
        Parameter {
            name: "aws",
            form: Form::Texts,
            combine: Combine::Intersection,
            default: None,
            help: "regions, such as `eu-central-1`; all where nobody says",
        },
        Parameter {
            name: "azure",
            form: Form::Texts,
            combine: Combine::Intersection,
            default: None,
            help: "locations, such as `westeurope`; all where nobody says",
        },
        Parameter {
            name: "gcp",
            form: Form::Texts,
            combine: Combine::Intersection,
            default: None,
            help: "locations or groups of them, such as `in:eu-locations`; all where nobody says",
        },
    ],
};

/// What must hold, combined over all levels.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Settings {
    /// AWS regions; all where nobody says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub aws: Option<Vec<String>>,
    /// Azure locations; all where nobody says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub azure: Option<Vec<String>>,
    /// Google Cloud locations or groups of them; all where nobody says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gcp: Option<Vec<String>>,
}
