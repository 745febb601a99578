//! `quarantine-gate` on AWS: a service control policy on the account itself that denies everything, row O14.
//!
//! The organization keeps the policy; a new account gets it attached before anything else and detached after everything else.
//! Where the account stands in the tree does not matter, so moving it does not open the gate.

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use landfall_engine::cloud::{Made, Sighting};
use landfall_engine::control::{Compare, Control, Permissions};
use landfall_model::catalog::ControlKind;
use landfall_model::catalog::quarantine_gate::Settings;
use landfall_model::desired::{Desired, Standing};
use landfall_model::id::Digest;
use landfall_model::judgement::Verdict;
use landfall_model::observed::{Address, Seen};
use landfall_model::plan::{Change, Deed, Stage};
use landfall_model::target::Target;

use super::placement::never_moved;
use super::policies::{Document, Order, QUARANTINE, attached, describe, quarantine, write};
use super::{Aws, json, reported};
use crate::error::CallError;
use crate::session::{Reader, Session, Writer};

pub(super) struct QuarantineGate;

/// The policy, and whether it is attached to the account; for the organization, which attaches it nowhere, it never is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct Gate {
    attached: bool,
    policy_id: Option<String>,
    /// The digest of what the policy's document says.
    document: Option<Digest>,
}

fn address(target: &Target) -> Address {
    Address::global(
        QuarantineGate::KIND,
        match target {
            Target::Organization(_) => "policy",
            Target::Tenant(_) => "account",
        },
    )
}

#[async_trait]
impl Control for QuarantineGate {
    const KIND: ControlKind = ControlKind::QuarantineGate;
    const PERMISSIONS: Permissions = Permissions {
        read: &[
            "organizations:DescribePolicy",
            "organizations:ListPolicies",
            "organizations:ListPoliciesForTarget",
        ],
        write: &[
            "organizations:AttachPolicy",
            "organizations:CreatePolicy",
            "organizations:DetachPolicy",
            "organizations:UpdatePolicy",
        ],
    };

    type On = Aws;
    type Want = Settings;

    fn addresses(&self, _: &Settings, desired: &Desired) -> Vec<Address> {
        vec![address(&desired.target)]
    }

    async fn look(&self, reader: &Reader, desired: &Desired, _: &Address) -> Result<Sighting, CallError> {
        let session = &reader.0;
        let mut gate = Gate::default();
        let mut request = None;
        if let Target::Tenant(tenant) = &desired.target
            && let Some((listed, number)) = attached(session, tenant.native()).await?
        {
            request = number;
            gate.policy_id =
                listed.into_iter().find(|policy| policy.name == QUARANTINE).map(|policy| policy.id);
            gate.attached = gate.policy_id.is_some();
        }
        if gate.policy_id.is_none() {
            let policies = session.directory.policies().await?;
            gate.policy_id =
                policies.into_iter().find(|policy| policy.name == QUARANTINE).map(|policy| policy.id);
        }
        if let Some(id) = &gate.policy_id {
            match describe(session, id).await? {
                Some(held) => gate.document = Some(held.document),
                // Deleted since the policies were listed; it can't have been attached.
                None => gate = Gate::default(),
            }
        }
        Ok(Sighting { seen: Seen::present(&gate), request })
    }

    async fn write(&self, writer: &Writer, change: &Change, made: &Made) -> Result<Value, CallError> {
        let session: &Session = &writer.0;
        write(session, change, made).await
    }
}

impl Compare for QuarantineGate {
    type There = Gate;

    fn compare(&self, want: &Settings, desired: &Desired, address: &Address, there: Option<Gate>) -> Verdict {
        let gate = there.unwrap_or_default();
        match quarantine(desired) {
            Ok(document) => Drafts { address, gate: &gate, document: &document }.judge(want, desired),
            Err(why) => reported(format!("the gate's policy can't be made: {why}")),
        }
    }
}

struct Drafts<'a> {
    address: &'a Address,
    gate: &'a Gate,
    document: &'a Document,
}

impl Drafts<'_> {
    fn judge(&self, want: &Settings, desired: &Desired) -> Verdict {
        let Target::Tenant(tenant) = &desired.target else {
            return match self.policy(Stage::Foundation) {
                None => Verdict::Holds,
                Some(change) => Verdict::fails(change),
            };
        };
        if never_moved(desired) {
            let why = "the accounts of the organization and of Landfall are never gated".to_owned();
            return Verdict::NotApplicable { why };
        }
        let account = tenant.native();
        match desired.standing {
            Standing::New | Standing::Waiting => self.closed(want, account),
            Standing::HandedOver if self.gate.attached => Verdict::Fails {
                why: "handed over, but its gate is still closed".to_owned(),
                changes: vec![self.open(account)],
            },
            Standing::HandedOver => Verdict::Holds,
            Standing::Organization | Standing::Adopted | Standing::ReportOnly(_) => {
                Verdict::NotApplicable { why: "only new accounts are gated".to_owned() }
            }
        }
    }

    /// Before handover the gate is closed by a policy that says what it should; it opens last, or not before it is named.
    fn closed(&self, want: &Settings, account: &str) -> Verdict {
        let policy = self.policy(Stage::Gate);
        let attach = (!self.gate.attached).then(|| {
            let order = Order {
                name: QUARANTINE.to_owned(),
                id: self.gate.policy_id.clone(),
                target_id: Some(account.to_owned()),
                made_by: policy.as_ref().filter(|_| self.gate.policy_id.is_none()).map(|one| one.id.clone()),
                ..Order::default()
            };
            let mut attach = self.change("attach", Deed::Create, "the gate is open", &order, Stage::Gate);
            attach.after = Some(json!({"Attached": true}));
            attach.needs.extend(policy.iter().map(|one| one.id.clone()));
            attach
        });
        let mut changes: Vec<Change> = policy.into_iter().chain(attach).collect();
        let open = want.opens.then(|| {
            let mut open = self.open(account);
            if let Some(last) = changes.last() {
                open.needs.push(last.id.clone());
            }
            open
        });
        if changes.is_empty() {
            let why = match want.opens {
                true => "closed until its baseline holds",
                false => "stays closed until somebody names it",
            };
            return Verdict::Due { why: why.to_owned(), changes: open.into_iter().collect() };
        }
        let why = changes.iter().map(|change| change.reason.as_str()).collect::<Vec<_>>().join("; ");
        changes.extend(open);
        Verdict::Fails { why, changes }
    }

    /// What brings the policy to be, and to say what it should.
    fn policy(&self, stage: Stage) -> Option<Change> {
        let Document { name, content, controls: _ } = self.document;
        let digest = self.document.digest();
        let (verb, deed, why) = match (&self.gate.policy_id, &self.gate.document) {
            (None, _) => ("create", Deed::Create, "the gate's policy does not exist"),
            (Some(_), Some(there)) if there == &digest => return None,
            (Some(_), _) => ("update", Deed::Update, "the gate's policy does not say what it should"),
        };
        let order = Order {
            name: name.clone(),
            id: self.gate.policy_id.clone(),
            content: Some(content.clone()),
            ..Order::default()
        };
        let change = self.change(verb, deed, why, &order, stage);
        Some(change.after(json!({"Document": digest})))
    }

    fn open(&self, account: &str) -> Change {
        let order = Order {
            name: QUARANTINE.to_owned(),
            id: self.gate.policy_id.clone(),
            // Without an id the policy is made in this very run.
            made_by: self
                .gate
                .policy_id
                .is_none()
                .then(|| landfall_model::plan::ChangeId(format!("{}#create", self.address))),
            target_id: Some(account.to_owned()),
            ..Order::default()
        };
        self.change("detach", Deed::Delete, "its baseline holds", &order, Stage::Open)
            .after(json!({"Attached": false}))
    }

    fn change(&self, verb: &str, deed: Deed, why: &str, order: &Order, stage: Stage) -> Change {
        Change::new(self.address, verb, deed, why).before(Some(json(self.gate))).with(json(order)).at(stage)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::controls::landscape::Landscape;

    const NEW: &str = "222222222222";

    fn digest() -> Digest {
        quarantine(&Landscape::organization().desired).unwrap().digest()
    }

    fn gate(attached: bool) -> Value {
        json!({"Attached": attached, "PolicyId": "p-gate", "Document": digest()})
    }

    fn at(landscape: Landscape, gate: Value) -> Vec<String> {
        landscape.saw("quarantine-gate/account", gate).said(&QuarantineGate)
    }

    /// A tenant that no project names and no rule lets in.
    fn waiting() -> Landscape {
        Landscape::new(NEW).waiting()
    }

    #[test]
    fn the_organization_keeps_the_policy_and_attaches_it_nowhere() {
        let organization = || Landscape::organization();
        let here = |gate| organization().saw("quarantine-gate/policy", gate).said(&QuarantineGate);
        assert_eq!(here(gate(false)), ["holds"]);
        assert_eq!(
            here(json!({"Attached": false, "PolicyId": null, "Document": null})),
            [format!(
                "fails: the gate's policy does not exist\n\
                 + foundation quarantine-gate/policy#create {{\"Document\":\"{}\"}} \
                 with {{\"Content\":\"…\",\"Name\":\"landfall-quarantine\"}}",
                digest()
            )]
        );
        let edited = json!({"Attached": false, "PolicyId": "p-gate", "Document": Digest::of(b"{}")});
        assert!(here(edited)[0].contains("~ foundation quarantine-gate/policy#update"));
    }

    #[test]
    fn a_closed_gate_is_as_it_should_be_and_opens_last() {
        assert_eq!(
            at(Landscape::new(NEW), gate(true)),
            ["due: closed until its baseline holds\n\
              - open quarantine-gate/account#detach {\"Attached\":false} \
              with {\"Id\":\"p-gate\",\"Name\":\"landfall-quarantine\",\"TargetId\":\"222222222222\"}"]
        );
        assert_eq!(at(waiting(), gate(true)), ["due: stays closed until somebody names it"]);
    }

    #[test]
    fn an_open_gate_is_closed_first() {
        assert_eq!(
            at(Landscape::new(NEW), gate(false)),
            ["fails: the gate is open\n\
              + gate quarantine-gate/account#attach {\"Attached\":true} \
              with {\"Id\":\"p-gate\",\"Name\":\"landfall-quarantine\",\"TargetId\":\"222222222222\"}\n\
              - open quarantine-gate/account#detach {\"Attached\":false} \
              with {\"Id\":\"p-gate\",\"Name\":\"landfall-quarantine\",\"TargetId\":\"222222222222\"} \
              needs quarantine-gate/account#attach"]
        );
        let waits = at(waiting(), gate(false));
        assert!(waits[0].contains("#attach") && !waits[0].contains("#detach"), "{waits:?}");
    }

    #[test]
    fn where_there_is_no_policy_yet_the_first_gate_makes_it() {
        let none = json!({"Attached": false, "PolicyId": null, "Document": null});
        let said = at(Landscape::new(NEW), none);
        let lines: Vec<&str> = said[0].lines().collect();
        assert_eq!(lines[0], "fails: the gate's policy does not exist; the gate is open");
        assert!(lines[1].starts_with("+ gate quarantine-gate/account#create"));
        assert!(lines[2].ends_with("needs quarantine-gate/account#create"), "{}", lines[2]);
        assert!(lines[2].contains("\"MadeBy\":\"quarantine-gate/account#create\""));
        assert!(lines[3].contains("\"MadeBy\":\"quarantine-gate/account#create\""));
        assert!(lines[3].ends_with("needs quarantine-gate/account#attach"));
    }

    #[test]
    fn a_gate_whose_policy_was_edited_is_closed_again() {
        let edited = json!({"Attached": true, "PolicyId": "p-gate", "Document": Digest::of(b"{}")});
        let said = at(Landscape::new(NEW), edited);
        assert!(said[0].contains("~ gate quarantine-gate/account#update"), "{said:?}");
        assert!(said[0].ends_with("needs quarantine-gate/account#update"), "{said:?}");
    }

    #[test]
    fn after_handover_a_closed_gate_is_opened() {
        let handed = || Landscape::adopted(NEW).handed_over();
        assert_eq!(at(handed(), gate(false)), ["holds"]);
        let said = at(handed(), gate(true));
        assert!(said[0].starts_with(
            "fails: handed over, but its gate is still closed\n- open quarantine-gate/account#detach"
        ));
    }

    #[test]
    fn the_organization_s_own_account_and_ours_are_never_gated() {
        for account in ["111111111111", "333333333333"] {
            let mut landscape = Landscape::new(NEW);
            landscape.desired.target = format!("aws/{account}").parse().unwrap();
            assert_eq!(
                at(landscape, gate(false)),
                ["not applicable: the accounts of the organization and of Landfall are never gated"]
            );
        }
    }
}
