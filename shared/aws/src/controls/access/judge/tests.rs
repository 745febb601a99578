use super::*;
use crate::controls::access::Access;
use crate::controls::landscape::{Landscape, MANIFEST};

const TENANT: &str = "222222222222";
const SET: &str = "arn:aws:sso:::permissionSet/ssoins-1/ps-1";
const ASKED: &str = "arn:aws:iam::aws:policy/PowerUserAccess";
const OTHER: &str = "arn:aws:iam::aws:policy/Other";

fn set(policies: Value, session: &str) -> Value {
    json!({"PermissionSet": SET, "Policies": policies, "Session": session, "Description": "Made by Landfall."})
}

/// The same set, with something else about it; what is null is taken out.
fn but(mut set: Value, more: Value) -> Value {
    let members = set.as_object_mut().unwrap();
    members.extend(more.as_object().unwrap().clone());
    members.retain(|_, value| !value.is_null());
    set
}

fn asked() -> Value {
    json!([ASKED])
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
fn a_length_may_be_written_otherwise() {
    assert_eq!(said(&granted().saw("access/developer", set(asked(), "PT480M"))), ["holds", "holds"]);
}

#[test]
fn a_set_of_others_is_never_changed_and_given_only_where_it_is_what_is_asked() {
    let theirs = |policies: Value, session: &str, more: Value| {
        but(but(set(policies, session), json!({"Description": null})), more)
    };
    let more = "fails: `developer` exists and is not Landfall's: it carries more than asked; rename the role or remove the set";
    let else_ = "fails: `developer` exists and is not Landfall's: it carries something else; rename the role or remove the set";
    let barred = "fails: the role `developer` has no permission set that carries what is asked and no more";
    let assigns = format!(
        "fails: the group `payments-dev` does not hold the role `developer` here\n\
         + handover access/developer/payments-dev#assign {{\"Assigned\":true}} \
         with {{\"Group\":\"g-1\",\"PermissionSet\":\"{SET}\"}}"
    );
    let inline = json!({"InlinePolicy": true});
    for (there, expected, held, not_held) in [
        (theirs(asked(), "PT8H", json!({})), "holds", "holds", assigns.as_str()),
        (theirs(asked(), "PT8H", json!({"Description": "For all"})), "holds", "holds", &assigns),
        (theirs(json!([ASKED, OTHER]), "PT8H", json!({})), more, barred, barred),
        (theirs(asked(), "PT8H", inline), more, barred, barred),
        (theirs(asked(), "PT12H", json!({})), more, barred, barred),
        (theirs(asked(), "forever", json!({})), more, barred, barred),
        (theirs(json!([OTHER]), "PT8H", json!({})), more, barred, barred),
        (theirs(json!([]), "PT8H", json!({})), else_, barred, barred),
        (theirs(asked(), "PT1H", json!({})), else_, barred, barred),
    ] {
        let landscape = granted().saw("access/developer", there.clone());
        assert_eq!(said(&landscape), [held, expected], "{there}");
        let without =
            landscape.saw("access/developer/payments-dev", json!({"Group": "g-1", "Assigned": false}));
        assert_eq!(said(&without), [not_held, expected], "{there}");
    }
}

#[test]
fn a_set_is_ours_by_its_description_or_by_the_ledger() {
    let unmarked = but(set(json!([]), "PT8H"), json!({"Description": null}));
    let lacks =
        format!("fails: the permission set `developer` lacks `{ASKED}`\n~ handover access/developer#update");
    for (description, made, ours) in [
        (Value::Null, false, false),
        (json!("Developers of all teams"), false, false),
        (json!("Made by Landfall."), false, true),
        (json!("Made by Landfall. Ask the platform team."), false, true),
        (Value::Null, true, true),
        (json!("Developers of all teams"), true, true),
    ] {
        let there = but(unmarked.clone(), json!({"Description": description}));
        let landscape = granted().saw("access/developer", there);
        let landscape = if made { landscape.made("access/developer") } else { landscape };
        let said = said(&landscape);
        assert_eq!(said[1].starts_with(&lacks), ours, "{description} {made}: {}", said[1]);
        // What was written on it stays; where nothing was, it is marked.
        let kept = if description.is_null() { json!("Made by Landfall.") } else { description };
        assert_eq!(said[1].contains(&format!("\"Description\":{kept}")), ours, "{}", said[1]);
    }
}

#[test]
fn an_inline_policy_is_told_and_left_and_its_set_given_to_nobody() {
    let inline = "the permission set `developer` has an inline policy, which the role does not ask for: take it out by hand";
    let there = but(set(asked(), "PT8H"), json!({"InlinePolicy": true}));
    let barred = "fails: the role `developer` has no permission set that carries what is asked and no more";
    assert_eq!(
        said(&granted().saw("access/developer", there)),
        [barred.to_owned(), format!("fails: {inline}")]
    );
    let drifted = but(set(json!([ASKED, OTHER]), "PT8H"), json!({"InlinePolicy": true}));
    let said = said(&granted().saw("access/developer", drifted));
    assert_eq!(said[0], barred);
    assert!(
        said[1].starts_with(&format!(
            "fails: the permission set `developer` carries `{OTHER}`, which the role does not ask for; {inline}\n~ "
        )),
        "{}",
        said[1]
    );
}

#[test]
fn nobody_is_given_a_set_before_it_is_mended() {
    for (policies, session) in
        [(json!([ASKED, OTHER]), "PT8H"), (json!([]), "PT8H"), (asked(), "PT12H"), (asked(), "PT1H")]
    {
        let landscape = granted()
            .saw("access/developer", set(policies, session))
            .saw("access/developer/payments-dev", json!({"Group": "g-1", "Assigned": false}));
        let said = said(&landscape);
        assert!(said[0].ends_with(" needs access/developer#update"), "{}", said[0]);
        assert!(said[1].contains("~ handover access/developer#update"), "{}", said[1]);
    }
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
         {\"Description\":\"Made by Landfall.\",\
         \"Policies\":[\"arn:aws:iam::aws:policy/PowerUserAccess\"],\"Session\":\"PT8H\"}"
    );
}

#[test]
fn a_group_that_the_identity_provider_does_not_know_gets_nothing() {
    let nobody = granted().saw("access/developer/payments-dev", json!({"Group": null, "Assigned": false}));
    assert_eq!(said(&nobody)[0], "fails: the identity provider has no group `payments-dev`");
}

#[test]
fn a_set_of_ours_is_brought_to_what_is_asked() {
    let there = but(set(json!([OTHER]), "PT12H"), json!({"RelayState": "https://x.example"}));
    let drifted = granted().saw("access/developer", there);
    assert_eq!(
        said(&drifted)[1],
        format!(
            "fails: the permission set `developer` lacks `arn:aws:iam::aws:policy/PowerUserAccess`; \
             the permission set `developer` carries `arn:aws:iam::aws:policy/Other`, which the role does not ask for; \
             its sessions last `PT12H`, not `PT8H`\n\
             ~ handover access/developer#update {{\"Description\":\"Made by Landfall.\",\"PermissionSet\":\"{SET}\",\
             \"Policies\":[\"arn:aws:iam::aws:policy/PowerUserAccess\"],\"RelayState\":\"https://x.example\",\
             \"Session\":\"PT8H\"}}"
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
    let none = Landscape::of(&text, &format!("aws/{TENANT}"));
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
