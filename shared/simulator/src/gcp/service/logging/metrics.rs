//! Log-based metrics: <https://cloud.google.com/logging/docs/reference/v2/rest/v2/projects.metrics>

use serde_json::Value;

use super::super::fields::{missing, only, text, with, without};
use super::{Resource, is_id, stamped};
use crate::gcp::answer::{Answered, bad, not_found, there_already};
use crate::gcp::page::page;
use crate::gcp::request::Request;
use crate::gcp::world::GcpWorld;

pub(in crate::gcp::service) const METRICS: &str = "logging/metrics";

const FIELDS: [&str; 10] = [
    "name",
    "description",
    "filter",
    "disabled",
    "bucketName",
    "metricDescriptor",
    "valueExtractor",
    "labelExtractors",
    "bucketOptions",
    "version",
];
const TOLD: [&str; 3] = ["createTime", "updateTime", "resourceName"];

pub(super) fn answer(
    world: &mut GcpWorld,
    request: &Request,
    resource: &Resource,
    method: &str,
    rest: &[&str],
) -> Answered {
    let governance = world.governance(&resource.name).ok_or_else(|| missing(request))?;
    let all = governance.things(METRICS);
    // A name may have slashes, which come encoded.
    let name = rest.join("/");
    let gone = || not_found(format!("Metric {name} does not exist"));
    match (method, rest) {
        ("GET", []) => page(world, request, "metrics", all.values().cloned(), 1_000),
        ("GET", _) => all.get(&name).cloned().ok_or_else(gone),
        ("POST", []) => {
            let name = request.needs("name")?;
            if all.contains_key(name) {
                return Err(there_already(format!("Metric {name} already exists")));
            }
            keep(world, request, resource, None)
        }
        // One that is not there is made.
        ("PUT", _) => {
            if request.text("name") != name {
                return Err(bad(format!("The metric's name must be {name}.")));
            }
            let old = all.get(&name).cloned();
            keep(world, request, resource, old.as_ref())
        }
        ("DELETE", _) => {
            all.get(&name).ok_or_else(gone)?;
            if let Some(governance) = world.at(&resource.name) {
                governance.things_mut(METRICS).remove(&name);
            }
            Ok(Value::Null)
        }
        _ => Err(request.unknown()),
    }
}

fn keep(world: &mut GcpWorld, request: &Request, resource: &Resource, old: Option<&Value>) -> Answered {
    only(&request.body, "metric", &[FIELDS.as_slice(), TOLD.as_slice()].concat())?;
    let name = request.text("name");
    if !is_id(name, &['_', '-', '.', ',', '+', '!', '*', '\'', '(', ')', '%', '/']) || name.starts_with('/') {
        return Err(bad(format!("Invalid metric name: {name:?}")));
    }
    request.needs("filter")?;
    let metric = without(request.body.clone(), &TOLD);
    let kind = format!("logging.googleapis.com/user/{name}");
    let mut descriptor = metric.get("metricDescriptor").cloned().unwrap_or_else(|| serde_json::json!({}));
    for (field, value) in [("metricKind", "DELTA"), ("valueType", "INT64")] {
        if text(&descriptor, field).is_empty() {
            descriptor = with(descriptor, field, value);
        }
    }
    descriptor = with(descriptor, "type", kind.clone());
    descriptor = with(descriptor, "name", format!("{}/metricDescriptors/{kind}", resource.name));
    let metric = with(with(metric, "metricDescriptor", descriptor), "version", "V2");
    let metric = with(metric, "resourceName", format!("{}/metrics/{name}", resource.name));
    let metric = stamped(metric, old, &request.now.to_string());
    let governance = world.at(&resource.name).ok_or_else(|| missing(request))?;
    governance.things_mut(METRICS).insert(name.to_owned(), metric.clone());
    Ok(metric)
}
