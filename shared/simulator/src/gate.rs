//! Who may do what: the little of IAM that the simulator enforces before a service sees a call.

use crate::ask::{Ask, Caller, Protocol, Service};
use crate::fault::Faults;
use crate::permit;
use crate::refusal::Refusal;
use crate::world::{CONTROLLER_ROLE, World};

/// Whose credentials an access key is. A key that AssumeRole did not hand out is the controller's own.
pub(crate) fn caller(world: &World, access_key: Option<&str>) -> Caller {
    let known = access_key.and_then(|key| world.sessions.get(key));
    known.cloned().unwrap_or_else(|| Caller {
        account: world.settings.controller_account.clone(),
        role: CONTROLLER_ROLE.to_owned(),
        session: "landfall".to_owned(),
        controller: true,
        read_only: false,
    })
}

/// Whether the call is let through, in the order AWS would notice.
pub(crate) fn check(world: &World, faults: &Faults, ask: &Ask) -> Result<(), Refusal> {
    let Ask { service, operation, caller, .. } = ask;
    let closed = !world.settings.open && !matches!(service, Service::Sts | Service::Sqs);
    let suspended =
        world.organization.members.get(&caller.account).is_some_and(|member| member.state != "ACTIVE");
    let from_outside = matches!(service, Service::Organizations | Service::SsoAdmin | Service::IdentityStore)
        && caller.account != world.organization.management_account;
    let denied = (caller.controller && closed)
        || (caller.read_only && !ask.reads())
        || suspended
        || from_outside
        || faults.denies(service.name(), operation, &caller.account);
    if denied {
        return Err(denial(ask));
    }
    match permit::missing(world, ask) {
        None => Ok(()),
        Some(need) => Err(lacking(ask, &need)),
    }
}

/// The denial where a permission is not granted. CloudTrail has codes of its own for what it needs of other services.
fn lacking(ask: &Ask, need: &permit::Need) -> Refusal {
    let own = permit::own(ask);
    let code = match (ask.service, need.permission.split(':').next()) {
        (Service::CloudTrail, Some("iam")) => "InsufficientIAMAccessPermissionException",
        (Service::CloudTrail, Some("organizations")) => {
            "InsufficientDependencyServiceAccessPermissionException"
        }
        _ => return not_allowed(ask, &need.permission),
    };
    Refusal::new(
        code,
        format!("{own} takes {} besides, which {} is not granted", need.permission, ask.caller.arn()),
    )
}

/// The denial of the call's own permission.
pub(crate) fn denial(ask: &Ask) -> Refusal {
    not_allowed(ask, &permit::own(ask))
}

/// The denial in the service's own code and words.
fn not_allowed(ask: &Ask, permission: &str) -> Refusal {
    let Ask { service, operation: _, caller, .. } = ask;
    let message = format!(
        "User: {} is not authorized to perform: {permission} because no identity-based policy allows the {permission} action",
        caller.arn()
    );
    match service.protocol() {
        Protocol::Ec2 => Refusal::new(
            "UnauthorizedOperation",
            format!("You are not authorized to perform this operation. {message}"),
        ),
        Protocol::Query | Protocol::RestXml => Refusal::new("AccessDenied", message),
        Protocol::Json | Protocol::RestJson => Refusal::new("AccessDeniedException", message),
    }
}

/// How each service says that it is asked too often.
pub(crate) fn throttled(service: Service) -> Refusal {
    let code = match service {
        Service::Sts | Service::Iam => "Throttling",
        Service::Ec2 => "RequestLimitExceeded",
        Service::Organizations | Service::Account | Service::SecurityHub => "TooManyRequestsException",
        Service::AccessAnalyzer
        | Service::GuardDuty
        | Service::CloudTrail
        | Service::Config
        | Service::Budgets
        | Service::SsoAdmin
        | Service::IdentityStore => "ThrottlingException",
        Service::Sqs => "RequestThrottled",
        Service::S3Control => "SlowDown",
    };
    Refusal::new(code, "Rate exceeded")
}
