//! Identity providers elsewhere, over the wire.

use landfall_model::catalog::ControlKind;
use serde_json::{Value, json};

use super::super::landscape::Landscape;
use super::{CHECKOUT, PROJECT, Wire};

#[tokio::test(flavor = "multi_thread")]
async fn a_trusted_issuer_is_made_put_right_brought_back_and_taken_away_beside_those_of_others() {
    const POOLS: &str = "iam/workloadIdentityPools";
    const PROVIDERS: &str = "iam/workloadIdentityPoolProviders";
    let theirs =
        json!({"name": "theirs", "state": "ACTIVE", "oidc": {"issuerUri": "https://theirs.example"}});
    let wire = Wire::new(|_| {});
    let provider = |gcp: Value| json!({"issuer": "https://token.actions.githubusercontent.com", "gcp": gcp});
    let asked = |providers: Value| {
        Landscape::new(CHECKOUT).asks(ControlKind::Federation, json!({"providers": providers})).desired
    };
    let owned = json!({"pool": "ci-systems", "condition": "assertion.repository_owner_id == '1234567'"});
    let mut desired = asked(json!({"github": provider(owned.clone())}));
    let federation = ControlKind::Federation;
    assert_eq!(
        wire.held(federation, &mut desired).await,
        ["there is no pool `ci-systems`", "there is no provider `github`"]
    );
    let kept = |kind: &'static str, key: &'static str| {
        wire.simulator.read(|world| world.governance(PROJECT).unwrap().things(kind).get(key).cloned())
    };
    assert_eq!(
        kept(PROVIDERS, "ci-systems/github").unwrap()["description"],
        "Made by Landfall, as the manifest asks."
    );

    wire.simulator.edit(|world| {
        let here = world.at(PROJECT).unwrap();
        here.things_mut(PROVIDERS).insert("ci-systems/theirs".to_owned(), theirs.clone());
        here.things_mut(POOLS).get_mut("ci-systems").unwrap()["state"] = json!("DELETED");
        let ours = here.things_mut(PROVIDERS).get_mut("ci-systems/github").unwrap();
        ours["oidc"]["jwksJson"] = json!("{}");
        ours["attributeCondition"] = json!("true");
        ours["disabled"] = json!(true);
    });
    let wrong = wire.held(federation, &mut desired).await;
    assert!(wrong[0].starts_with("the pool `ci-systems` was deleted"), "{wrong:?}");
    assert!(
        wrong[1].ends_with("it is disabled; its condition is `true`; it goes by keys that somebody uploaded"),
        "{wrong:?}"
    );
    wire.simulator.edit(|world| {
        let here = world.at(PROJECT).unwrap();
        here.things_mut(PROVIDERS).get_mut("ci-systems/github").unwrap()["state"] = json!("DELETED");
        here.things_mut(POOLS).get_mut("ci-systems").unwrap()["disabled"] = json!(true);
    });
    assert_eq!(
        wire.held(federation, &mut desired).await,
        ["the pool `ci-systems` is disabled", "the provider `github` was deleted"]
    );

    // Nobody asks for it any more, and for another one in the same pool.
    let made = desired.record.made.clone();
    let mut other = owned;
    other["mapping"] = json!({"google.subject": "assertion.sub", "attribute.ref": "assertion.ref"});
    let mut desired = asked(json!({"github-refs": provider(other)}));
    desired.record.made = made;
    assert_eq!(
        wire.held(federation, &mut desired).await,
        ["there is no provider `github-refs`", "nobody asks any more that the provider `github` is trusted"]
    );
    assert_eq!(kept(PROVIDERS, "ci-systems/github").unwrap()["state"], "DELETED");
    assert_eq!(kept(PROVIDERS, "ci-systems/theirs").unwrap(), theirs);
}
