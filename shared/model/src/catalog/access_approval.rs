//! `access-approval`: the cloud's own people ask before they look into a tenant.

use serde::{Deserialize, Serialize};

use super::{Combine, ControlKind, Effect, Entry, Form, Parameter, Place};

/// What the catalog says.
pub const ENTRY: Entry = Entry {
    kind: ControlKind::AccessApproval,
    title: "the cloud's own people ask before they look",
    manual: "\
What it asks: the cloud's own staff has to ask, and somebody of the organization to approve, before it looks at what lies in the
tenant, as far as the cloud offers that; and those who can approve are told of each request.

Why: support and operations of the cloud can reach data that no policy of the organization binds them from. Who has to approve
also learns of it, and a regulator may ask for just that.

It has a price: help comes as late as the approval, and the cloud's promises of availability don't cover what waits for one. Who
approves is a matter of roles, which `access` gives.

AWS: nothing is set up. AWS has no requests that could be approved: its operators work on the services without a way to what is
stored or computed in them, and support sees what a case shows it, or what a role of the account lets it.
Azure: Customer Lockbox, one switch for the whole directory, which is the organization's and made once
(Microsoft.CustomerLockbox/enableLockbox, a preview API) where a unit asks for it. Microsoft reserves it to Global Administrators
and to directories with a support plan: where Landfall's identity is refused, that is reported, and a Global Administrator
switches it on in the portal. Requests go to the owners of the subscription, so `recipients` say nothing there.
Google Cloud: Access Approval for all services of the project (accessapproval v1, accessApprovalSettings with enrolledServices),
unless the organization or a folder above is enrolled for all of them already. What is enrolled above binds the project whatever
its own settings say, and is not touched. The recipients are added to those who are told; addresses of others stay, and so do
signing keys and preferences. Where people chose that every access is approved by itself, the project is set to ask. A choice by
which only what the organization's own support cases call for is approved by itself stays. Access Transparency has to be on for
the organization, which depends on the support plan and is switched on by people: where Google refuses for want of it, that is
reported. A project takes at most 50 addresses.

References: Access Approval, Overview, Enrollment, AccessApprovalSettings REST resource; CIS Google Cloud Platform Foundation
Benchmark, Ensure Access Approval is Enabled; Customer Lockbox for Microsoft Azure; AWS, Data privacy FAQ, The Security Design of
the AWS Nitro System.",
    place: Place::Tenant,
    effect: Effect::Repairs,
    parameters: &[Parameter {
        name: "recipients",
        form: Form::Texts,
        combine: Combine::Union,
        default: Some("[]"),
        help: "Google Cloud: mail addresses that are told of requests, besides the manifest's contact for security",
    }],
};

/// What must hold, filled in from the manifest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Settings {
    /// Mail addresses of those who are told, sorted.
    pub recipients: Vec<String>,
}
