//! IAM's own API: its first version for service accounts, custom roles and pools of foreign identities, its second for deny policies.

mod deny_policies;
mod pools;
mod roles;
mod service_accounts;

use crate::gcp::answer::Answered;
use crate::gcp::request::Request;
use crate::gcp::world::GcpWorld;

pub(super) fn answer(world: &mut GcpWorld, request: &Request) -> Answered {
    if request.version == "v2" {
        return deny_policies::answer(world, request);
    }
    match request.parts().as_slice() {
        ["projects", _, "serviceAccounts", ..] => service_accounts::answer(world, request),
        ["organizations" | "projects", _, "roles", ..] | ["roles", ..] => roles::answer(world, request),
        ["projects", _, "locations", "global", "workloadIdentityPools", ..] => pools::answer(world, request),
        _ => Err(request.unknown()),
    }
}
