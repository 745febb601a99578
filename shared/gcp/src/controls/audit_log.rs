//! `audit-log` on Google Cloud: the organization's aggregated sink, row G17, and what its IAM policy says of data access logs, row G13.
//!
//! Both are the organization's, and made in its own target; each project is looked at for whether they reach it.

use std::collections::BTreeMap;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use landfall_engine::cloud::{Made, Sighting};
use landfall_engine::control::{Control, Judge, Permissions, kept};
use landfall_model::catalog::ControlKind;
use landfall_model::catalog::audit_log::Settings;
use landfall_model::desired::Desired;
use landfall_model::judgement::{Judgement, Verdict};
use landfall_model::observed::{Address, Observed, Seen, shows};
use landfall_model::plan::{Change, Deed};
use landfall_model::target::Target;

use super::iam_policy::{self, AuditConfig, AuditLogConfig, Part};
use super::{Gcp, json, nothing, reported, seen, unasked};
use crate::client::service::{LOGGING, RESOURCES};
use crate::error::CallError;
use crate::session::{Reader, Session, Writer};

const KIND: ControlKind = ControlKind::AuditLog;

/// The sink that is ours.
const NAME: &str = "landfall-audit";

/// All four audit logs, of everything: <https://cloud.google.com/logging/docs/audit>, "Log names".
const FILTER: &str = "logName:\"cloudaudit.googleapis.com\"";

const SINK: &str = "sink";
const DATA_ACCESS: &str = "data-access";

/// What is logged besides what always is: <https://cloud.google.com/logging/docs/audit/configure-data-access>.
const LOG_TYPES: [&str; 3] = ["ADMIN_READ", "DATA_READ", "DATA_WRITE"];

/// Every service.
const ALL_SERVICES: &str = "allServices";

const NOWHERE: &str = "no place is named for the audit logs of Google Cloud";

pub(super) struct AuditLog;

/// The organization's sinks, by name.
type Sinks = BTreeMap<String, Sink>;

/// A sink, in Google's own names, which the write takes as well.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Sink {
    destination: String,
    filter: String,
    include_children: bool,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    disabled: bool,
    /// What it leaves out.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    exclusions: Vec<Value>,
    /// As whom it writes: Google's own.
    #[serde(skip_serializing_if = "Option::is_none")]
    writer_identity: Option<String>,
}

#[derive(Deserialize)]
struct Named {
    name: String,
    #[serde(flatten)]
    sink: Sink,
}

impl Sink {
    fn to(destination: &str) -> Self {
        Sink {
            destination: destination.to_owned(),
            filter: FILTER.to_owned(),
            include_children: true,
            ..Sink::default()
        }
    }

    /// What it does not do of what is asked, for people; nothing where it does all of it. Another filter can't be judged.
    fn lacks(&self, destination: &str) -> Option<String> {
        let Sink { destination: to, filter, include_children, disabled, exclusions, writer_identity: _ } =
            self;
        let mut how = Vec::new();
        let mut unless = |right: bool, what: &str| {
            if !right {
                how.push(what.to_owned());
            }
        };
        unless(*include_children, "leaves out what is below the organization");
        unless(!disabled, "is disabled");
        unless(filter.is_empty() || filter == FILTER, "has another filter");
        unless(exclusions.iter().all(is_off), "leaves out what its exclusions say");
        if to != destination {
            how.push(format!("sends to `{to}`"));
        }
        if how.is_empty() { None } else { Some(how.join(", ")) }
    }
}

/// An exclusion that is switched off leaves nothing out.
fn is_off(exclusion: &Value) -> bool {
    exclusion.get("disabled").and_then(Value::as_bool) == Some(true)
}

/// Whether a sink can send there: <https://cloud.google.com/logging/docs/export/configure_export_v2>, "Destinations".
fn is_destination(text: &str) -> bool {
    let parts: Vec<&str> = text.split('/').collect();
    !parts.iter().any(|part| part.is_empty())
        && matches!(
            parts.as_slice(),
            ["storage.googleapis.com", _]
                | ["bigquery.googleapis.com", "projects", _, "datasets", _]
                | ["pubsub.googleapis.com", "projects", _, "topics", _]
                | ["logging.googleapis.com", "projects", _]
                | ["logging.googleapis.com", "projects", _, "locations", _, "buckets", _]
        )
}

/// The kinds of logs that are written for all services, and whose calls are left out of each.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
struct Logged {
    logged: BTreeMap<String, Vec<String>>,
}

impl Logged {
    fn of(configs: &[AuditConfig]) -> Self {
        let all = configs.iter().filter(|config| config.service == ALL_SERVICES);
        let mut logged: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for AuditLogConfig { log_type, exempted_members, .. } in
            all.flat_map(|config| &config.audit_log_configs)
        {
            logged.entry(log_type.clone()).or_default().extend(exempted_members.iter().cloned());
        }
        Logged { logged }
    }
}

/// Has all kinds of logs written for all services; whether that changes anything. Who is exempted stays so.
fn log_all(policy: &mut iam_policy::Policy) -> bool {
    let there = Logged::of(&policy.audit_configs);
    let missing: Vec<AuditLogConfig> = LOG_TYPES
        .iter()
        .filter(|log_type| !there.logged.contains_key(**log_type))
        .map(|log_type| AuditLogConfig { log_type: (*log_type).to_owned(), ..AuditLogConfig::default() })
        .collect();
    if missing.is_empty() {
        return false;
    }
    match policy.audit_configs.iter_mut().find(|config| config.service == ALL_SERVICES) {
        Some(config) => config.audit_log_configs.extend(missing),
        None => policy.audit_configs.push(AuditConfig {
            service: ALL_SERVICES.to_owned(),
            audit_log_configs: missing,
            ..AuditConfig::default()
        }),
    }
    true
}

fn address(resource: &str) -> Address {
    Address::global(KIND, resource)
}

fn resources(want: &Settings) -> impl Iterator<Item = &'static str> {
    let data_access = (want.gcp.is_some() && want.data_access).then_some(DATA_ACCESS);
    data_access.into_iter().chain(want.gcp.is_some().then_some(SINK))
}

fn organization(session: &Session) -> String {
    format!("organizations/{}", session.ground.organization)
}

#[async_trait]
impl Control for AuditLog {
    const KIND: ControlKind = KIND;
    const PERMISSIONS: Permissions = Permissions {
        read: &["logging.sinks.list", "resourcemanager.organizations.getIamPolicy"],
        write: &[
            "logging.sinks.create",
            "logging.sinks.get",
            "logging.sinks.update",
            "resourcemanager.organizations.getIamPolicy",
            "resourcemanager.organizations.setIamPolicy",
        ],
    };

    type On = Gcp;
    type Want = Settings;

    fn addresses(&self, want: &Settings, _: &Desired) -> Vec<Address> {
        resources(want).map(address).collect()
    }

    async fn look(&self, reader: &Reader, _: &Desired, at: &Address) -> Result<Sighting, CallError> {
        let session = &reader.0;
        let organization = organization(session);
        if at.resource == DATA_ACCESS {
            let (reply, policy) = iam_policy::read(&session.client, &RESOURCES, &organization).await?;
            return Ok(seen(&reply, &Logged::of(&policy.audit_configs)));
        }
        let (reply, all) = session.client.list(&LOGGING, &format!("{organization}/sinks"), "sinks").await?;
        let mut sinks = Sinks::new();
        for value in all {
            let Named { name, sink } =
                serde_json::from_value(value).map_err(|error| reply.unreadable(error))?;
            sinks.insert(name, sink);
        }
        Ok(if sinks.is_empty() { nothing(&reply) } else { seen(&reply, &sinks) })
    }

    async fn write(&self, writer: &Writer, change: &Change, _: &Made) -> Result<Value, CallError> {
        let session = &writer.0;
        let Session { client, .. } = session;
        let organization = organization(session);
        if change.address.resource == DATA_ACCESS {
            iam_policy::change(client, &RESOURCES, &organization, Part::AuditConfigs, log_all).await?;
            return Ok(Value::Null);
        }
        let sink = change.after.as_ref().and_then(|after| after.get(NAME));
        // INVARIANT: the changes are ours, and each says the sink.
        let Some(Value::Object(sink)) = sink else { return Err(CallError::NothingToWrite(KIND)) };
        let one = format!("{organization}/sinks/{NAME}");
        let mut body = sink.clone();
        body.insert("name".to_owned(), json!(NAME));
        let body = Value::Object(body);
        let reply = if change.deed == Deed::Create {
            match client
                .post(&LOGGING, &format!("{organization}/sinks?uniqueWriterIdentity=true"), &body)
                .await
            {
                // A lost answer leaves our own sink behind; another one of the name is put right by the next run.
                Err(error) if error.is_there_already() => {
                    let reply = client.get(&LOGGING, &one).await?;
                    let there = BTreeMap::from([(NAME, reply.json::<Sink>()?)]);
                    if !shows(&Seen::present(&there), change.after.as_ref()) {
                        return Err(error);
                    }
                    reply
                }
                other => other?,
            }
        } else {
            let mask = "destination,filter,includeChildren,disabled,exclusions";
            client
                .patch(&LOGGING, &format!("{one}?uniqueWriterIdentity=true&updateMask={mask}"), &body)
                .await?
        };
        let Sink { writer_identity, .. } = reply.json()?;
        Ok(json!({"writerIdentity": writer_identity}))
    }
}

impl Judge for AuditLog {
    fn judge(&self, want: &Settings, desired: &Desired, observed: &Observed) -> Vec<Judgement> {
        let Some(destination) = &want.gcp else { return vec![unasked(KIND, "control", NOWHERE)] };
        let of = |resource: &'static str| {
            let address = address(resource);
            Judgement::of(KIND, &address, observed, |there| {
                let verdict = match resource {
                    DATA_ACCESS => data_access(&address, there),
                    _ => sends(destination, &address, there),
                };
                in_its_own_run(desired, verdict)
            })
        };
        resources(want).map(of).collect()
    }
}

/// What is the organization's is put right in the organization's run.
fn in_its_own_run(desired: &Desired, verdict: Verdict) -> Verdict {
    match (&desired.target, verdict) {
        (Target::Tenant(_), Verdict::Fails { why, changes }) if !changes.is_empty() => reported(format!(
            "{why}: it is the organization's, and made in its own run where a unit asks for it"
        )),
        (Target::Organization(_) | Target::Tenant(_), verdict) => verdict,
    }
}

fn data_access(address: &Address, there: Option<&Value>) -> Verdict {
    let Logged { mut logged } = match kept::<Logged>(there) {
        Ok(logged) => logged.unwrap_or_default(),
        Err(unknown) => return unknown,
    };
    let missing: Vec<&str> =
        LOG_TYPES.into_iter().filter(|log_type| !logged.contains_key(*log_type)).collect();
    if missing.is_empty() {
        return Verdict::Holds;
    }
    let why = format!("of all services no {} logs are written", missing.join(", "));
    for log_type in missing {
        logged.insert(log_type.to_owned(), Vec::new());
    }
    let after = json(&Logged { logged });
    Verdict::fails(Change::new(address, "log", Deed::Update, why).before(there.cloned()).after(after))
}

fn sends(destination: &str, address: &Address, there: Option<&Value>) -> Verdict {
    if !is_destination(destination) {
        return reported(format!(
            "`{destination}` is no place that a sink can send to: name a bucket, a dataset, a topic or a project as Cloud Logging does"
        ));
    }
    let sinks = match kept::<Sinks>(there) {
        Ok(sinks) => sinks.unwrap_or_default(),
        Err(unknown) => return unknown,
    };
    let ours = sinks.get(NAME);
    let serves = |sink: &&Sink| sink.lacks(destination).is_none();
    if let Some(sink) = ours.filter(serves).or_else(|| sinks.values().find(serves)) {
        return match &sink.writer_identity {
            // Nobody but the owner of the destination can see whether it may.
            Some(writer) => Verdict::Due {
                why: format!(
                    "the owner of `{destination}` has to let `{writer}` write there; until then nothing arrives"
                ),
                changes: Vec::new(),
            },
            None => Verdict::Holds,
        };
    }
    let (deed, why) = match ours.and_then(|sink| sink.lacks(destination)) {
        Some(how) => (Deed::Update, format!("the sink `{NAME}` {how}")),
        None => {
            (Deed::Create, "no sink of the organization sends the audit logs to the named place".to_owned())
        }
    };
    let mut sink = json(&Sink::to(destination));
    if let (Deed::Update, Some(fields)) = (deed, sink.as_object_mut()) {
        // What is not said is not changed.
        fields.insert("disabled".to_owned(), json!(false));
        fields.insert("exclusions".to_owned(), json!([]));
    }
    let mut change = Change::new(address, "send", deed, why).before(there.cloned());
    change = change.after(json!({NAME: sink}));
    Verdict::fails(change)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::controls::landscape::Landscape;

    const BUCKET: &str = "logging.googleapis.com/projects/acme-logs/locations/eu/buckets/audit";
    const WRITER: &str = "serviceAccount:service-org-123456789012@gcp-sa-logging.iam.gserviceaccount.com";

    fn asking(data_access: bool) -> Landscape {
        Landscape::organization().asks(KIND, json!({"gcp": BUCKET, "data-access": data_access}))
    }

    fn sink(differs: &[(&str, Value)]) -> Value {
        let mut sink = json!({
            "destination": BUCKET, "filter": FILTER, "includeChildren": true, "writerIdentity": WRITER,
        });
        for (name, value) in differs {
            sink[name] = value.clone();
        }
        sink
    }

    fn said(sinks: Value) -> String {
        asking(false).saw("audit-log/sink", sinks).said(&AuditLog).remove(0)
    }

    #[test]
    fn a_sink_that_sends_everything_needs_nothing_but_that_it_may_write_there() {
        let needs = format!(
            "due: the owner of `{BUCKET}` has to let `{WRITER}` write there; until then nothing arrives"
        );
        assert_eq!(said(json!({NAME: sink(&[])})), needs);
        // Whoever made it.
        assert_eq!(said(json!({"theirs": sink(&[("filter", json!(""))])})), needs);
        let off = json!([{"name": "noise", "filter": "x", "disabled": true}]);
        assert_eq!(said(json!({NAME: sink(&[("exclusions", off)])})), needs);
        assert_eq!(said(json!({NAME: sink(&[("writerIdentity", Value::Null)])})), "holds");
        assert_eq!(asking(false).addresses(&AuditLog), ["audit-log/sink"]);
        assert_eq!(asking(true).addresses(&AuditLog), ["audit-log/data-access", "audit-log/sink"]);
    }

    #[test]
    fn a_sink_is_made_beside_those_of_others() {
        let after = json!({NAME: Sink::to(BUCKET)});
        let made = format!(
            "fails: no sink of the organization sends the audit logs to the named place\n+ baseline audit-log/sink#send {after}"
        );
        assert_eq!(asking(false).saw_nothing("audit-log/sink").said(&AuditLog), [made.as_str()]);
        for theirs in [
            sink(&[("destination", json!("storage.googleapis.com/elsewhere"))]),
            sink(&[("includeChildren", json!(false))]),
            sink(&[("filter", json!("severity>=ERROR"))]),
            sink(&[("disabled", json!(true))]),
            sink(&[("exclusions", json!([{"name": "noise", "filter": "x"}]))]),
        ] {
            assert_eq!(said(json!({"theirs": theirs})), made);
        }
    }

    #[test]
    fn our_sink_is_put_right() {
        for (field, value, how) in [
            (
                "destination",
                json!("storage.googleapis.com/elsewhere"),
                "sends to `storage.googleapis.com/elsewhere`",
            ),
            ("includeChildren", json!(false), "leaves out what is below the organization"),
            ("filter", json!("severity>=ERROR"), "has another filter"),
            ("disabled", json!(true), "is disabled"),
            ("exclusions", json!([{"name": "noise", "filter": "x"}]), "leaves out what its exclusions say"),
        ] {
            let told = said(json!({NAME: sink(&[(field, value)])}));
            assert!(
                told.starts_with(&format!(
                    "fails: the sink `landfall-audit` {how}\n~ baseline audit-log/sink#send"
                )),
                "{told}"
            );
            assert!(told.contains("\"disabled\":false") && told.contains("\"exclusions\":[]"), "{told}");
        }
    }

    #[test]
    fn kinds_of_logs_that_are_missing_are_added_and_who_is_exempted_stays_so() {
        let told = |logged: Value| {
            asking(true).saw("audit-log/data-access", json!({"logged": logged})).said(&AuditLog).remove(0)
        };
        let exempted = json!({"ADMIN_READ": [], "DATA_READ": ["user:ada@acme.example"], "DATA_WRITE": []});
        assert_eq!(told(exempted.clone()), "holds");
        assert_eq!(
            told(json!({"DATA_READ": ["user:ada@acme.example"]})),
            format!(
                "fails: of all services no ADMIN_READ, DATA_WRITE logs are written\n\
                 ~ baseline audit-log/data-access#log {}",
                json!({"logged": exempted})
            )
        );
        let mut policy: iam_policy::Policy = serde_json::from_value(json!({"auditConfigs": [
            {"service": "storage.googleapis.com", "auditLogConfigs": [{"logType": "DATA_READ"}]},
            {"service": "allServices", "auditLogConfigs": [{"logType": "DATA_READ", "exemptedMembers": ["user:ada@acme.example"]}]},
        ]}))
        .unwrap();
        assert!(log_all(&mut policy));
        assert!(!log_all(&mut policy));
        assert_eq!(
            json(&policy.audit_configs),
            json!([
                {"service": "storage.googleapis.com", "auditLogConfigs": [{"logType": "DATA_READ"}]},
                {"service": "allServices", "auditLogConfigs": [
                    {"logType": "DATA_READ", "exemptedMembers": ["user:ada@acme.example"]},
                    {"logType": "ADMIN_READ"}, {"logType": "DATA_WRITE"},
                ]},
            ])
        );
    }

    #[test]
    fn a_project_is_told_what_the_organization_lacks_and_changes_nothing() {
        let project =
            Landscape::adopted("acme-checkout-prod").asks(KIND, json!({"gcp": BUCKET, "data-access": true}));
        let said =
            project.saw("audit-log/data-access", json!({})).saw_nothing("audit-log/sink").said(&AuditLog);
        for told in &said {
            assert!(
                told.starts_with("fails: ") && told.ends_with("made in its own run where a unit asks for it"),
                "{told}"
            );
        }
        let nowhere = Landscape::organization().asks(KIND, json!({"data-access": true}));
        assert_eq!(nowhere.said(&AuditLog), [format!("not applicable: {NOWHERE}")]);
        assert!(nowhere.addresses(&AuditLog).is_empty());
    }

    #[test]
    fn a_destination_is_named_as_cloud_logging_does() {
        for (text, fits) in [
            (BUCKET, true),
            ("storage.googleapis.com/acme-audit", true),
            ("bigquery.googleapis.com/projects/acme-logs/datasets/audit", true),
            ("pubsub.googleapis.com/projects/acme-logs/topics/audit", true),
            ("logging.googleapis.com/projects/acme-logs", true),
            ("acme-audit", false),
            ("storage.googleapis.com/", false),
            ("gs://acme-audit", false),
        ] {
            assert_eq!(is_destination(text), fits, "{text}");
        }
    }
}
