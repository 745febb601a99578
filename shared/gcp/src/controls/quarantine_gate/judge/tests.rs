use landfall_model::catalog::ControlKind;

use super::*;
use crate::controls::landscape::Landscape;
use crate::controls::quarantine_gate::QuarantineGate;

const PROJECT: &str = "acme-checkout-prod";
const DENY: &str = "quarantine-gate/deny-policy";

/// A new project whose gate is closed as it should be.
fn shut() -> Landscape {
    with_gate(Landscape::new(PROJECT))
}

fn with_gate(mut landscape: Landscape) -> Landscape {
    let rule = asked(&landscape.desired, "415104041262").unwrap();
    for (constraint, spec) in closing(&landscape.desired).collect::<Vec<_>>() {
        let address = of_constraint(constraint).to_string();
        landscape = landscape.made(&address).saw(&address, json!({"spec": spec}));
    }
    landscape
        .made(DENY)
        .saw(DENY, json!({"number": "415104041262", "policy": {"etag": "e1", "rules": [rule]}}))
}

/// The same with one field of its rule set otherwise.
fn disturbed(field: &str, value: Value) -> String {
    let landscape = shut();
    let mut rule = json(&asked(&landscape.desired, "415104041262").unwrap());
    rule[field] = value;
    let gate = json!({"number": "415104041262", "policy": {"etag": "e1", "rules": [rule]}});
    brief(landscape.saw(DENY, gate).said(&QuarantineGate).last().unwrap()).join("\n")
}

/// The first line of what is said, and of each change its sign, stage and name.
fn brief(said: &str) -> Vec<String> {
    let cut = |line: &str| {
        line.split(" {").next().unwrap_or_default().split(" with ").next().unwrap_or_default().to_owned()
    };
    said.lines().map(cut).collect()
}

#[test]
fn a_closed_gate_is_as_it_should_be_and_opens_last() {
    let said = shut().said(&QuarantineGate);
    let constraints: Vec<&str> = denied::constraints().iter().map(|(name, _)| *name).collect();
    for (said, constraint) in said.iter().zip(constraints) {
        assert_eq!(
            brief(said),
            [
                "due: closed until its baseline holds",
                &format!("- open quarantine-gate/constraints/{constraint}#open")
            ]
        );
    }
    assert_eq!(
        brief(said.last().unwrap()),
        ["due: closed until its baseline holds", "- open quarantine-gate/deny-policy#open"]
    );
    assert_eq!(said.len(), 5);
    for said in with_gate(Landscape::new(PROJECT).waiting()).said(&QuarantineGate) {
        assert_eq!(said, "due: stays closed until somebody names it");
    }
}

#[test]
fn an_open_gate_is_closed_first() {
    let mut landscape = Landscape::new(PROJECT);
    for (constraint, _) in denied::constraints() {
        landscape = landscape.saw_nothing(&of_constraint(constraint).to_string());
    }
    let said = landscape.saw(DENY, json!({"number": "415104041262"})).said(&QuarantineGate);
    assert_eq!(
        brief(&said[0]),
        [
            "fails: `compute.vmExternalIpAccess` is not set",
            "+ gate quarantine-gate/constraints/compute.vmExternalIpAccess#close",
            "- open quarantine-gate/constraints/compute.vmExternalIpAccess#open needs \
             quarantine-gate/constraints/compute.vmExternalIpAccess#close",
        ]
    );
    assert_eq!(
        brief(&said[4]),
        [
            "fails: nobody is denied anything",
            "+ gate quarantine-gate/deny-policy#close",
            "- open quarantine-gate/deny-policy#open"
        ]
    );
    assert!(said[4].contains("\"deniedPrincipals\":[\"principalSet://goog/public:all\"]"), "{}", said[4]);
    for spared in [
        "principal://iam.googleapis.com/projects/-/serviceAccounts/factory@acme-seed.iam.gserviceaccount.com",
        "principal://iam.googleapis.com/projects/-/serviceAccounts/landfall-write@acme-landfall.iam.gserviceaccount.com",
        "principalSet://cloudresourcemanager.googleapis.com/projects/415104041262/type/ServiceAgent",
        "principalSet://goog/group/break-glass@acme.example",
    ] {
        assert!(said[4].contains(spared), "{spared}: {}", said[4]);
    }
}

#[test]
fn whatever_opens_a_hole_in_the_deny_policy_is_put_back() {
    let rest = "\n~ gate quarantine-gate/deny-policy#restore\n- open quarantine-gate/deny-policy#open";
    let landscape = shut();
    let rule = asked(&landscape.desired, "415104041262").unwrap();
    let mut spared = rule.exception_principals.clone();
    spared.insert("principal://goog/subject/eve@acme.example".to_owned());
    let fewer: Vec<&String> =
        rule.denied_permissions.iter().filter(|name| !name.ends_with("instances.create")).collect();
    for (field, value, how) in [
        (
            "exceptionPrincipals",
            json!(spared),
            "spares, unasked, `principal://goog/subject/eve@acme.example`",
        ),
        (
            "deniedPermissions",
            json!(fewer),
            "does not deny `alloydb.googleapis.com/instances.create`, `cloudsql.googleapis.com/instances.create`, \
             `compute.googleapis.com/instances.create`, `file.googleapis.com/instances.create`, `redis.googleapis.com/instances.create`",
        ),
        (
            "exceptionPermissions",
            json!(["iam.googleapis.com/roles.create"]),
            "lets through `iam.googleapis.com/roles.create`",
        ),
        ("deniedPrincipals", json!(["principal://goog/subject/eve@acme.example"]), "does not bind everybody"),
        ("denialCondition", json!({"expression": "false"}), "binds only under a condition"),
    ] {
        assert_eq!(disturbed(field, value), format!("fails: the gate's deny policy {how}{rest}"));
    }
    let two = json!({"number": "415104041262", "policy": {"rules": [rule, {}]}});
    let said = landscape.saw(DENY, two).said(&QuarantineGate);
    assert!(said[4].starts_with("fails: the gate's deny policy has 2 rules and not one"), "{said:?}");
}

#[test]
fn more_denied_than_asked_and_another_case_are_no_hole() {
    let rule = asked(&shut().desired, "415104041262").unwrap();
    let mut more = rule.denied_permissions.clone();
    more.insert("pubsub.googleapis.com/topics.create".to_owned());
    assert!(disturbed("deniedPermissions", json!(more)).starts_with("due: closed"));
    let other: Vec<String> =
        rule.exception_principals.iter().map(|name| name.replace("break-glass@", "Break-Glass@")).collect();
    assert!(disturbed("exceptionPrincipals", json!(other)).starts_with("due: closed"));
}

#[test]
fn a_constraint_of_somebody_else_stays_and_one_of_ours_is_put_back() {
    let at = "quarantine-gate/constraints/iam.disableServiceAccountKeyCreation";
    let off = json!({"spec": {"rules": [{"enforce": false}]}});
    let said = shut().saw(at, off.clone()).said(&QuarantineGate);
    assert!(
        said[2].contains("~ gate quarantine-gate/constraints/iam.disableServiceAccountKeyCreation#restore"),
        "{said:?}"
    );
    let mut theirs = shut();
    theirs.desired.record.made.remove(&at.parse().unwrap());
    for spec in [off, json!({"spec": {"rules": [{"enforce": true}]}})] {
        theirs = theirs.saw(at, spec);
        assert_eq!(
            theirs.said(&QuarantineGate)[2],
            "due: the project's policy on `iam.disableServiceAccountKeyCreation` is somebody else's, and stays as it is"
        );
    }
}

#[test]
fn a_project_that_asks_for_denied_services_has_that_policy_to_itself() {
    let names = |project: &str| Landscape::new(project).addresses(&QuarantineGate);
    let services = "quarantine-gate/constraints/gcp.restrictServiceUsage".to_owned();
    assert!(names(PROJECT).contains(&services));
    assert!(!names("acme-checkout-dev").contains(&services));
    assert_eq!(names("acme-checkout-dev").len(), 4);
    let mut listed = Landscape::new(PROJECT);
    let asked = listed.desired.asked.iter_mut().find(|asked| asked.control == ControlKind::Policies).unwrap();
    let points = asked.settings.as_mut().unwrap()["points"].as_array_mut().unwrap();
    points.last_mut().unwrap()["asks"]["organization-policies"] = json!({"enforce": ["iam.disableServiceAccountKeyCreation"], "deny": {"compute.vmExternalIpAccess": ["x"]}});
    let left = listed.addresses(&QuarantineGate);
    assert_eq!(
        left,
        [services.as_str(), "quarantine-gate/constraints/iam.disableServiceAccountKeyUpload", DENY]
    );
}

#[test]
fn after_handover_only_what_the_ledger_shows_as_closed_is_looked_at() {
    let opened = Landscape::adopted(PROJECT).handed_over();
    assert_eq!(opened.addresses(&QuarantineGate), [""; 0]);
    assert_eq!(
        opened.said(&QuarantineGate),
        ["not applicable: it was opened when the project was handed over, as the ledger shows"]
    );
    let at = "quarantine-gate/constraints/compute.vmExternalIpAccess";
    let left = || Landscape::adopted(PROJECT).handed_over().made(DENY).made(at);
    assert_eq!(left().addresses(&QuarantineGate), [at, DENY]);
    let said = left()
        .saw_nothing(at)
        .saw(DENY, json!({"number": "1", "policy": {"rules": []}}))
        .said(&QuarantineGate);
    assert_eq!(said[0], "holds");
    assert_eq!(
        brief(&said[1]),
        ["fails: handed over, but its gate is still closed", "- open quarantine-gate/deny-policy#open"]
    );
}

#[test]
fn nothing_is_closed_that_landfall_could_not_open_or_work_behind() {
    let mut nobody = Landscape::new(PROJECT);
    let landfall_model::manifest::Cloud::Gcp(ground) = &mut nobody.desired.ground else { panic!() };
    ground.identities.write = None;
    let said = nobody.saw(DENY, json!({"number": "1"})).said(&QuarantineGate);
    assert!(
        said[4].starts_with("fails: the gate can't be closed: `identities.write` names nobody"),
        "{said:?}"
    );
    assert!(!said[4].contains('#'));
    let mut domain = Landscape::new(PROJECT);
    domain.desired.break_glass.push("domain:acme.example".to_owned());
    let said = domain.saw(DENY, json!({"number": "1"})).said(&QuarantineGate);
    assert!(
        said[4]
            .starts_with("fails: the gate can't be closed: a deny policy can't spare `domain:acme.example`"),
        "{said:?}"
    );
}

#[test]
fn landfall_s_own_project_and_those_that_were_there_are_never_gated() {
    let mut own = Landscape::new(PROJECT);
    own.desired.target = "gcp/acme-landfall".parse().unwrap();
    assert_eq!(own.said(&QuarantineGate), ["not applicable: the project of Landfall is never gated"]);
    let mut adopted = Landscape::new(PROJECT);
    adopted.desired.standing = Standing::Adopted;
    assert_eq!(adopted.said(&QuarantineGate), ["not applicable: only new projects are gated"]);
    assert!(adopted.addresses(&QuarantineGate).is_empty());
    assert_eq!(
        Landscape::organization().said(&QuarantineGate),
        ["not applicable: each new project has a gate of its own"]
    );
}
