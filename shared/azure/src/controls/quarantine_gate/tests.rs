use super::*;
use crate::controls::landscape::Landscape;

fn says() -> Value {
    json(&Says { digest: quarantine(&Landscape::organization().desired).unwrap().digest() })
}

fn held(landscape: &Landscape) -> Value {
    json(&quarantined(&landscape.desired).unwrap().held())
}

/// The organization with everything that keeps the gate.
fn ready() -> Landscape {
    let organization = Landscape::organization();
    let held = held(&organization);
    organization
        .saw("units//", json!({"id": "acme"}))
        .saw("quarantine-gate/definition", says())
        .saw("quarantine-gate/group", json!({"id": "acme-quarantine", "parent": "acme"}))
        .saw("quarantine-gate/assignment", held)
        .saw("quarantine-gate/birthplace", birthplace("acme-quarantine"))
}

fn birthplace(group: &str) -> Value {
    json!({"defaultManagementGroup": format!("/providers/Microsoft.Management/managementGroups/{group}")})
}

/// A new subscription, with its gate as it is, and where it stands.
fn gate(landscape: Landscape, closed: bool, stands: Stands) -> Vec<String> {
    let held = held(&landscape);
    let mut gate = json!({"stands": stands, "parent": "some-group"});
    if closed {
        gate["assignment"] = held;
    }
    landscape
        .saw("quarantine-gate/definition", says())
        .saw("quarantine-gate/subscription", gate)
        .said(&QuarantineGate)
}

/// The first line of what is said, and of each change its sign, stage and name.
fn brief(said: &str) -> Vec<String> {
    let cut = |line: &str| {
        line.split(" {").next().unwrap_or_default().split(" with ").next().unwrap_or_default().to_owned()
    };
    said.lines().map(cut).collect()
}

#[test]
fn a_directory_that_is_ready_needs_nothing() {
    assert_eq!(ready().said(&QuarantineGate), ["holds"; 4]);
}

#[test]
fn in_a_fresh_directory_each_part_waits_for_what_it_stands_on() {
    let fresh = Landscape::organization()
        .saw_nothing("units//")
        .saw_nothing("quarantine-gate/definition")
        .saw_nothing("quarantine-gate/group")
        .saw_nothing("quarantine-gate/assignment")
        .saw_nothing("quarantine-gate/birthplace");
    let said = fresh.said(&QuarantineGate);
    assert!(said[0].ends_with("needs units//#create"), "{}", said[0]);
    assert!(said[1].ends_with("needs units//#create"), "{}", said[1]);
    assert!(
        said[2].ends_with("needs quarantine-gate/definition#create needs quarantine-gate/group#found"),
        "{}",
        said[2]
    );
    assert!(said[3].contains("+ foundation quarantine-gate/birthplace#bear"), "{}", said[3]);
    assert!(said[3].ends_with("needs quarantine-gate/group#found"), "{}", said[3]);
}

#[test]
fn whatever_opens_a_hole_in_the_gate_is_put_back() {
    let mut weak = held(&Landscape::organization());
    weak["mode"] = json!("DoNotEnforce");
    let said = ready().saw("quarantine-gate/assignment", weak).said(&QuarantineGate);
    assert!(
        said[2].starts_with("fails: the quarantine group's assignment is set to `DoNotEnforce`"),
        "{said:?}"
    );
    let edited = json!({"digest": Digest::of(b"other")});
    let said = ready().saw("quarantine-gate/definition", edited).said(&QuarantineGate);
    assert!(said[0].contains("~ foundation quarantine-gate/definition#update"), "{said:?}");
    assert!(said[2] == "holds", "the assignment is as it should be");
}

#[test]
fn another_birthplace_that_somebody_chose_is_replaced_only_within_the_limit_of_deletions() {
    let said = ready().saw("quarantine-gate/birthplace", birthplace("mg-landing")).said(&QuarantineGate);
    assert!(said[3].contains("~ foundation quarantine-gate/birthplace#bear"), "{said:?}");
    assert!(said[3].ends_with(" loses"), "{said:?}");
    let root = birthplace("8f0c1a52-0000-4000-8000-000000000001");
    let said = ready().saw("quarantine-gate/birthplace", root).said(&QuarantineGate);
    assert!(!said[3].ends_with(" loses"), "what Azure does by itself was nobody's choice");
}

#[test]
fn a_closed_gate_is_as_it_should_be_and_opens_last() {
    let said = gate(Landscape::new(2), true, Stands::BelowRoot);
    assert_eq!(said[0], "holds");
    assert_eq!(
        brief(&said[1]),
        ["due: closed until its baseline holds", "- open quarantine-gate/subscription#open"]
    );
    assert_eq!(
        gate(Landscape::new(2).waiting(), true, Stands::BelowRoot)[1],
        "due: stays closed until somebody names it"
    );
}

#[test]
fn an_open_gate_is_closed_first() {
    let said = gate(Landscape::new(2), false, Stands::BelowRoot);
    assert_eq!(
        brief(&said[1]),
        [
            "fails: its gate's assignment is missing",
            "+ gate quarantine-gate/subscription#assign",
            "- open quarantine-gate/subscription#open",
        ]
    );
    assert!(said[1].ends_with("needs quarantine-gate/subscription#assign"), "{}", said[1]);
    let waits = gate(Landscape::new(2).waiting(), false, Stands::BelowRoot);
    assert!(waits[1].contains("#assign") && !waits[1].contains("#open"), "{waits:?}");
}

#[test]
fn who_stands_in_somebody_else_s_part_of_the_tree_is_left_there() {
    let said = gate(Landscape::new(2), false, Stands::Elsewhere);
    assert!(
        said[1].starts_with("fails: it is new and stands in `some-group`, outside the root group"),
        "{said:?}"
    );
    assert!(!said[1].contains('#'), "{said:?}");
}

#[test]
fn a_quarantine_group_that_others_live_in_is_closed_only_within_the_limits() {
    let used = json!({"id": "acme-quarantine", "parent": "acme", "subscriptions": 7});
    let said = ready()
        .saw("quarantine-gate/group", used)
        .saw_nothing("quarantine-gate/assignment")
        .said(&QuarantineGate);
    assert!(said[2].ends_with(" loses reaches 7"), "{said:?}");
    let elsewhere = json!({"id": "acme-quarantine", "parent": "other"});
    let said = ready().saw("quarantine-gate/group", elsewhere).said(&QuarantineGate);
    assert!(said[1].starts_with("fails: the group `acme-quarantine` stands below `other`"), "{said:?}");
}

#[test]
fn who_was_born_beside_the_root_is_fetched_into_quarantine_first() {
    let said = gate(Landscape::new(2), false, Stands::AtTheTop);
    let brief = brief(&said[1]);
    assert_eq!(brief[1], "~ gate quarantine-gate/subscription#fetch");
    assert_eq!(brief[2], "+ gate quarantine-gate/subscription#assign");
    assert!(said[1].contains("needs quarantine-gate/subscription#fetch"), "{}", said[1]);
}

#[test]
fn after_handover_a_closed_gate_is_opened() {
    let handed = || Landscape::adopted(2).handed_over();
    let closed = handed();
    let held = held(&closed);
    let said = closed.saw("quarantine-gate/subscription", json!({"assignment": held})).said(&QuarantineGate);
    assert!(said[0].starts_with("fails: handed over, but its gate is still closed\n- open"), "{said:?}");
    let open = handed().saw("quarantine-gate/subscription", json!({"stands": "belowRoot"}));
    assert_eq!(open.said(&QuarantineGate), ["holds"]);
}

#[test]
fn landfall_s_own_subscription_is_never_gated() {
    let mut own = Landscape::new(2);
    own.desired.target = format!("azure/{}", crate::controls::landscape::subscription(1)).parse().unwrap();
    assert_eq!(
        gate(own, false, Stands::BelowRoot),
        ["not applicable: the subscription of Landfall is never gated"]
    );
}
