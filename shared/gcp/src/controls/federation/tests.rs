use serde_json::{Value, json};

use super::*;
use crate::controls::landscape::Landscape;

const POOL: &str = "federation/pools/ci-systems";
const GITHUB: &str = "federation/providers/ci-systems/github";
const OWNED: &str = "assertion.repository_owner_id == '1234567'";
const AFTER: &str = "{\"attributeCondition\":\"assertion.repository_owner_id == '1234567'\",\
    \"attributeMapping\":{\"google.subject\":\"assertion.sub\"},\"disabled\":false,\
    \"oidc\":{\"allowedAudiences\":[],\"issuerUri\":\"https://token.actions.githubusercontent.com\"},\"state\":\"ACTIVE\"}";

fn asking() -> Landscape {
    Landscape::adopted("acme-checkout-prod").asks(
        KIND,
        json!({"providers": {
            "github": {
                "issuer": "https://token.actions.githubusercontent.com",
                "gcp": {"pool": "ci-systems", "condition": OWNED},
            },
            "elsewhere": {"issuer": "https://ci.acme.example", "aws": {}},
        }}),
    )
}

fn pool() -> Value {
    json!({"state": "ACTIVE", "disabled": false})
}

fn github() -> Value {
    json!({
        "state": "ACTIVE", "disabled": false, "attributeMapping": {"google.subject": "assertion.sub"},
        "attributeCondition": OWNED,
        "oidc": {"issuerUri": "https://token.actions.githubusercontent.com", "allowedAudiences": []},
    })
}

fn agreed() -> Landscape {
    asking().saw(POOL, pool()).saw(GITHUB, github())
}

/// The provider with one thing that differs.
fn but(path: &str, value: Value) -> Landscape {
    let mut one = github();
    let (outer, field) = path.rsplit_once('/').unwrap();
    one.pointer_mut(outer).unwrap()[field] = value;
    agreed().saw(GITHUB, one)
}

#[test]
fn what_is_trusted_as_asked_needs_nothing() {
    assert_eq!(agreed().said(&Federation), ["holds"; 2]);
    assert_eq!(agreed().addresses(&Federation), [POOL, GITHUB]);
    let nothing = Landscape::adopted("acme-checkout-prod").asks(KIND, json!({"providers": {}}));
    assert_eq!(nothing.said(&Federation), ["not applicable: no identity provider is asked of Google Cloud"]);
}

#[test]
fn a_pool_is_there_before_its_provider() {
    let none = asking().saw_nothing(POOL).saw_nothing(GITHUB);
    assert_eq!(
        none.said(&Federation),
        [
            format!(
                "fails: there is no pool `ci-systems`\n+ baseline {POOL}#create {{\"disabled\":false,\"state\":\"ACTIVE\"}}"
            ),
            format!(
                "fails: there is no provider `github`\n+ baseline {GITHUB}#create {AFTER} needs {POOL}#create"
            ),
        ]
    );
}

#[test]
fn what_was_deleted_is_brought_back_in_the_order_of_what_holds_what() {
    let deleted = json!({"state": "DELETED", "disabled": false});
    let mut provider = github();
    provider["state"] = json!("DELETED");
    let both = asking().saw(POOL, deleted).saw(GITHUB, provider.clone());
    assert_eq!(
        both.said(&Federation),
        [
            format!(
                "fails: the pool `ci-systems` was deleted; what else is in it comes back with it\n\
                 ~ baseline {POOL}#restore {{\"disabled\":false,\"state\":\"ACTIVE\"}}"
            ),
            format!(
                "fails: the provider `github` was deleted\n~ baseline {GITHUB}#restore {AFTER} needs {POOL}#restore"
            ),
        ]
    );
    let one = agreed().saw(GITHUB, provider);
    assert_eq!(
        one.said(&Federation)[1],
        format!("fails: the provider `github` was deleted\n~ baseline {GITHUB}#restore {AFTER}")
    );
}

#[test]
fn whatever_widens_or_narrows_the_trust_is_put_back() {
    let wider = json!({"google.subject": "assertion.sub", "attribute.ref": "assertion.ref"});
    let table = [
        ("/disabled", json!(true), "it is disabled"),
        ("/oidc/issuerUri", json!("https://evil.example"), "its issuer is `https://evil.example`"),
        ("/oidc/allowedAudiences", json!(["mine"]), "it takes tokens for `mine`"),
        ("/attributeCondition", json!("true"), "its condition is `true`"),
        ("/attributeCondition", Value::Null, "it has no condition"),
        ("/attributeMapping", wider, "its attributes are mapped otherwise"),
        ("/oidc/jwksJson", json!("{\"keys\":[]}"), "it goes by keys that somebody uploaded"),
        ("/oidc/discoveryUri", json!("https://x.example"), "it looks for keys at `https://x.example`"),
    ];
    for (path, value, why) in table {
        let expected = format!(
            "fails: the provider `github` is not as asked: {why}\n~ baseline {GITHUB}#update {AFTER}"
        );
        assert_eq!(but(path, value).said(&Federation), ["holds".to_owned(), expected], "{path}");
    }
    assert_eq!(
        agreed().saw(POOL, json!({"state": "ACTIVE", "disabled": true})).said(&Federation)[0],
        format!(
            "fails: the pool `ci-systems` is disabled\n~ baseline {POOL}#update {{\"disabled\":false,\"state\":\"ACTIVE\"}}"
        )
    );
}

#[test]
fn what_can_t_be_turned_into_what_is_asked_is_told() {
    let mut other = github();
    other["oidc"] = Value::Null;
    assert_eq!(
        agreed().saw(GITHUB, other).said(&Federation)[1],
        "fails: the provider `github` is not one of OpenID Connect: give yours another name, or take it away"
    );
    let system = json!({"state": "ACTIVE", "mode": "SYSTEM_TRUST_DOMAIN"});
    assert!(agreed().saw(POOL, system).said(&Federation)[0].starts_with(
        "fails: the pool `ci-systems` is for workloads of Google Cloud (`SYSTEM_TRUST_DOMAIN`) and takes no providers"
    ));
}

#[test]
fn a_provider_that_nobody_asks_for_any_more_is_taken_away_and_its_pool_stays() {
    const OLD: &str = "federation/providers/ci-systems/gitlab";
    let withdrawn = || agreed().made(OLD).made(GITHUB).made("federation/pools/old-pool");
    assert_eq!(withdrawn().addresses(&Federation), [POOL, GITHUB, OLD]);
    assert_eq!(
        withdrawn().saw(OLD, github()).said(&Federation)[2],
        format!("fails: nobody asks any more that the provider `gitlab` is trusted\n- baseline {OLD}#delete")
    );
    for gone in [withdrawn().saw_nothing(OLD), withdrawn().saw(OLD, json!({"state": "DELETED"}))] {
        assert_eq!(
            gone.said(&Federation)[2],
            "not applicable: the provider `gitlab` is no longer asked, and gone"
        );
    }
}

#[test]
fn only_what_is_asked_or_wrong_is_written() {
    let change = |before: Value| {
        let address = of_provider("ci-systems", "github");
        Change::new(&address, "update", Deed::Update, "").before(Some(before))
    };
    const ASKED: &str = "disabled,attributeMapping,attributeCondition,oidc.issuerUri,oidc.allowedAudiences";
    assert_eq!(mask(&change(github())), ASKED);
    let uploaded = json!({"oidc": {"jwksJson": "{}"}});
    assert_eq!(mask(&change(uploaded)), format!("{ASKED},oidc.jwksJson"));
    assert_eq!(mask(&Change::new(&of_pool("x"), "update", Deed::Update, "")), "disabled");
}
