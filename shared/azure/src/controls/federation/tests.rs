use serde_json::{Value, json};

use super::*;
use crate::controls::landscape::Landscape;

const GROUP: &str = "federation/resource-groups/identities";
const IDENTITY: &str = "federation/identities/identities/deployer";
const GITHUB: &str = "https://token.actions.githubusercontent.com";
const SHOP: &str = "repo:acme/shop:environment:production";

fn trust() -> Trust {
    Trust {
        issuer: GITHUB.to_owned(),
        subject: SHOP.to_owned(),
        audiences: BTreeSet::from(["api://AzureADTokenExchange".to_owned()]),
    }
}

fn name() -> String {
    trust().name()
}

fn at() -> String {
    format!("federation/credentials/identities/deployer/{}", name())
}

fn asks(landscape: Landscape) -> Landscape {
    let github = json!({
        "issuer": GITHUB,
        "azure": {"identity": "deployer", "resource-group": "identities", "subjects": [SHOP]},
    });
    landscape.asks(
        KIND,
        json!({"providers": {"github": github, "elsewhere": {"issuer": "https://ci.acme.example", "aws": {}}}}),
    )
}

fn there() -> Value {
    json!({"name": name(), "issuer": GITHUB, "subject": SHOP, "audiences": ["api://AzureADTokenExchange"]})
}

fn here() -> Value {
    json!({"location": "westeurope"})
}

fn agreed() -> Landscape {
    asks(Landscape::adopted(2)).saw(GROUP, here()).saw(IDENTITY, here()).saw(&at(), there())
}

fn nothing(landscape: Landscape) -> Landscape {
    asks(landscape).saw_nothing(GROUP).saw_nothing(IDENTITY).saw_nothing(&at())
}

fn after() -> String {
    format!(
        "{{\"audiences\":[\"api://AzureADTokenExchange\"],\"issuer\":\"{GITHUB}\",\"name\":\"{}\",\"subject\":\"{SHOP}\"}}",
        name()
    )
}

#[test]
fn who_is_let_in_as_asked_needs_nothing() {
    assert_eq!(agreed().said(&Federation), ["holds"; 3]);
    assert_eq!(agreed().addresses(&Federation), [at().as_str(), IDENTITY, GROUP]);
    let mut theirs = there();
    theirs["name"] = json!("github-shop");
    assert_eq!(agreed().saw(&at(), theirs).said(&Federation)[2], "holds", "one of others will do");
    let none = Landscape::adopted(2).asks(KIND, json!({"providers": {}}));
    assert_eq!(none.said(&Federation), ["not applicable: no identity provider is asked of Azure"]);
}

#[test]
fn each_is_made_in_what_was_made_before() {
    let at = at();
    assert_eq!(
        nothing(Landscape::adopted(2)).said(&Federation),
        [
            format!(
                "fails: there is no resource group `identities`\n+ open {GROUP}#create {{\"location\":\"germanywestcentral\"}}"
            ),
            format!(
                "fails: there is no identity `deployer`\n+ open {IDENTITY}#create {{\"location\":\"germanywestcentral\"}} needs {GROUP}#create"
            ),
            format!(
                "fails: `{SHOP}` of `{GITHUB}` is not let in\n+ open {at}#create {} needs {IDENTITY}#create",
                after()
            ),
        ]
    );
}

/// The gate denies identities, and who may become one is nobody before it is open.
#[test]
fn a_new_subscription_trusts_nobody_before_its_gate_is_open() {
    let due = nothing(Landscape::new(2)).said(&Federation);
    let opening = quarantine_gate::opening();
    assert_eq!(
        due[2],
        format!(
            "due: nobody from elsewhere is trusted before the gate is open: `{SHOP}` of `{GITHUB}` is not let in\n\
             + open {}#create {} needs {opening} needs {IDENTITY}#create",
            at(),
            after()
        )
    );
    let waiting = nothing(Landscape::new(2).waiting()).said(&Federation);
    assert!(waiting.iter().all(|said| said.starts_with("due: ") && !said.contains('\n')), "{waiting:?}");
    let handed = nothing(Landscape::new(2).handed_over()).said(&Federation);
    assert!(
        handed.iter().all(|said| said.starts_with("fails: ") && said.contains("\n+ open ")),
        "{handed:?}"
    );
}

#[test]
fn a_credential_that_lets_others_in_is_put_back() {
    let table = [
        (
            "subject",
            json!("repo:evil/shop"),
            format!("lets in `repo:evil/shop` of `{GITHUB}` instead of `{SHOP}` of `{GITHUB}`"),
        ),
        (
            "issuer",
            json!("https://evil.example"),
            format!("lets in `{SHOP}` of `https://evil.example` instead of `{SHOP}` of `{GITHUB}`"),
        ),
        ("audiences", json!(["mine"]), "takes tokens for `mine`".to_owned()),
    ];
    for (field, value, why) in table {
        let mut one = there();
        one[field] = value;
        assert_eq!(
            agreed().saw(&at(), one).said(&Federation)[2],
            format!("fails: the credential `{}` {why}\n~ open {}#update {}", name(), at(), after())
        );
    }
    let mut theirs = there();
    theirs["name"] = json!("github-shop");
    theirs["audiences"] = json!(["mine"]);
    assert_eq!(
        agreed().saw(&at(), theirs).said(&Federation)[2],
        format!(
            "fails: the credential `github-shop` of others lets `{SHOP}` of `{GITHUB}` in for `mine`, and not for \
             `api://AzureADTokenExchange`; Azure takes no second one"
        )
    );
}

#[test]
fn who_is_no_longer_asked_for_is_kept_out_and_the_identity_stays() {
    const OLD: &str = "federation/credentials/identities/deployer/landfall-000000000000";
    let withdrawn = || {
        agreed()
            .made(OLD)
            .made(&at().to_ascii_uppercase().replace("FEDERATION/CREDENTIALS", "federation/credentials"))
            .made("federation/identities/identities/old")
    };
    let mut old = there();
    old["subject"] = json!("repo:acme/old");
    assert_eq!(
        withdrawn().saw(OLD, old).said(&Federation)[3],
        format!(
            "fails: nobody asks any more that `repo:acme/old` of `{GITHUB}` becomes `deployer`\n- baseline {OLD}#delete"
        )
    );
    let gone = withdrawn().saw_nothing(OLD).said(&Federation);
    assert_eq!(gone.len(), 4, "Azure does not tell upper from lower case: {gone:?}");
    assert_eq!(
        gone[3],
        "not applicable: the credential `landfall-000000000000` is no longer asked, and gone"
    );
}

#[test]
fn names_say_what_is_trusted_and_azure_takes_them() {
    let other = Trust { subject: "repo:acme/other".to_owned(), ..trust() };
    assert_ne!(other.name(), name());
    let elsewhere = Trust { audiences: BTreeSet::new(), ..trust() };
    assert_eq!(elsewhere.name(), name(), "a pair of issuer and subject is there once");
    assert!(name().len() >= 3 && name().bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-'));
}
