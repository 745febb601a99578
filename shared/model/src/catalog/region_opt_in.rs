//! `region-opt-in`: the regions that a tenant needs are switched on.

use serde::{Deserialize, Serialize};

use super::{Combine, ControlKind, Effect, Entry, Form, Parameter, Place};

/// What the catalog says.
pub const ENTRY: Entry = Entry {
    kind: ControlKind::RegionOptIn,
    title: "the regions the tenant needs are switched on",
    manual: "\
What it asks: the regions that are listed are switched on in the tenant.

Why: newer regions are off until somebody asks for them, and that takes time which nobody has planned for on the day they
are needed. To keep regions from being used, allow the others (`allowed-regions`).

A region is switched on, never off: what runs in it would go on costing money and could no longer be reached.

AWS: account:EnableRegion, for the regions that AWS introduced after March 2019; the older ones are always on. It takes
minutes, and hours at times: until then the answer is not known. A region that is switched on has settings of its own, and
these are looked at once it is among the governed regions.
Azure: locations need no switch; access to a few restricted ones is asked for by a support request.
Google Cloud: locations need no switch.

References: Account Management reference guide, Enable or disable AWS Regions in your account; API reference,
EnableRegion.",
    place: Place::Tenant,
    effect: Effect::Repairs,
    parameters: &[Parameter {
        name: "aws",
        form: Form::Texts,
        combine: Combine::Union,
        default: Some("[]"),
        help: "regions that are off unless asked for, such as `eu-central-2`",
    }],
};

/// What must hold, combined over all levels.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Settings {
    /// AWS regions that are off unless asked for.
    pub aws: Vec<String>,
}
