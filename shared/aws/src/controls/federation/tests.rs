use landfall_model::observed::Seen;
use serde_json::{Value, json};

use super::super::scenario::{self, addresses, said};
use super::*;

const GITHUB: &str = "federation/oidc/token.actions.githubusercontent.com";
const OKTA: &str = "federation/saml/okta";

fn document(key: &str) -> String {
    format!(
        "<EntityDescriptor entityID=\"https://idp.acme.example\">\n  <Key>{key}</Key>\n</EntityDescriptor>"
    )
}

fn asked() -> Value {
    let github = |audiences: Value| json!({"issuer": "https://token.actions.githubusercontent.com", "aws": {"audiences": audiences}});
    json!({"providers": {
        "github": github(json!(["sts.amazonaws.com"])),
        "github-signers": github(json!(["signer"])),
        "elsewhere": {"issuer": "https://ci.acme.example", "gcp": {}},
        "okta": {"metadata": document("one")},
    }})
}

fn list(audiences: &[&str]) -> Seen {
    Seen::Present(json!({"ClientIDList": audiences}))
}

fn metadata(document: &str) -> Seen {
    Seen::Present(json!(Metadata::of(document)))
}

fn told(at: &str, seen: Seen) -> String {
    said(&Federation, asked(), Standing::Adopted, &[(at, seen)]).remove(0)
}

#[test]
fn what_is_trusted_as_asked_needs_nothing() {
    assert_eq!(addresses(&Federation, asked()), [GITHUB, OKTA]);
    assert_eq!(told(GITHUB, list(&["signer", "sts.amazonaws.com"])), "holds");
    // Others write the same document in other lines.
    assert_eq!(told(OKTA, metadata(&document("one").replace("\n  ", "\r\n"))), "holds");
    let elsewhere = json!({"providers": {"elsewhere": {"issuer": "https://ci.acme.example", "gcp": {}}}});
    assert_eq!(
        said(&Federation, elsewhere, Standing::New, &[]),
        ["not applicable: no identity provider is asked of AWS"]
    );
}

#[test]
fn an_issuer_is_trusted_for_the_audiences_of_all_who_ask_and_for_no_others() {
    const AFTER: &str = "{\"ClientIDList\":[\"signer\",\"sts.amazonaws.com\"]}";
    let of = "tokens of `token.actions.githubusercontent.com` for";
    let table = [
        (
            Seen::Absent,
            format!("fails: `token.actions.githubusercontent.com` is not trusted\n+ create {AFTER}"),
        ),
        (list(&["signer"]), format!("fails: {of} `sts.amazonaws.com` are not taken\n~ update {AFTER}")),
        (
            list(&["mine", "signer", "sts.amazonaws.com"]),
            format!("fails: {of} `mine` are taken, and nobody asks that\n~ update {AFTER} (loses)"),
        ),
        (
            list(&["mine", "signer"]),
            format!(
                "fails: {of} `sts.amazonaws.com` are not taken; {of} `mine` are taken, and nobody asks that\n~ update {AFTER} (loses)"
            ),
        ),
    ];
    for (seen, expected) in table {
        assert_eq!(told(GITHUB, seen), expected);
    }
    let new = said(&Federation, asked(), Standing::New, &[(GITHUB, list(&["mine"]))]).remove(0);
    assert!(!new.ends_with("(loses)"), "nobody can have signed in: {new}");
}

#[test]
fn another_document_is_replaced_and_plans_carry_its_digest() {
    let Metadata { digest } = Metadata::of(&document("one"));
    assert_eq!(
        told(OKTA, metadata(&document("another"))),
        format!(
            "fails: the SAML provider `okta` has another metadata document\n~ update {{\"digest\":\"{digest}\"}}"
        )
    );
    assert_eq!(
        told(OKTA, Seen::Absent),
        format!("fails: there is no SAML provider `okta`\n+ create {{\"digest\":\"{digest}\"}}")
    );
}

#[test]
fn a_provider_that_nobody_asks_for_any_more_is_taken_away() {
    let mut desired = scenario::desired(KIND, asked(), Standing::Adopted);
    for made in [GITHUB, "federation/oidc/gitlab.com", "federation/saml/old"] {
        desired.record.made.insert(made.parse().unwrap());
    }
    let want: Settings = desired.asked(KIND).unwrap().want().unwrap();
    let gone: Vec<String> = withdrawn(&want, &desired).iter().map(ToString::to_string).collect();
    assert_eq!(gone, ["federation/oidc/gitlab.com", "federation/saml/old"]);
    let address = "federation/oidc/gitlab.com".parse().unwrap();
    let Verdict::Fails { why, changes } = compare_withdrawn(&address, Some(&json!({"ClientIDList": []})))
    else {
        panic!();
    };
    assert_eq!(why, "nobody asks any more that `gitlab.com` is trusted");
    assert_eq!((changes[0].deed, changes[0].verb.as_str()), (Deed::Delete, "delete"));
    assert!(matches!(compare_withdrawn(&address, None), Verdict::NotApplicable { .. }));
}

#[test]
fn answers_are_read() {
    let oidc: OidcAnswer = quick_xml::de::from_str(
        "<GetOpenIDConnectProviderResponse><GetOpenIDConnectProviderResult><Url>gitlab.com</Url><ClientIDList><member>b</member>\
         <member>a</member></ClientIDList><ThumbprintList/></GetOpenIDConnectProviderResult></GetOpenIDConnectProviderResponse>",
    )
    .unwrap();
    assert_eq!(oidc.result.list.member, BTreeSet::from(["a".to_owned(), "b".to_owned()]));
    let none: OidcAnswer = quick_xml::de::from_str(
        "<GetOpenIDConnectProviderResponse><GetOpenIDConnectProviderResult><Url>gitlab.com</Url><ClientIDList/>\
         </GetOpenIDConnectProviderResult></GetOpenIDConnectProviderResponse>",
    )
    .unwrap();
    assert!(none.result.list.member.is_empty());
    let saml: SamlAnswer = quick_xml::de::from_str(
        "<GetSAMLProviderResponse><GetSAMLProviderResult><SAMLMetadataDocument>&lt;EntityDescriptor a=&quot;b&quot;&gt;x&amp;amp;y\
         &lt;/EntityDescriptor&gt;</SAMLMetadataDocument></GetSAMLProviderResult></GetSAMLProviderResponse>",
    )
    .unwrap();
    assert_eq!(saml.result.document, "<EntityDescriptor a=\"b\">x&amp;y</EntityDescriptor>");
}
