use super::*;
use crate::controls::access::Access;
use crate::controls::landscape::{Landscape, MANIFEST};

const TENANT: &str = "222222222222";
const SET: &str = "arn:aws:sso:::permissionSet/ssoins-1/ps-1";

fn set(policies: Value, session: &str) -> Value {
    json!({"PermissionSet": SET, "Policies": policies, "Session": session})
}

fn granted() -> Landscape {
    Landscape::adopted(TENANT)
        .saw("access/developer", set(json!(["arn:aws:iam::aws:policy/PowerUserAccess"]), "PT8H"))
        .saw("access/developer/payments-dev", json!({"Group": "g-1", "Assigned": true}))
}

/// The grant is said before the set that it needs.
fn said(landscape: &Landscape) -> Vec<String> {
    landscape.said(&Access)
}

#[test]
fn what_is_granted_and_there_needs_nothing() {
    assert_eq!(said(&granted()), ["holds", "holds"]);
    assert_eq!(granted().addresses(&Access), ["access/developer", "access/developer/payments-dev"]);
}

#[test]
fn what_others_added_to_a_set_stays_and_a_length_may_be_written_otherwise() {
    let policies = json!(["arn:aws:iam::aws:policy/Other", "arn:aws:iam::aws:policy/PowerUserAccess"]);
    assert_eq!(said(&granted().saw("access/developer", set(policies, "PT480M"))), ["holds", "holds"]);
}

#[test]
fn a_group_without_the_role_is_given_it() {
    let without = granted().saw("access/developer/payments-dev", json!({"Group": "g-1", "Assigned": false}));
    assert_eq!(
        said(&without)[0],
        format!(
            "fails: the group `payments-dev` does not hold the role `developer` here\n\
             + handover access/developer/payments-dev#assign {{\"Assigned\":true}} \
             with {{\"Group\":\"g-1\",\"PermissionSet\":\"{SET}\"}}"
        )
    );
}

#[test]
fn a_role_without_a_set_gets_one_and_the_grant_waits_for_it() {
    let first = granted()
        .saw_nothing("access/developer")
        .saw("access/developer/payments-dev", json!({"Group": "g-1", "Assigned": false}));
    let said = said(&first);
    assert!(
        said[0].ends_with("with {\"Group\":\"g-1\",\"PermissionSet\":null} needs access/developer#create")
    );
    assert_eq!(
        said[1],
        "fails: there is no permission set `developer`\n\
         + handover access/developer#create \
         {\"Policies\":[\"arn:aws:iam::aws:policy/PowerUserAccess\"],\"Session\":\"PT8H\"}"
    );
}

#[test]
fn a_group_that_the_identity_provider_does_not_know_gets_nothing() {
    let nobody = granted().saw("access/developer/payments-dev", json!({"Group": null, "Assigned": false}));
    assert_eq!(said(&nobody)[0], "fails: the identity provider has no group `payments-dev`");
}

#[test]
fn a_set_that_lost_a_policy_or_its_length_is_brought_up_to_date() {
    let drifted = granted().saw("access/developer", set(json!(["arn:aws:iam::aws:policy/Other"]), "PT12H"));
    assert_eq!(
        said(&drifted)[1],
        format!(
            "fails: the permission set `developer` lacks `arn:aws:iam::aws:policy/PowerUserAccess`; \
             its sessions last `PT12H`, not `PT8H`\n\
             ~ handover access/developer#update {{\"PermissionSet\":\"{SET}\",\"Policies\":\
             [\"arn:aws:iam::aws:policy/Other\",\"arn:aws:iam::aws:policy/PowerUserAccess\"],\"Session\":\"PT8H\"}}"
        )
    );
}

#[test]
fn a_grant_that_nobody_asks_for_is_taken_away_only_when_landfall_made_it() {
    let withdrawn = granted()
        .made("access/auditor/payments-audit")
        .saw("access/auditor", set(json!([]), "PT1H"))
        .saw("access/auditor/payments-audit", json!({"Group": "g-2", "Assigned": true}));
    assert_eq!(
        withdrawn.addresses(&Access),
        [
            "access/auditor",
            "access/developer",
            "access/developer/payments-dev",
            "access/auditor/payments-audit"
        ]
    );
    assert_eq!(
        said(&withdrawn)[2],
        format!(
            "fails: the group `payments-audit` is no longer granted the role `auditor`\n\
             - handover access/auditor/payments-audit#remove {{\"Assigned\":false}} \
             with {{\"Group\":\"g-2\",\"PermissionSet\":\"{SET}\"}}"
        )
    );
    let gone = withdrawn.saw("access/auditor/payments-audit", json!({"Group": "g-2", "Assigned": false}));
    assert!(said(&gone)[2].starts_with("not applicable"));
}

#[test]
fn a_set_that_can_t_be_seen_gives_nothing() {
    let blind = granted()
        .with("access/developer", Seen::Unreadable("denied".into()))
        .saw("access/developer/payments-dev", json!({"Group": "g-1", "Assigned": false}));
    assert_eq!(said(&blind), ["unknown: denied", "unknown: denied"]);
}

#[test]
fn where_nobody_has_access_nobody_looks() {
    let text = MANIFEST.replace("    access: { developer: [payments] }\n", "");
    let none = Landscape::of(&text, &format!("aws/{TENANT}"), |_| {});
    assert_eq!(none.said(&Access), ["not applicable: no team is given access"]);
    assert!(none.addresses(&Access).is_empty());
}

#[test]
fn policies_are_named_as_their_partition_has_them() {
    assert_eq!(arn("ReadOnlyAccess", "aws-cn"), "arn:aws-cn:iam::aws:policy/ReadOnlyAccess");
    assert_eq!(arn("ViewOnlyAccess", "aws"), "arn:aws:iam::aws:policy/job-function/ViewOnlyAccess");
    assert_eq!(arn("arn:aws:iam::aws:policy/x/Y", "aws"), "arn:aws:iam::aws:policy/x/Y");
}

#[test]
fn lengths_are_compared_in_seconds() {
    for (text, length) in [
        ("PT8H", Some(28_800)),
        ("PT1H30M", Some(5_400)),
        ("PT3600S", Some(3_600)),
        ("P1D", None),
        ("PT8", None),
    ] {
        assert_eq!(seconds(text), length, "{text}");
    }
}
