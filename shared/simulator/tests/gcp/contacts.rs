//! Essential contacts.

use serde_json::{Value, json};

use crate::client::{Client, ROOT, simulator};

const CONTACTS: &str = "/essentialcontacts.googleapis.com/v1";

fn contact(email: &str) -> Value {
    json!({"email": email, "languageTag": "en", "notificationCategorySubscriptions": ["SECURITY", "TECHNICAL"]})
}

#[test]
fn contacts_are_made_changed_and_taken_away() {
    let simulator = simulator(1);
    let client = Client::new(&simulator);
    for parent in ["projects/team-0001", "folders/300000000001", ROOT] {
        let path = format!("{CONTACTS}/{parent}/contacts");
        let made = client.post(&path, &contact("security@acme.example"));
        assert_eq!(
            (made.told().as_str(), made.text("/validationState").as_str()),
            ("200", "VALID"),
            "{parent}"
        );
        assert_eq!(client.get(&path).json()["contacts"], json!([made.json()]));
        assert_eq!(client.post(&path, &contact("Security@acme.example")).told(), "409 ALREADY_EXISTS");
        let one = format!("{CONTACTS}/{}", made.text("/name"));
        let change = json!({"notificationCategorySubscriptions": ["ALL"]});
        let changed = client.patch(&format!("{one}?updateMask=notificationCategorySubscriptions"), &change);
        assert_eq!(changed.json()["notificationCategorySubscriptions"], json!(["ALL"]));
        assert_eq!(changed.text("/languageTag"), "en");
        let moved = client.patch(&format!("{one}?updateMask=email"), &contact("other@acme.example"));
        assert_eq!(moved.told(), "400 INVALID_ARGUMENT");
        assert_eq!(client.delete(&one).told(), "200");
        assert_eq!(client.delete(&one).told(), "404 NOT_FOUND");
    }
}

#[test]
fn a_contact_of_a_project_is_named_by_its_number() {
    let simulator = simulator(1);
    let client = Client::new(&simulator);
    let number = simulator.read(|world| world.project("team-0001").unwrap().name());
    let made = client.post(&format!("{CONTACTS}/projects/team-0001/contacts"), &contact("a@acme.example"));
    assert!(made.text("/name").starts_with(&format!("{number}/contacts/")), "{}", made.body);
    let by_number = client.get(&format!("{CONTACTS}/{number}/contacts")).listed("contacts", "/email");
    assert_eq!(by_number, ["a@acme.example"]);
}

#[test]
fn what_a_contact_may_not_be() {
    let simulator = simulator(1);
    let client = Client::new(&simulator);
    let path = format!("{CONTACTS}/projects/team-0001/contacts");
    for (name, value) in [
        ("email", json!("nobody")),
        ("languageTag", json!("xx")),
        ("languageTag", json!("")),
        ("notificationCategorySubscriptions", json!([])),
        ("notificationCategorySubscriptions", json!(["security"])),
        ("categories", json!(["ALL"])),
    ] {
        let mut wrong = contact("a@acme.example");
        wrong[name] = value.clone();
        assert_eq!(client.post(&path, &wrong).told(), "400 INVALID_ARGUMENT", "{name}: {value}");
    }
}
