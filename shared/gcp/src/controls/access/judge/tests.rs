use super::*;
use crate::controls::access::Access;
use crate::controls::landscape::Landscape;

const PROJECT: &str = "acme-checkout-prod";
const GRANT: &str = "access/payments@acme.example/roles/editor";
const OWNERS: &str = "access/owners";

/// A project whose team has what it is granted, and that nobody else could open.
fn ready(landscape: Landscape) -> Landscape {
    landscape.saw(GRANT, json!({"held": true})).saw(OWNERS, json!({"holders": []}))
}

fn holder(member: &str, role: &str, place: &str) -> Value {
    json!({"member": member, "role": role, "place": place})
}

/// What is said of those who could open a gate.
fn owners_of(landscape: Landscape, owners: Value) -> String {
    ready(landscape).saw(OWNERS, owners).said(&Access).pop().unwrap()
}

#[test]
fn a_team_that_has_its_role_needs_nothing() {
    let landscape = ready(Landscape::adopted(PROJECT));
    assert_eq!(landscape.addresses(&Access), [GRANT, OWNERS]);
    assert_eq!(landscape.said(&Access), ["holds", "holds"]);
}

#[test]
fn a_grant_that_is_missing_or_held_only_under_a_condition_is_made() {
    let change = "+ handover access/payments@acme.example/roles/editor#grant {\"held\":true} with \
                  {\"group\":\"payments@acme.example\",\"role\":\"roles/editor\"}";
    for (there, how) in [
        (json!({"held": false}), "does not hold"),
        (json!({"held": false, "underCondition": true}), "only under a condition holds"),
    ] {
        assert_eq!(
            ready(Landscape::adopted(PROJECT)).saw(GRANT, there).said(&Access)[0],
            format!(
                "fails: the group `payments@acme.example` {how} `roles/editor` here, which `developer` should give\n{change}"
            )
        );
    }
}

#[test]
fn what_is_no_longer_granted_is_taken_where_the_ledger_shows_it_as_ours() {
    let gone = "access/old@acme.example/roles/viewer";
    let withdrawn = || ready(Landscape::adopted(PROJECT)).made(gone);
    assert_eq!(withdrawn().addresses(&Access), [GRANT, gone, OWNERS]);
    assert_eq!(
        withdrawn().saw(gone, json!({"held": true})).said(&Access)[1],
        "fails: the group `old@acme.example` is no longer granted `roles/viewer`\n\
         - handover access/old@acme.example/roles/viewer#revoke {\"held\":false} with \
         {\"group\":\"old@acme.example\",\"role\":\"roles/viewer\"}"
    );
    for there in [json!({"held": false}), json!({"held": false, "underCondition": true})] {
        assert_eq!(
            withdrawn().saw(gone, there).said(&Access)[1],
            "not applicable: `old@acme.example` is no longer granted `roles/viewer`, and has it no more"
        );
    }
    // What is still granted is not withdrawn, however it was written when it was made.
    assert_eq!(
        ready(Landscape::adopted(PROJECT))
            .made("access/Payments@acme.example/roles/editor")
            .addresses(&Access),
        [GRANT, OWNERS]
    );
}

#[test]
fn who_could_open_the_gate_is_named_unless_the_manifest_does() {
    let ada = holder("user:ada@acme.example", "roles/owner", "projects/acme-checkout-prod");
    let above = holder(
        "group:admins@acme.example",
        "roles/resourcemanager.organizationAdmin",
        "organizations/123456789012",
    );
    let said = owners_of(Landscape::new(PROJECT), json!({"holders": [ada, above]}));
    assert_eq!(
        said,
        "fails: not named by the manifest, and able to hand out rights or take policies away here, so to open the gate: \
         `group:admins@acme.example` (roles/resourcemanager.organizationAdmin on `organizations/123456789012`), \
         `user:ada@acme.example` (roles/owner)"
    );
    let told = owners_of(Landscape::adopted(PROJECT), json!({"holders": [ada]}));
    assert!(told.starts_with("not applicable: there before Landfall"), "{told}");
    let told = owners_of(Landscape::adopted(PROJECT).handed_over(), json!({"holders": [ada]}));
    assert!(told.starts_with("fails: not named by the manifest") && !told.contains("gate"), "{told}");
    for named in [
        "serviceAccount:landfall-write@acme-landfall.iam.gserviceaccount.com",
        "serviceAccount:factory@acme-seed.iam.gserviceaccount.com",
        "group:Break-Glass@acme.example",
    ] {
        let owners = json!({"holders": [holder(named, "roles/owner", "folders/1")]});
        assert_eq!(owners_of(Landscape::new(PROJECT), owners), "holds", "{named}");
    }
    // What the manifest grants it grants here and nowhere else.
    let team =
        |place: &str| json!({"holders": [holder("group:payments@acme.example", "roles/editor", place)]});
    assert_eq!(owners_of(Landscape::new(PROJECT), team("projects/acme-checkout-prod")), "holds");
    assert!(owners_of(Landscape::new(PROJECT), team("folders/1")).starts_with("fails"));
}

#[test]
fn a_role_that_could_not_be_read_is_unknown_and_never_fine() {
    let unread = json!({"unread": [holder("user:eve@acme.example", "organizations/1/roles/x", "folders/1")]});
    assert_eq!(
        owners_of(Landscape::new(PROJECT), unread),
        "unknown: a role that could not be read may let its holder hand out rights or take policies away here: \
         `user:eve@acme.example` (organizations/1/roles/x on `folders/1`)"
    );
}

#[test]
fn a_group_is_named_by_its_mail_address() {
    let mut landscape = ready(Landscape::adopted(PROJECT));
    let asked = landscape.desired.asked.iter_mut().find(|asked| asked.control == KIND).unwrap();
    asked.settings.as_mut().unwrap()["grants"][0]["group"] = json!("payments");
    assert_eq!(landscape.said(&Access)[0], "fails: `payments` is not the mail address of a group: give that");
    let asked = landscape.desired.asked.iter_mut().find(|asked| asked.control == KIND).unwrap();
    asked.settings.as_mut().unwrap()["grants"][0]["group"] = json!("group:payments@acme.example");
    assert_eq!(landscape.said(&Access)[0], "holds");
}

#[test]
fn a_role_with_permissions_of_its_own_is_granted_by_its_definition() {
    let mut landscape = ready(Landscape::adopted(PROJECT));
    let asked = landscape.desired.asked.iter_mut().find(|asked| asked.control == KIND).unwrap();
    asked.settings.as_mut().unwrap()["grants"][0]["rights"]["gcp"] =
        json!({"roles": ["roles/editor"], "permissions": ["compute.instances.reset"]});
    assert_eq!(
        landscape.addresses(&Access),
        [
            "access/payments@acme.example/organizations/123456789012/roles/landfall_acme_developer",
            GRANT,
            OWNERS
        ]
    );
}

// The definitions.

const SUPPORT: &str = "access/roles/first-support";

/// The organization, with one role of its own.
fn organization() -> Landscape {
    let settings = json!({"grants": [], "roles": {"first-support": {"gcp": {
        "roles": ["roles/viewer"], "permissions": ["compute.instances.reset", "compute.instances.start"],
    }}}});
    Landscape::organization().asks(KIND, settings)
}

fn definition() -> Value {
    json!({"title": "Landfall: first-support", "includedPermissions": ["compute.instances.reset", "compute.instances.start"], "stage": "GA"})
}

#[test]
fn a_definition_that_says_what_it_should_needs_nothing() {
    let there = organization().saw(SUPPORT, definition());
    assert_eq!(there.addresses(&Access), [SUPPORT]);
    assert_eq!(there.said(&Access), ["holds"]);
}

#[test]
fn a_definition_is_made_and_put_right() {
    let told = |sign: char, how: &str| {
        format!(
            "fails: {how}\n{sign} foundation access/roles/first-support#define {} with \
             {{\"description\":\"Made by Landfall as the role first-support of acme. Changes are put back.\",\
             \"role\":\"organizations/123456789012/roles/landfall_acme_first_support\"}}",
            json(&serde_json::from_value::<Definition>(definition()).unwrap())
        )
    };
    let id = "the role `landfall_acme_first_support`";
    assert_eq!(
        organization().saw_nothing(SUPPORT).said(&Access),
        [told('+', "there is no role `landfall_acme_first_support`")]
    );
    for (field, value, sign, how) in [
        ("includedPermissions", json!(["compute.instances.reset"]), '~', "lacks `compute.instances.start`"),
        (
            "includedPermissions",
            json!(["compute.instances.delete", "compute.instances.reset", "compute.instances.start"]),
            '~',
            "has `compute.instances.delete`, which nobody asks for",
        ),
        ("title", json!("Support"), '~', "is called `Support`"),
        ("stage", json!("DISABLED"), '~', "is set to `DISABLED`"),
        ("deleted", json!(true), '+', "was deleted"),
    ] {
        let mut there = definition();
        there[field] = value;
        assert_eq!(organization().saw(SUPPORT, there).said(&Access), [told(sign, &format!("{id} {how}"))]);
    }
}

#[test]
fn a_definition_that_nobody_asks_for_any_more_is_dropped() {
    let gone = "access/roles/old";
    let dropped = || organization().saw(SUPPORT, definition()).made(gone);
    let said = dropped().saw(gone, definition()).said(&Access);
    assert_eq!(
        said[1],
        "fails: the role `landfall_acme_old` is no longer asked for\n\
         - foundation access/roles/old#drop {\"deleted\":true} with {\"role\":\"organizations/123456789012/roles/landfall_acme_old\"} loses"
    );
    let mut deleted = definition();
    deleted["deleted"] = json!(true);
    for landscape in [dropped().saw_nothing(gone), dropped().saw(gone, deleted)] {
        assert_eq!(
            landscape.said(&Access)[1],
            "not applicable: the role `landfall_acme_old` is no longer asked for, and is gone"
        );
    }
}
