use serde_json::{Value, json};

use super::*;

const GITHUB: &str = "https://token.actions.githubusercontent.com";

fn right() -> Value {
    json!({
        "issuer": GITHUB,
        "aws": {},
        "azure": {"identity": "deployer", "resource-group": "identities", "subjects": ["repo:acme/shop:environment:production"]},
        "gcp": {"pool": "pipelines", "condition": "assertion.repository_owner_id == '1234567'"},
    })
}

fn metadata() -> String {
    format!("<EntityDescriptor entityID=\"https://idp.acme.example\">{}</EntityDescriptor>", "x".repeat(1_000))
}

/// The same with one thing that differs.
fn with(path: &str, value: Value) -> Value {
    let mut one = right();
    let (outer, field) = path.rsplit_once('/').unwrap_or_default();
    one.pointer_mut(outer).unwrap()[field] = value;
    one
}

#[test]
fn what_would_be_refused_or_let_anybody_in_is_said_beforehand() {
    assert_eq!(wrong("github", &right()), None);
    let table = [
        ("git", right(), "4 to 32 lower-case letters"),
        ("gcp-github", right(), "which don't begin with `gcp-`"),
        ("github", with("/issuer", json!("http://ci.acme.example")), "is no issuer such as"),
        ("github", with("/issuer", json!("https://ci.acme.example?x")), "is no issuer such as"),
        ("github", json!({"issuer": GITHUB}), "for no cloud"),
        ("github", json!({"issuer": GITHUB, "oracle": {}}), "unknown field `oracle`"),
        ("github", json!({"metadata": metadata(), "aws": {}}), "unknown field `aws`"),
        ("github", json!({"aws": {}}), "missing field `issuer`"),
        ("github", with("/issuer", json!("https://ci.acme.example:8443")), "without a port"),
        ("github", with("/aws/audiences", json!([])), "1 to 100 `audiences`"),
        ("github", with("/azure/subjects", json!([])), "1 to 20 `subjects`"),
        ("github", with("/azure/subjects", json!(["repo:acme/*"])), "letter by letter"),
        ("github", with("/azure/subjects", json!([" repo:acme/shop"])), "blanks around it"),
        ("github", with("/azure/identity", json!("x")), "`x` is no name of an identity"),
        ("github", with("/azure/resource-group", json!("a/b")), "`a/b` is no name of a resource group"),
        ("github", with("/gcp/pool", json!("CI")), "`CI` is no name of a pool"),
        ("github", with("/gcp/mapping", json!({"attribute.ref": "assertion.ref"})), "what `google.subject` is"),
        (
            "github",
            with("/gcp/mapping", json!({"google.subject": "assertion.sub", "attribute.Ref": "assertion.ref"})),
            "`attribute.Ref` is no attribute",
        ),
        ("github", with("/gcp/condition", json!("attribute.owner == 'acme'")), "asks for `attribute.owner`"),
        ("okta corp", json!({"metadata": metadata()}), "letters, digits, dots"),
        ("okta", json!({"metadata": "https://idp.acme.example/metadata"}), "the SAML metadata document itself"),
        ("okta", json!({"metadata": metadata().replace("xxx", "PRIVATE KEY")}), "a private key"),
    ];
    for (name, value, expected) in table {
        let why = wrong(name, &value).unwrap_or_default();
        assert!(why.contains(expected), "{name} {value}: {why}");
    }
    assert_eq!(wrong("Okta.corp", &json!({"metadata": metadata()})), None);
}

/// Whoever has an account with GitHub has its tokens.
#[test]
fn an_issuer_that_serves_everybody_needs_a_condition() {
    let mapped = json!({"google.subject": "assertion.sub", "attribute.owner": "assertion.repository_owner"});
    let table = [
        (GITHUB, json!({}), false),
        ("https://token.actions.githubusercontent.com/", json!({}), false),
        (GITHUB, json!({"condition": "true"}), false),
        (GITHUB, json!({"condition": "assertion.sub != null"}), false),
        (GITHUB, json!({"condition": "assertion.repository_owner == 'acme'"}), true),
        (GITHUB, json!({"condition": "attribute.owner == \"acme\"", "mapping": mapped}), true),
        ("https://gitlab.com", json!({}), false),
        ("https://app.terraform.io", json!({}), false),
        // These say in the URL whose tokens they are.
        ("https://token.actions.githubusercontent.com/acme", json!({}), true),
        ("https://gitlab.acme.example", json!({}), true),
    ];
    for (issuer, gcp, right) in table {
        let why = wrong("github", &json!({"issuer": issuer, "gcp": gcp}));
        assert_eq!(why.is_none(), right, "{issuer} {gcp}: {why:?}");
        assert!(right || why.unwrap_or_default().contains("anybody could get in"), "{issuer} {gcp}");
    }
}

#[test]
fn what_nobody_says_is_what_the_clouds_recommend() {
    let settings: Settings = serde_json::from_value(json!({"providers": {"github": right()}})).unwrap();
    let Some(Trusted::Oidc(issuer)) = settings.providers.get("github") else { panic!("{settings:?}") };
    let Issuer { aws: Some(aws), azure: Some(azure), gcp: Some(gcp), .. } = &**issuer else {
        panic!("{issuer:?}");
    };
    assert_eq!(aws.audiences, sts());
    assert_eq!(azure.audience, "api://AzureADTokenExchange");
    assert_eq!(gcp.mapping, subject());
    assert!(gcp.audiences.is_empty());
}

#[test]
fn twenty_subjects_fit_to_one_identity() {
    let of = |count: usize, identity: &str| {
        let subjects: Vec<String> = (0..count).map(|one| format!("repo:acme/{one}")).collect();
        json!({"issuer": GITHUB, "azure": {"identity": identity, "resource-group": "ids", "subjects": subjects}})
    };
    assert_eq!(crowded([&of(20, "deployer"), &of(20, "other")]), []);
    let (one, mut two) = (of(20, "deployer"), of(1, "Deployer"));
    assert_eq!(crowded([&one, &two]), [], "the same trust twice is one credential");
    two["issuer"] = json!("https://gitlab.acme.example");
    assert_eq!(crowded([&one, &two]), [("ids/deployer".to_owned(), 21)]);
}
