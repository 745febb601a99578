//! What Security Command Center watches: its services and their modules, each on, off, or as the resource above says.
//!
//! There is no discovery document of this API in Google's packages; paths and fields are those of Google's
//! `google-cloud-securitycentermanagement` 0.5.1, and of
//! <https://cloud.google.com/security-command-center/docs/reference/security-center-management/rest>.

use serde_json::{Map, Value, json};

use super::enabled;
use super::fields::{masked, missing, only, text, with};
use crate::gcp::answer::{Answered, bad};
use crate::gcp::page::page;
use crate::gcp::request::Request;
use crate::gcp::world::GcpWorld;
use crate::refusal::Refusal;

const KEPT: &str = "securitycentermanagement/services";

/// The services that the package names.
const SERVICES: [&str; 5] = [
    "container-threat-detection",
    "event-threat-detection",
    "security-health-analytics",
    "vm-threat-detection",
    "web-security-scanner",
];

const FIELDS: [&str; 3] = ["intendedEnablementState", "modules", "serviceConfig"];
const TOLD: [&str; 3] = ["name", "effectiveEnablementState", "updateTime"];

pub(super) fn answer(world: &mut GcpWorld, request: &Request) -> Answered {
    let (method, parts, verb) = request.asked();
    let [
        kind @ ("projects" | "folders" | "organizations"),
        id,
        "locations",
        "global",
        "securityCenterServices",
        rest @ ..,
    ] = parts.as_slice()
    else {
        return Err(request.unknown());
    };
    enabled::check(world, request)?;
    let of = format!("{kind}/{id}");
    match (method, rest, verb) {
        ("GET", [], "") => {
            let all: Vec<Value> = SERVICES.iter().map(|service| show(world, &of, service)).collect();
            page(world, request, "securityCenterServices", all.into_iter(), 1_000)
        }
        ("GET", [service], "") if SERVICES.contains(service) => Ok(show(world, &of, service)),
        ("PATCH", [service], "") if SERVICES.contains(service) => {
            only(&request.body, "security_center_service", &[FIELDS.as_slice(), TOLD.as_slice()].concat())?;
            if request.query("updateMask").is_none_or(str::is_empty) {
                return Err(bad("The update mask is required."));
            }
            let old = own(world, &of, service).unwrap_or_else(|| json!({}));
            let new = masked(&old, &request.body, &request.mask(), &FIELDS, &TOLD)?;
            check(&new)?;
            let new = with(new, "updateTime", request.now.to_string());
            let governance = world.at(&of).ok_or_else(|| missing(request))?;
            let before = governance.things_mut(KEPT).insert((*service).to_owned(), new);
            let shown = show(world, &of, service);
            if request.flag("validateOnly")
                && let Some(governance) = world.at(&of)
            {
                let kept = governance.things_mut(KEPT);
                match before {
                    Some(before) => kept.insert((*service).to_owned(), before),
                    None => kept.remove(*service),
                };
            }
            Ok(shown)
        }
        ("GET" | "PATCH", [_], "") => Err(missing(request)),
        _ => Err(request.unknown()),
    }
}

fn own(world: &GcpWorld, name: &str, service: &str) -> Option<Value> {
    world.governance(name)?.things(KEPT).get(service).cloned()
}

fn intended(of: &Value) -> &str {
    Some(text(of, "intendedEnablementState")).filter(|state| !state.is_empty()).unwrap_or("INHERITED")
}

/// The nearest that says something; nobody has switched anything on from the start.
fn effective(world: &GcpWorld, name: &str, said: impl Fn(&str) -> Option<Value>) -> String {
    let states =
        world.way_up(name).into_iter().filter_map(|at| said(&at)).map(|one| intended(&one).to_owned());
    let mut states = states.filter(|state| state != "INHERITED");
    states.next().unwrap_or_else(|| "DISABLED".to_owned())
}

fn show(world: &GcpWorld, of: &str, service: &str) -> Value {
    let parent = world.canonical(of);
    let own_settings = own(world, of, service).unwrap_or_else(|| json!({}));
    let state = effective(world, of, |at| own(world, at, service));
    let mut modules = Map::new();
    for (module, settings) in own_settings.get("modules").and_then(Value::as_object).into_iter().flatten() {
        // A service that is off has no module that is on.
        let on = if state == "DISABLED" {
            state.clone()
        } else {
            let said = |at: &str| own(world, at, service)?.pointer(&format!("/modules/{module}")).cloned();
            let said = effective(world, of, said);
            if intended(settings) == "INHERITED" && said == "DISABLED" { state.clone() } else { said }
        };
        modules.insert(
            module.clone(),
            json!({"intendedEnablementState": intended(settings), "effectiveEnablementState": on}),
        );
    }
    let mut shown = own_settings.clone();
    shown = with(shown, "name", format!("{parent}/locations/global/securityCenterServices/{service}"));
    shown = with(shown, "intendedEnablementState", intended(&own_settings));
    shown = with(shown, "effectiveEnablementState", state);
    if !modules.is_empty() {
        shown = with(shown, "modules", modules);
    }
    shown
}

fn check(service: &Value) -> Result<(), Refusal> {
    let modules = service.get("modules").and_then(Value::as_object);
    let states = modules.into_iter().flat_map(|modules| modules.values()).map(intended);
    for state in states.chain([intended(service)]) {
        if !["INHERITED", "ENABLED", "DISABLED"].contains(&state) {
            return Err(bad(format!("Invalid intended enablement state: {state}")));
        }
    }
    Ok(())
}
