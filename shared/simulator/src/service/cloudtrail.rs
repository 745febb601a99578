//! CloudTrail: trails, and how those of the organization show in every account. There is no S3 here: any bucket is taken to exist and
//! to let CloudTrail write, and nothing is written.

use serde_json::{Value, json};

use super::Answered;
use crate::ask::Ask;
use crate::refusal::Refusal;
use crate::world::{Trail, World};

pub(super) fn answer(world: &mut World, ask: &Ask) -> Answered {
    match ask.operation.as_str() {
        "DescribeTrails" => Ok(describe(world, ask)),
        "GetTrailStatus" => status(world, ask),
        "CreateTrail" => create(world, ask),
        "UpdateTrail" => update(world, ask),
        "DeleteTrail" => {
            let arn = own(world, ask)?.arn.clone();
            world.organization.trails.remove(&arn);
            Ok(json!({}))
        }
        "StartLogging" => log(world, ask, true),
        "StopLogging" => log(world, ask, false),
        _ => Err(super::unknown(Some(ask.service), &ask.operation)),
    }
}

/// Whether the caller's account and region have the trail or its shadow.
fn shows(trail: &Trail, ask: &Ask) -> bool {
    let here = trail.account == ask.caller.account || trail.organization;
    here && (trail.multi_region || trail.home_region == ask.region)
}

/// The trail itself, and not its shadow in another region or account.
fn is_itself(trail: &Trail, ask: &Ask) -> bool {
    trail.account == ask.caller.account && trail.home_region == ask.region
}

fn settings(trail: &Trail) -> Value {
    json!({
        "Name": trail.name,
        "S3BucketName": trail.bucket,
        "IncludeGlobalServiceEvents": trail.global_events,
        "IsMultiRegionTrail": trail.multi_region,
        "TrailARN": trail.arn,
        "LogFileValidationEnabled": trail.validation,
        "IsOrganizationTrail": trail.organization,
    })
}

fn describe(world: &World, ask: &Ask) -> Value {
    let shadows = ask.flag("includeShadowTrails").unwrap_or(true);
    let names: Vec<&str> = ask.array("trailNameList").iter().filter_map(Value::as_str).collect();
    let named = |trail: &Trail| {
        names.is_empty()
            || names.iter().any(|name| *name == trail.arn || *name == trail.name && is_itself(trail, ask))
    };
    let trails = world.organization.trails.values();
    let trails =
        trails.filter(|trail| shows(trail, ask) && (shadows || is_itself(trail, ask)) && named(trail));
    let trails: Vec<Value> = trails
        .map(|trail| {
            let more = json!({
                "HomeRegion": trail.home_region,
                "HasCustomEventSelectors": false,
                "HasInsightSelectors": false,
            });
            joined(settings(trail), more)
        })
        .collect();
    json!({"trailList": trails})
}

/// The trail of a name or an ARN, as far as the caller sees it.
fn seen<'a>(world: &'a World, ask: &Ask) -> Result<&'a Trail, Refusal> {
    let name = ask.need("Name")?;
    let is_named =
        |trail: &&Trail| trail.arn == name || trail.name == name && trail.account == ask.caller.account;
    let found = world.organization.trails.values().filter(|trail| shows(trail, ask)).find(is_named);
    found.ok_or_else(|| {
        let (region, account) = (&ask.region, &ask.caller.account);
        let arn = if name.starts_with("arn:") {
            name.to_owned()
        } else {
            format!("arn:aws:cloudtrail:{region}:{account}:trail/{name}")
        };
        Refusal::new("TrailNotFoundException", format!("Unknown trail: {arn} for the user: {account}"))
    })
}

fn status(world: &World, ask: &Ask) -> Answered {
    let trail = seen(world, ask)?;
    let mut shown = json!({"IsLogging": trail.logging});
    if let Some(since) = trail.started_at {
        let times = json!({"StartLoggingTime": since.as_second(), "TimeLoggingStarted": since.to_string()});
        shown = joined(shown, times);
    }
    if let Some(since) = trail.stopped_at {
        let times = json!({"StopLoggingTime": since.as_second(), "TimeLoggingStopped": since.to_string()});
        shown = joined(shown, times);
    }
    Ok(shown)
}

/// An answer with more members.
fn joined(answer: Value, more: Value) -> Value {
    match (answer, more) {
        (Value::Object(mut answer), Value::Object(more)) => {
            answer.extend(more);
            Value::Object(answer)
        }
        (answer, _) => answer,
    }
}

/// The trail that the caller may change, from here.
fn own<'a>(world: &'a mut World, ask: &Ask) -> Result<&'a mut Trail, Refusal> {
    let trail = seen(world, ask)?;
    if trail.account != ask.caller.account {
        return Err(not_the_management_account());
    }
    if trail.home_region != ask.region {
        return Err(Refusal::new(
            "InvalidHomeRegionException",
            format!("Trail {} must be changed from its home region {}.", trail.name, trail.home_region),
        ));
    }
    let arn = trail.arn.clone();
    world.organization.trails.get_mut(&arn).ok_or_else(|| ask.invalid("the trail is gone"))
}

fn not_the_management_account() -> Refusal {
    Refusal::new(
        "NotOrganizationMasterAccountException",
        "Request must be made by the management account of the organization.",
    )
}

/// What makes a trail the organization's: its management account, and trusted access.
fn may_be_the_organizations(world: &World, ask: &Ask) -> Result<(), Refusal> {
    if ask.caller.account != world.organization.management_account {
        return Err(not_the_management_account());
    }
    if !world.organization.service_access.contains_key("cloudtrail.amazonaws.com") {
        return Err(Refusal::new(
            "CloudTrailAccessNotEnabledException",
            "CloudTrail service access is not enabled for the organization.",
        ));
    }
    Ok(())
}

fn is_name(name: &str) -> bool {
    let ends = |byte: Option<u8>| byte.is_some_and(|byte| byte.is_ascii_alphanumeric());
    (3..=128).contains(&name.len())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_'))
        && ends(name.bytes().next())
        && ends(name.bytes().last())
}

fn combination(multi_region: bool, global_events: bool) -> Result<(), Refusal> {
    if multi_region && !global_events {
        return Err(Refusal::new(
            "InvalidParameterCombinationException",
            "Multi-Region trail must include global service events.",
        ));
    }
    Ok(())
}

/// Logging begins when it is started.
fn create(world: &mut World, ask: &Ask) -> Answered {
    let (name, bucket) = (ask.need("Name")?, ask.need("S3BucketName")?);
    if !is_name(name) {
        return Err(Refusal::new("InvalidTrailNameException", format!("{name} is not a trail's name")));
    }
    let flag = |member: &str| ask.flag(member).unwrap_or(false);
    let (multi_region, organization) = (flag("IsMultiRegionTrail"), flag("IsOrganizationTrail"));
    let global_events = ask.flag("IncludeGlobalServiceEvents").unwrap_or(true);
    combination(multi_region, global_events)?;
    if organization {
        may_be_the_organizations(world, ask)?;
    }
    let account = ask.caller.account.clone();
    let clashes = |trail: &Trail| trail.name == name && trail.account == account && shows(trail, ask);
    if world.organization.trails.values().any(clashes) {
        return Err(Refusal::new(
            "TrailAlreadyExistsException",
            format!("Trail {name} already exists for customer: {account}"),
        ));
    }
    let arn = format!("arn:aws:cloudtrail:{}:{account}:trail/{name}", ask.region);
    let trail = Trail {
        arn: arn.clone(),
        name: name.to_owned(),
        account,
        home_region: ask.region.clone(),
        bucket: bucket.to_owned(),
        multi_region,
        organization,
        global_events,
        validation: flag("EnableLogFileValidation"),
        logging: false,
        started_at: None,
        stopped_at: None,
    };
    let shown = settings(&trail);
    world.organization.trails.insert(arn, trail);
    Ok(shown)
}

/// What is not sent stays as it is.
fn update(world: &mut World, ask: &Ask) -> Answered {
    let trail = own(world, ask)?.clone();
    let flag = |member: &str, now: bool| ask.flag(member).unwrap_or(now);
    let changed = Trail {
        bucket: ask.text("S3BucketName").unwrap_or(&trail.bucket).to_owned(),
        multi_region: flag("IsMultiRegionTrail", trail.multi_region),
        organization: flag("IsOrganizationTrail", trail.organization),
        global_events: flag("IncludeGlobalServiceEvents", trail.global_events),
        validation: flag("EnableLogFileValidation", trail.validation),
        ..trail
    };
    combination(changed.multi_region, changed.global_events)?;
    if changed.organization {
        may_be_the_organizations(world, ask)?;
    }
    let shown = settings(&changed);
    *own(world, ask)? = changed;
    Ok(shown)
}

/// Starting what runs and stopping what stands still is no error.
fn log(world: &mut World, ask: &Ask, on: bool) -> Answered {
    let trail = own(world, ask)?;
    if trail.logging != on {
        trail.logging = on;
        *(if on { &mut trail.started_at } else { &mut trail.stopped_at }) = Some(ask.now);
    }
    Ok(json!({}))
}
