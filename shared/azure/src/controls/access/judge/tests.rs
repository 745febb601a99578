use super::*;
use crate::controls::access::Access;
use crate::controls::landscape::Landscape;

const GROUP: &str = "5a0e0000-0000-4000-8000-00000000000a";
const GRANT: &str = "access/5a0e0000-0000-4000-8000-00000000000a/Contributor";
const READER: &str = "access/5a0e0000-0000-4000-8000-00000000000b/Reader";
const CONTRIBUTOR: &str = "b24988ac-6180-42a0-ab88-20f7382dd24c";
const HERE: &str = "/subscriptions/3f2c0000-0000-4000-8000-000000000002";
const SUPPORT: &str = "landfall acme support";

/// The name that Landfall gives the assignment.
fn name() -> String {
    assignment_name("3f2c0000-0000-4000-8000-000000000002", GROUP, CONTRIBUTOR)
}

fn held(name: &str) -> Value {
    json!({"role": CONTRIBUTOR, "assigned": true, "name": name, "description": "Made by Landfall: developer gives it."})
}

/// The same, with something else about it.
fn but(mut value: Value, more: Value) -> Value {
    value.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    value
}

fn nobody() -> Value {
    json!({"holders": []})
}

fn granted() -> Landscape {
    Landscape::adopted(2).saw(GRANT, held(&name())).saw("access/owners", nobody())
}

fn said(landscape: &Landscape) -> Vec<String> {
    landscape.said(&Access)
}

/// With other settings than the manifest's.
fn asking(mut landscape: Landscape, disturb: impl Fn(&mut Value)) -> Landscape {
    for asked in &mut landscape.desired.asked {
        if asked.control == KIND {
            disturb(asked.settings.as_mut().unwrap());
        }
    }
    landscape
}

#[test]
fn what_is_granted_and_there_needs_nothing() {
    assert_eq!(said(&granted()), ["holds", "holds"]);
    assert_eq!(granted().addresses(&Access), [GRANT, "access/owners"]);
}

#[test]
fn a_group_without_the_role_is_given_it_under_a_derived_name() {
    let without = granted().saw(GRANT, json!({"role": CONTRIBUTOR, "assigned": false}));
    assert_eq!(
        said(&without)[0],
        format!(
            "fails: the group `{GROUP}` does not hold `Contributor` here, which `developer` should give\n\
             + handover {GRANT}#assign {{\"assigned\":true,\"condition\":false}} with \
             {{\"description\":\"Made by Landfall: developer gives it.\",\"group\":\"{GROUP}\",\
             \"name\":\"{}\",\"role\":\"{CONTRIBUTOR}\"}}",
            name()
        )
    );
}

#[test]
fn names_are_derived_from_scope_group_and_role_without_case() {
    let one = assignment_name("3F2C", "5A0E", "B249");
    assert_eq!(one, assignment_name("3f2c", "5a0e", "b249"));
    for other in [("3f2d", "5a0e", "b249"), ("3f2c", "5a0f", "b249"), ("3f2c", "5a0e", "b24a")] {
        assert_ne!(one, assignment_name(other.0, other.1, other.2));
    }
    // What was made yesterday is found under the same name tomorrow.
    assert_eq!(name(), "ddc1dbdd-e578-5f36-a60a-c2e4d25ef953");
}

#[test]
fn one_that_somebody_made_by_hand_holds_and_is_left() {
    let theirs = |more: Value| granted().saw(GRANT, but(held("by-hand"), more));
    assert_eq!(said(&theirs(json!({"description": null})))[0], "holds");
    assert_eq!(
        said(&theirs(json!({"condition": true})))[0],
        format!(
            "fails: the group `{GROUP}` holds `Contributor` only under a condition, by an assignment that is not Landfall's"
        )
    );
}

#[test]
fn a_condition_on_one_of_ours_is_taken_off() {
    let narrowed = granted().saw(GRANT, but(held(&name()), json!({"condition": true})));
    assert!(
        said(&narrowed)[0].starts_with(&format!(
            "fails: the group `{GROUP}` holds `Contributor` only under a condition, which nobody asks for\n\
             ~ handover {GRANT}#assign {{\"assigned\":true,\"condition\":false}} with "
        )),
        "{}",
        said(&narrowed)[0]
    );
}

#[test]
fn a_role_that_azure_does_not_know_is_told_and_the_others_go_on() {
    let unknown = asking(granted(), |settings| {
        settings["grants"][0]["rights"]["azure"] = json!(["Contributor", "Contribtor"]);
    })
    .saw(&GRANT.replace("Contributor", "Contribtor"), json!({"role": null, "assigned": false}));
    assert_eq!(
        said(&unknown),
        [
            "fails: Azure has no role `Contribtor` that could be assigned here, which `developer` should give: name it as Azure does",
            "holds",
            "holds"
        ]
    );
}

#[test]
fn a_group_that_is_no_object_id_is_told_and_nobody_looks() {
    let named = asking(granted(), |settings| settings["grants"][0]["group"] = json!("payments-dev"));
    assert_eq!(said(&named), ["fails: `payments-dev` is not the object id of a group: give that", "holds"]);
    assert_eq!(named.addresses(&Access), ["access/owners"]);
}

#[test]
fn two_roles_that_give_the_same_are_one_assignment() {
    let both = asking(granted(), |settings| {
        let mut other = settings["grants"][0].clone();
        other["role"] = json!("operator");
        other["rights"]["azure"] = json!(["contributor"]);
        settings["grants"].as_array_mut().unwrap().push(other);
    });
    assert_eq!(both.addresses(&Access), [GRANT, "access/owners"]);
    let without = both.saw(GRANT, json!({"role": CONTRIBUTOR, "assigned": false}));
    assert!(said(&without)[0].contains("which `developer`, `operator` should give"), "{}", said(&without)[0]);
}

#[test]
fn a_grant_that_nobody_asks_for_is_taken_away_only_when_landfall_made_it() {
    let reader = "acdd72a7-3385-48ef-bd42-f606fba81ae7";
    let group = "5a0e0000-0000-4000-8000-00000000000b";
    let ours = assignment_name("3f2c0000-0000-4000-8000-000000000002", group, reader);
    let there = |name: &str, description: &str| {
        granted()
            .made(READER)
            .saw(READER, json!({"role": reader, "assigned": true, "name": name, "description": description}))
    };
    assert_eq!(there(&ours, "").addresses(&Access), [GRANT, READER, "access/owners"]);
    let removes = |name: &str| {
        format!(
            "fails: the group `{group}` is no longer granted `Reader`\n\
             - handover {READER}#remove {{\"assigned\":false}} with {{\"name\":\"{name}\"}}"
        )
    };
    assert_eq!(said(&there(&ours, ""))[1], removes(&ours));
    assert_eq!(said(&there("moved", "Made by Landfall: auditor gives it."))[1], removes("moved"));
    assert_eq!(
        said(&there("by-hand", "ticket 4711"))[1],
        format!(
            "not applicable: `{group}` is no longer granted `Reader`, and has it by an assignment that is not Landfall's"
        )
    );
    for gone in [json!({"role": reader, "assigned": false}), json!({"role": null, "assigned": false})] {
        assert_eq!(
            said(&granted().made(READER).saw(READER, gone))[1],
            format!("not applicable: `{group}` is no longer granted `Reader`, and has it no more")
        );
    }
    // Whatever is not in the ledger is not even looked at.
    assert_eq!(granted().saw(READER, held("by-hand")).addresses(&Access), [GRANT, "access/owners"]);
}

#[test]
fn what_is_still_asked_in_another_spelling_is_not_taken_away() {
    let spelled = granted().made(&GRANT.replace("Contributor", "contributor"));
    assert_eq!(said(&spelled), ["holds", "holds"]);
}

fn holder(principal: &str, kind: &str, role: &str, scope: &str) -> Value {
    json!({"holders": [{"principal": principal, "kind": kind, "role": role, "scope": scope}]})
}

#[test]
fn whoever_could_open_the_gate_is_named_unless_the_manifest_names_them() {
    let maker = "77777777-0000-4000-8000-000000000001";
    let owner = |principal: &str, scope: &str| holder(principal, "User", "Owner", scope);
    let inside = "fails: not named by the manifest, and able to hand out rights or take policies away here, so to open the gate from inside: ";
    let after = "fails: not named by the manifest, and able to hand out rights or take policies away here: ";
    let before =
        "not applicable: there before Landfall, and able to hand out rights or take policies away here: ";
    let last = |landscape: Landscape| said(&landscape).pop().unwrap();
    let new = || Landscape::new(2).saw(GRANT, held(&name()));
    let told = format!("the user `{maker}` (Owner)");
    for (landscape, expected) in
        [(new(), inside), (new().waiting(), inside), (new().handed_over(), after), (granted(), before)]
    {
        assert_eq!(last(landscape.saw("access/owners", owner(maker, HERE))), format!("{expected}{told}"));
    }
    for (seen, expected) in [
        (nobody(), "holds".to_owned()),
        // Break-glass, Landfall's own identities, and whom the manifest grants it.
        (owner("5a0e0000-0000-4000-8000-0000000000bb", HERE), "holds".to_owned()),
        (owner("5A0E0000-0000-4000-8000-0000000000AA", "/"), "holds".to_owned()),
        (holder(GROUP, "Group", "Contributor", HERE), "holds".to_owned()),
        // The manifest grants it here, and not above.
        (
            holder(GROUP, "Group", "Contributor", "/providers/Microsoft.Management/managementGroups/acme"),
            format!("{inside}the group `{GROUP}` (Contributor on the management group `acme`)"),
        ),
        (holder(GROUP, "Group", "Owner", HERE), format!("{inside}the group `{GROUP}` (Owner)")),
        (
            holder(maker, "ServicePrincipal", "User Access Administrator", "/"),
            format!("{inside}the service principal `{maker}` (User Access Administrator on `/`)"),
        ),
        (
            but(
                json!({}),
                json!({"holders": [{"principal": maker, "kind": "Device", "role": "Owner",
                "scope": HERE, "condition": true}]}),
            ),
            format!("{inside}the principal `{maker}` (Owner, under a condition)"),
        ),
    ] {
        assert_eq!(last(new().saw("access/owners", seen.clone())), expected, "{seen}");
    }
    let many: Vec<Value> = (0..12)
        .map(|n| json!({"principal": format!("p{n:02}"), "kind": "User", "role": "Owner", "scope": HERE}))
        .collect();
    let many = last(new().saw("access/owners", json!({"holders": many})));
    assert!(many.contains("`p09`") && !many.contains("`p10`") && many.ends_with(", and 2 more"), "{many}");
}

#[test]
fn a_role_that_could_not_be_read_is_not_taken_for_one_that_lets_nobody_out() {
    let who = |principal: &str, role: &str| json!({"principal": principal, "kind": "User", "role": role, "scope": HERE});
    let (maker, spared) = ("77777777-0000-4000-8000-000000000001", "5a0e0000-0000-4000-8000-0000000000bb");
    let unread = format!("the user `{maker}` (b1)");
    let table = [
        (json!([]), json!([who(spared, "b1")]), "holds".to_owned()),
        (
            json!([]),
            json!([who(maker, "b1")]),
            format!(
                "unknown: a role that could not be read may let its holder hand out rights or take policies away here: {unread}"
            ),
        ),
        (
            json!([who(maker, "Owner")]),
            json!([who(maker, "b1")]),
            format!(
                "fails: not named by the manifest, and able to hand out rights or take policies away here: the user `{maker}` \
                 (Owner); perhaps also, by a role that could not be read: {unread}"
            ),
        ),
    ];
    for (holders, unread, expected) in table {
        let seen = json!({"holders": holders, "unread": unread});
        let landscape = Landscape::new(2).handed_over().saw(GRANT, held(&name()));
        assert_eq!(said(&landscape.saw("access/owners", seen)).pop().unwrap(), expected);
    }
}

#[test]
fn a_new_subscription_that_nobody_names_is_looked_at_as_well() {
    let unnamed = Landscape::new(9);
    assert_eq!(unnamed.addresses(&Access), ["access/owners"]);
    assert_eq!(said(&unnamed.saw("access/owners", nobody())), ["holds"]);
}

#[test]
fn what_can_t_be_seen_is_unknown() {
    let blind = granted()
        .with(GRANT, Seen::Unreadable("denied".into()))
        .with("access/owners", Seen::Unreadable("denied".into()));
    assert_eq!(said(&blind), ["unknown: denied", "unknown: denied"]);
}

#[test]
fn a_role_that_gives_nothing_here_is_told_once() {
    let silent = asking(granted(), |settings| settings["grants"][0]["rights"]["azure"] = json!([]));
    assert_eq!(said(&silent), ["not applicable: the role `developer` gives nothing on Azure", "holds"]);
    assert_eq!(silent.addresses(&Access), ["access/owners"]);
}

#[test]
fn a_role_with_actions_is_assigned_by_its_own_definition() {
    let own = asking(granted(), |settings| {
        settings["grants"][0]["role"] = json!("support");
        settings["grants"][0]["rights"]["azure"] = json!({"actions": ["Microsoft.Support/*"]});
    });
    assert_eq!(own.addresses(&Access), [format!("access/{GROUP}/{SUPPORT}"), "access/owners".to_owned()]);
    let id = own_id(&own.desired, SUPPORT).unwrap();
    assert_eq!(own_id(&own.desired, "Landfall Acme Support").unwrap(), id);
    assert_eq!(own_id(&own.desired, "landfall other support"), None);
    let without = own.saw(&format!("access/{GROUP}/{SUPPORT}"), json!({"role": id, "assigned": false}));
    assert!(said(&without)[0].contains(&format!("\"role\":\"{id}\"")), "{}", said(&without)[0]);
}

// The definitions.

/// The directory, with one role of its own.
fn directory() -> Landscape {
    let settings = json!({"grants": [], "roles": {"support": {"azure": {
        "roles": ["Reader"], "actions": ["Microsoft.Support/*"], "not-actions": ["Microsoft.Support/operations/read"],
    }}}});
    Landscape::organization().saw("units//", json!({"id": "acme"})).asks(KIND, settings)
}

fn definition() -> Value {
    json!({
        "roleName": SUPPORT,
        "assignableScopes": ["/providers/Microsoft.Management/managementGroups/Acme"],
        "permissions": [{"actions": ["microsoft.support/*"], "notActions": ["Microsoft.Support/operations/read"],
            "dataActions": [], "notDataActions": []}],
    })
}

#[test]
fn a_definition_that_says_what_the_manifest_says_needs_nothing() {
    let there = directory().saw("access/roles/support", definition());
    assert_eq!(there.addresses(&Access), ["access/roles/support"]);
    assert_eq!(said(&there), ["holds"]);
}

#[test]
fn a_missing_definition_is_made_and_waits_for_the_root_group() {
    let id = own_id(&directory().desired, SUPPORT).unwrap();
    let made = format!(
        "fails: there is no role `{SUPPORT}`\n+ foundation access/roles/support#define \
         {{\"assignableScopes\":[\"/providers/Microsoft.Management/managementGroups/acme\"],\
         \"permissions\":[{{\"actions\":[\"Microsoft.Support/*\"],\"dataActions\":[],\
         \"notActions\":[\"Microsoft.Support/operations/read\"],\"notDataActions\":[]}}],\"roleName\":\"{SUPPORT}\"}} \
         with {{\"description\":\"Made by Landfall as the role support of acme. Changes are put back.\",\"name\":\"{id}\"}}"
    );
    let missing = directory().saw_nothing("access/roles/support");
    assert_eq!(said(&missing), [made.as_str()]);
    assert_eq!(said(&missing.saw_nothing("units//")), [format!("{made} needs units//#create")]);
}

#[test]
fn a_definition_that_drifted_is_put_right() {
    let permissions = |more: Value| {
        let one = but(definition()["permissions"][0].clone(), more);
        json!({"permissions": [one]})
    };
    for (more, how) in [
        (permissions(json!({"actions": []})), "lacks `microsoft.support/*` among its actions"),
        (
            permissions(json!({"actions": ["Microsoft.Support/*", "*/write"]})),
            "has `*/write` among its actions, which nobody asks for",
        ),
        (
            permissions(json!({"notActions": []})),
            "lacks `microsoft.support/operations/read` among its not-actions",
        ),
        (permissions(json!({"dataActions": ["*"]})), "has `*` among its data-actions, which nobody asks for"),
        (json!({"permissions": []}), "is made of several parts"),
        (json!({"roleName": "helpers"}), "is called `helpers`"),
        (json!({"assignableScopes": ["/subscriptions/x"]}), "can be assigned in `/subscriptions/x`"),
    ] {
        let there = directory().saw("access/roles/support", but(definition(), more));
        let said = said(&there);
        assert!(
            said[0].starts_with(&format!(
                "fails: the role `{SUPPORT}` {how}\n~ foundation access/roles/support#define "
            )),
            "{}",
            said[0]
        );
    }
}

#[test]
fn a_definition_that_nobody_asks_for_goes_only_when_landfall_made_it() {
    let dropped =
        || asking(directory(), |settings| settings["roles"] = json!({})).made("access/roles/support");
    let id = own_id(&directory().desired, SUPPORT).unwrap();
    let there = dropped().saw("access/roles/support", definition());
    assert_eq!(there.addresses(&Access), ["access/roles/support"]);
    assert_eq!(
        said(&there),
        [format!(
            "fails: the role `{SUPPORT}` is no longer asked for\n\
             - foundation access/roles/support#drop with {{\"name\":\"{id}\"}} loses"
        )]
    );
    assert_eq!(
        said(&dropped().saw_nothing("access/roles/support")),
        [format!("not applicable: the role `{SUPPORT}` is no longer asked for, and is gone")]
    );
}
