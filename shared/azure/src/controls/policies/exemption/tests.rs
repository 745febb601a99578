use super::super::{InPolicies, Policies};
use super::*;
use crate::controls::allowed_regions::AllowedRegions;
use crate::controls::block_public_storage::BlockPublicStorage;
use crate::controls::landscape::{Landscape, subscription};
use landfall_model::observed::Look;
use landfall_model::plan::Change;

const STORAGE: &str = "/providers/Microsoft.Management/managementGroups/acme.workloads\
                       /providers/Microsoft.Authorization/policyAssignments/lf-block-public-storage";

fn at() -> String {
    format!("policies/{}/exemptions", subscription(2))
}

fn accepted() -> Exemption {
    Exemption {
        control: ControlKind::BlockPublicStorage,
        tenant: format!("azure/{}", subscription(2)).parse().unwrap(),
        category: Category::Mitigated,
        reason: "Pictures of the shop are public.".to_owned(),
        requested_by: "Ada".to_owned(),
        approved_by: "Grace".to_owned(),
        expires: "2027-01-31".parse().unwrap(),
    }
}

/// A subscription whose units carry everything, looked at on this day.
fn tenant(exemptions: Vec<Exemption>, day: &str, seen: Value) -> Landscape {
    let mut tenant = Landscape::adopted(2);
    tenant.desired.exemptions = exemptions;
    let desired = tenant.desired.clone();
    for point in points(&desired) {
        let all = compile::assignments(&point, ground(&desired).unwrap()).unwrap();
        let assigned: BTreeMap<_, _> = all.iter().map(|one| (&*one.name, one.held())).collect();
        tenant = tenant.saw(&address(&point.at).to_string(), json!({"assigned": assigned, "others": 0}));
    }
    let look =
        Look { seen: Seen::Present(seen), at: format!("{day}T12:00:00Z").parse().unwrap(), request: None };
    tenant.observed.0.insert(at().parse().unwrap(), look);
    tenant
}

fn none() -> Value {
    json!({"ours": {}, "others": {}, "inAll": 0})
}

/// The exemption as it should be.
fn written() -> Value {
    json!({"ours": { name("lf-block-public-storage", STORAGE): granted(&accepted(), STORAGE) }, "others": {}, "inAll": 1})
}

fn judged(tenant: &Landscape) -> (String, Vec<Change>) {
    let judgements = tenant.judged(&Policies);
    let judgement = judgements.into_iter().find(|one| one.address.to_string() == at()).unwrap();
    match judgement.verdict {
        Verdict::Holds => ("holds".to_owned(), Vec::new()),
        Verdict::Fails { why, changes } => (why, changes),
        other @ (Verdict::Due { .. } | Verdict::Unknown { .. } | Verdict::NotApplicable { .. }) => {
            (format!("{other:?}"), Vec::new())
        }
    }
}

fn ids(changes: &[Change]) -> Vec<String> {
    changes.iter().map(|change| format!("{} {}", change.deed.sign(), change.id)).collect()
}

#[test]
fn where_nobody_is_exempt_nothing_is_written() {
    assert_eq!(judged(&tenant(Vec::new(), "2026-11-21", none())).0, "holds");
}

#[test]
fn an_exemption_of_the_manifest_is_written_and_the_control_does_not_hold_while_it_does() {
    let (why, changes) = judged(&tenant(vec![accepted()], "2026-11-21", none()));
    assert_eq!(why, "the exemption from `block-public-storage` is not written");
    let name = name("lf-block-public-storage", STORAGE);
    assert!(name.len() <= 64);
    assert_eq!(ids(&changes), [format!("+ {}#create-{name}", at())]);
    assert_eq!(
        changes[0].with,
        Some(json!({
            "id": format!("/subscriptions/{}/providers/Microsoft.Authorization/policyExemptions/{name}", subscription(2)),
            "body": {"properties": {
                "policyAssignmentId": STORAGE,
                "exemptionCategory": "Mitigated",
                "expiresOn": "2027-01-31T23:59:59Z",
                "displayName": "Landfall: exempt from block-public-storage",
                "description": "Pictures of the shop are public. Requested by Ada, approved by Grace.",
            }},
        }))
    );
    assert!(!changes[0].loses && changes[0].reaches.is_none(), "it binds nobody");

    let exempt = tenant(vec![accepted()], "2026-11-21", written());
    assert_eq!(judged(&exempt).0, "holds");
    assert_eq!(
        exempt.said(&BlockPublicStorage),
        [format!("fails: `{name}` exempts the subscription until 2027-01-31T23:59:59Z")]
    );
    assert_eq!(exempt.said(&InPolicies(AllowedRegions)), ["holds"]);
}

#[test]
fn an_exemption_that_was_stretched_by_hand_is_put_right() {
    let name = name("lf-block-public-storage", STORAGE);
    for (what, value) in [("expires", json!("2037-01-31T23:59:59Z")), ("category", json!("Waiver"))] {
        let mut stretched = written();
        stretched["ours"][&name][what] = value;
        let (why, changes) = judged(&tenant(vec![accepted()], "2026-11-21", stretched));
        assert_eq!(why, format!("`{name}` is not as the manifest says"));
        assert_eq!(ids(&changes), [format!("~ {}#update-{name}", at())]);
    }
}

#[test]
fn an_exemption_that_is_over_or_taken_back_goes_when_landfall_made_it() {
    let name = name("lf-block-public-storage", STORAGE);
    let over = tenant(vec![accepted()], "2027-02-01", written()).made(&at());
    let (why, changes) = judged(&over);
    assert_eq!(why, format!("`{name}` is over"));
    assert_eq!(ids(&changes), [format!("- {}#delete-{name}", at())]);
    assert_eq!(changes[0].reaches, Some(1));
    assert_eq!(over.said(&BlockPublicStorage), ["holds"], "Azure honours it no more");

    let taken_back = tenant(Vec::new(), "2026-11-21", written()).made(&at());
    assert_eq!(judged(&taken_back).0, format!("nothing exempts it by `{name}` any more"));
    let (why, changes) = judged(&tenant(Vec::new(), "2026-11-21", written()));
    assert!(why.contains("somebody else exempts from `lf-block-public-storage`"), "{why}");
    assert!(changes.is_empty());
}

#[test]
fn on_its_last_day_it_still_holds() {
    assert_eq!(judged(&tenant(vec![accepted()], "2027-01-31", written())).0, "holds");
}

#[test]
fn who_exempted_themselves_is_reported_and_the_control_does_not_hold() {
    let id = format!(
        "/subscriptions/{}/resourceGroups/shop/providers/Microsoft.Authorization/policyExemptions/mine",
        subscription(2)
    );
    let seen = |expires: Option<&str>| json!({"ours": {}, "others": { &id: {"assignment": STORAGE.to_uppercase(), "category": "Waiver", "expires": expires} }, "inAll": 0});
    let mut lower = seen(None);
    lower["others"][&id]["assignment"] = json!(STORAGE);
    let (why, changes) = judged(&tenant(Vec::new(), "2026-11-21", lower));
    assert_eq!(
        why,
        format!("somebody else exempts from `lf-block-public-storage` by `{id}`: reported, not touched")
    );
    assert!(changes.is_empty());
    let theirs = tenant(Vec::new(), "2026-11-21", seen(None));
    assert_eq!(
        theirs.said(&BlockPublicStorage),
        [format!("fails: somebody else exempts by `{id}` for ever")]
    );
    let over = tenant(Vec::new(), "2026-11-21", seen(Some("2026-11-01T00:00:00Z")));
    assert_eq!(judged(&over).0, "holds");
    assert_eq!(over.said(&BlockPublicStorage), ["holds"]);
}

#[test]
fn what_could_not_be_looked_at_is_unknown() {
    let mut blind = tenant(Vec::new(), "2026-11-21", none());
    blind = blind.with(&at(), Seen::Unreadable("denied".to_owned()));
    assert_eq!(blind.said(&BlockPublicStorage), ["unknown: who is exempt could not be looked at: denied"]);
}

#[test]
fn what_is_not_assigned_yet_can_t_be_exempted_from() {
    let bare = tenant(vec![accepted()], "2026-11-21", none())
        .saw("policies/workloads", json!({"assigned": {}, "others": 0}));
    assert_eq!(judged(&bare).0, "holds");
}
