//! The APIs: each one a function from the world and a request to an answer.

mod accessapproval;
mod billingbudgets;
mod cloudasset;
mod cloudbilling;
pub(crate) mod compute;
mod enabled;
mod essentialcontacts;
mod fields;
mod iam;
pub(crate) mod iam_policy;
mod logging;
mod monitoring;
mod orgpolicy;
mod resources;
mod securitycentermanagement;
mod serviceusage;
mod storage;

use super::answer::Answered;
use super::operation;
use super::request::Request;
use super::world::GcpWorld;

/// One API.
pub(crate) struct Service {
    /// The host is `<name>.googleapis.com`.
    pub(crate) name: &'static str,
    /// What its permissions begin with in allow policies.
    pub(crate) prefix: &'static str,
    pub(crate) versions: &'static [&'static str],
    /// Whether it says 404 of a project that does not exist, as the older ones do, instead of 403.
    pub(crate) tells_missing: bool,
    answer: fn(&mut GcpWorld, &Request) -> Answered,
}

impl std::fmt::Debug for Service {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name)
    }
}

const fn service(
    name: &'static str,
    prefix: &'static str,
    versions: &'static [&'static str],
    answer: fn(&mut GcpWorld, &Request) -> Answered,
) -> Service {
    Service { name, prefix, versions, tells_missing: false, answer }
}

/// Every API that is here: host, beginning of its permissions, versions, and the function that answers.
pub(crate) static SERVICES: &[Service] = &[
    service("cloudresourcemanager", "resourcemanager", &["v3"], resources::answer),
    service("iam", "iam", &["v1", "v2"], iam::answer),
    service("orgpolicy", "orgpolicy", &["v2"], orgpolicy::answer),
    service("storage", "storage", &["v1"], storage::answer),
    service("serviceusage", "serviceusage", &["v1"], serviceusage::answer),
    service("cloudbilling", "billing", &["v1"], cloudbilling::answer),
    service("billingbudgets", "billing", &["v1"], billingbudgets::answer),
    service("essentialcontacts", "essentialcontacts", &["v1"], essentialcontacts::answer),
    service("compute", "compute", &["v1"], compute::answer),
    service("logging", "logging", &["v2"], logging::answer),
    service("monitoring", "monitoring", &["v3"], monitoring::answer),
    service("cloudasset", "cloudasset", &["v1"], cloudasset::answer),
    service("accessapproval", "accessapproval", &["v1"], accessapproval::answer),
    service(
        "securitycentermanagement",
        "securitycentermanagement",
        &["v1"],
        securitycentermanagement::answer,
    ),
];

/// Performs an operation that has been let through.
pub(crate) fn answer(world: &mut GcpWorld, request: &Request) -> Answered {
    if operation::is_one(world, request) {
        return operation::poll(world, request);
    }
    (request.service.answer)(world, request)
}
