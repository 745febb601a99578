//! The IAM policy of a project, a folder, the organization or a service account: read, changed, and written with what was read.
//!
//! Google keeps one document for each place, and a write replaces it. So it is read with conditions (`requestedPolicyVersion` 3; without
//! it conditions are lost), changed in the one thing that is ours, and written with the etag that was read: what others write in
//! between is never overwritten (<https://cloud.google.com/iam/docs/allow-policies>, "Etags"). What we don't know is written back as it came.

use std::time::Duration;

use backon::{BackoffBuilder as _, ExponentialBuilder};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::client::service::Service;
use crate::client::{Client, Reply};
use crate::error::CallError;

/// How often the document is read again because somebody else wrote meanwhile. A project that is being set up has several writers.
const TURNS: usize = 8;

/// The one document of a place.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Policy {
    #[serde(skip_serializing_if = "String::is_empty")]
    etag: String,
    bindings: Vec<Binding>,
    /// Which reads and writes of data are logged.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) audit_configs: Vec<AuditConfig>,
}

/// Who holds one role, always or under one condition.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Binding {
    role: String,
    members: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    condition: Option<Value>,
    #[serde(flatten)]
    rest: Map<String, Value>,
}

/// What is logged of one service, or of all.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct AuditConfig {
    /// `allServices`, or one API.
    pub(super) service: String,
    pub(super) audit_log_configs: Vec<AuditLogConfig>,
    #[serde(flatten)]
    pub(super) rest: Map<String, Value>,
}

/// One kind of log, and whose calls are left out of it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct AuditLogConfig {
    /// `ADMIN_READ`, `DATA_READ` or `DATA_WRITE`.
    pub(super) log_type: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) exempted_members: Vec<String>,
    #[serde(flatten)]
    pub(super) rest: Map<String, Value>,
}

/// Which part of the document a write replaces. The audit configurations are left as they are unless the mask names them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    Bindings,
    AuditConfigs,
}

impl Part {
    const fn mask(self) -> &'static str {
        match self {
            Part::Bindings => "bindings,etag",
            Part::AuditConfigs => "auditConfigs,etag",
        }
    }
}

/// A holder of a role.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Holding<'a> {
    pub(super) role: &'a str,
    pub(super) member: &'a str,
    /// It counts only where a condition does.
    pub(super) conditional: bool,
}

impl Policy {
    /// Everybody who holds anything here.
    pub(super) fn holdings(&self) -> impl Iterator<Item = Holding<'_>> {
        self.bindings.iter().flat_map(|binding| {
            binding.members.iter().map(|member| Holding {
                role: &binding.role,
                member,
                conditional: binding.condition.is_some(),
            })
        })
    }

    /// How somebody holds a role here, where they do: without a condition counts before under one.
    pub(super) fn holding(&self, role: &str, member: &str) -> Option<Holding<'_>> {
        let theirs = self.holdings().filter(|held| held.role == role && same(held.member, member));
        theirs.min_by_key(|held| held.conditional)
    }

    /// Gives somebody a role without a condition; whether that changes anything.
    pub(super) fn give(&mut self, role: &str, member: &str) -> bool {
        if self.holding(role, member).is_some_and(|held| !held.conditional) {
            return false;
        }
        let free = |binding: &&mut Binding| binding.role == role && binding.condition.is_none();
        match self.bindings.iter_mut().find(free) {
            Some(binding) => binding.members.push(member.to_owned()),
            None => self.bindings.push(Binding {
                role: role.to_owned(),
                members: vec![member.to_owned()],
                ..Binding::default()
            }),
        }
        true
    }

    /// Takes a role without a condition from somebody; whether that changes anything. What they hold under conditions stays.
    pub(super) fn take(&mut self, role: &str, member: &str) -> bool {
        let mut taken = false;
        for binding in &mut self.bindings {
            if binding.role == role && binding.condition.is_none() {
                let before = binding.members.len();
                binding.members.retain(|there| !same(there, member));
                taken |= binding.members.len() != before;
            }
        }
        // A binding of nobody is refused.
        self.bindings.retain(|binding| !binding.members.is_empty());
        taken
    }
}

/// Whether two members are one: Google keeps mail addresses in lower case, whoever writes them.
pub(super) fn same(one: &str, other: &str) -> bool {
    match (one.split_once(':'), other.split_once(':')) {
        (Some(("user" | "group" | "serviceAccount" | "domain", _)), Some(_)) => {
            one.eq_ignore_ascii_case(other)
        }
        _ => one == other,
    }
}

/// Reads the policy of a place: `projects/acme`, `folders/345678901234`.
pub(super) async fn read(
    client: &Client,
    service: &Service,
    place: &str,
) -> Result<(Reply, Policy), CallError> {
    let reply = if service.name == "iam" {
        // Service accounts take the version in the query, and no body.
        let path = format!("{place}:getIamPolicy?options.requestedPolicyVersion=3");
        client.post(service, &path, &Value::Null).await?
    } else {
        let body = json!({"options": {"requestedPolicyVersion": 3}});
        client.post(service, &format!("{place}:getIamPolicy"), &body).await?
    };
    let policy = reply.json()?;
    Ok((reply, policy))
}

/// Changes the policy of a place. `edit` says whether it changed anything; it is asked again for each document that is read.
pub(super) async fn change(
    client: &Client,
    service: &Service,
    place: &str,
    part: Part,
    edit: impl Fn(&mut Policy) -> bool,
) -> Result<(), CallError> {
    // Everybody who lost comes back at another moment.
    let mut waits = ExponentialBuilder::default()
        .with_jitter()
        .with_min_delay(Duration::from_millis(50))
        .with_max_delay(Duration::from_secs(3))
        .with_max_times(TURNS)
        .build();
    loop {
        let (_, mut policy) = read(client, service, place).await?;
        if !edit(&mut policy) {
            return Ok(());
        }
        match client.post(service, &format!("{place}:setIamPolicy"), &body(&policy, part)).await {
            Ok(_) => return Ok(()),
            Err(error) if error.is_conflict() => match waits.next() {
                Some(wait) => tokio::time::sleep(wait).await,
                None => {
                    return Err(error.explained(format!("others kept writing the IAM policy of `{place}`")));
                }
            },
            Err(error) => return Err(error),
        }
    }
}

/// What a write sends: only the part that it replaces, so that nothing else can be lost.
fn body(policy: &Policy, part: Part) -> Value {
    let Policy { etag, bindings, audit_configs } = policy;
    let document = match part {
        Part::Bindings => json!({"version": 3, "etag": etag, "bindings": bindings}),
        Part::AuditConfigs => json!({"version": 3, "etag": etag, "auditConfigs": audit_configs}),
    };
    json!({"policy": document, "updateMask": part.mask()})
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy(bindings: Value) -> Policy {
        serde_json::from_value(json!({"version": 3, "etag": "BwX", "bindings": bindings})).unwrap()
    }

    const GROUP: &str = "group:payments@acme.example";

    #[test]
    fn a_grant_joins_the_others_of_its_role_and_twice_is_once() {
        let mut there = policy(json!([{"role": "roles/viewer", "members": ["user:ada@acme.example"]}]));
        assert!(there.give("roles/viewer", GROUP));
        assert!(!there.give("roles/viewer", "group:Payments@acme.example"));
        assert_eq!(
            body(&there, Part::Bindings)["policy"]["bindings"],
            json!([{"role": "roles/viewer", "members": ["user:ada@acme.example", GROUP]}])
        );
    }

    #[test]
    fn what_is_held_under_a_condition_is_somebody_else_s_business() {
        let condition =
            json!({"title": "for a while", "expression": "request.time < timestamp('2027-01-01T00:00:00Z')"});
        let theirs = json!({"role": "roles/viewer", "members": [GROUP], "condition": condition});
        let mut there = policy(json!([theirs]));
        assert!(there.holding("roles/viewer", GROUP).unwrap().conditional);
        assert!(!there.take("roles/viewer", GROUP));
        assert!(there.give("roles/viewer", GROUP));
        assert!(!there.holding("roles/viewer", GROUP).unwrap().conditional);
        assert!(there.take("roles/viewer", GROUP));
        assert_eq!(body(&there, Part::Bindings)["policy"]["bindings"], json!([theirs]));
    }

    #[test]
    fn what_we_do_not_know_is_written_back_as_it_came() {
        let bindings = json!([{"role": "roles/owner", "members": ["principal://iam.googleapis.com/x"], "bindingId": "7"}]);
        let mut there = policy(bindings.clone());
        let written = body(&there, Part::Bindings);
        assert_eq!(written["policy"], json!({"version": 3, "etag": "BwX", "bindings": bindings}));
        assert_eq!(written["updateMask"], "bindings,etag");
        assert!(there.take("roles/owner", "principal://iam.googleapis.com/x"));
        assert_eq!(body(&there, Part::Bindings)["policy"]["bindings"], json!([]));
        let audit = json!([{"service": "allServices", "auditLogConfigs": [{"logType": "DATA_READ", "exemptedMembers": ["user:x"]}]}]);
        let there: Policy = serde_json::from_value(json!({"etag": "a", "auditConfigs": audit})).unwrap();
        let written = body(&there, Part::AuditConfigs);
        assert_eq!(
            written,
            json!({
                "policy": {"version": 3, "etag": "a", "auditConfigs": audit}, "updateMask": "auditConfigs,etag"
            })
        );
    }

    #[test]
    fn only_mail_addresses_are_the_same_in_another_case() {
        assert!(same("user:Ada@acme.example", "user:ada@ACME.example"));
        assert!(!same("user:ada@acme.example", "group:ada@acme.example"));
        assert!(!same("principalSet://x/A", "principalSet://x/a"));
    }
}
