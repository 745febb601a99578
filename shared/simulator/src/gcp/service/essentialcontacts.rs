//! Whom Google writes to: <https://cloud.google.com/resource-manager/docs/reference/essentialcontacts/rest>

use serde_json::{Value, json};

use super::enabled;
use super::fields::{masked, missing, only, text, texts, with};
use crate::gcp::answer::{Answered, bad, there_already};
use crate::gcp::page::page;
use crate::gcp::request::Request;
use crate::gcp::world::{GcpWorld, Governance};
use crate::refusal::Refusal;

const CONTACTS: &str = "essentialcontacts/contacts";

const FIELDS: [&str; 6] =
    ["name", "email", "notificationCategorySubscriptions", "languageTag", "validationState", "validateTime"];

/// <https://cloud.google.com/resource-manager/docs/managing-notification-contacts#notification-categories>
const CATEGORIES: [&str; 8] = [
    "ALL",
    "SUSPENSION",
    "SECURITY",
    "TECHNICAL",
    "BILLING",
    "LEGAL",
    "PRODUCT_UPDATES",
    "TECHNICAL_INCIDENTS",
];

/// <https://cloud.google.com/resource-manager/docs/managing-notification-contacts#supported-languages>
const LANGUAGES: [&str; 21] = [
    "ar", "cs", "da", "de", "en", "en-US", "es", "fi", "fr", "he", "hu", "it", "ja", "ko", "nl", "pl", "pt",
    "ru", "sv", "tr", "zh",
];

pub(super) fn answer(world: &mut GcpWorld, request: &Request) -> Answered {
    let (method, parts, verb) = request.asked();
    let [kind @ ("projects" | "folders" | "organizations"), id, "contacts", rest @ ..] = parts.as_slice()
    else {
        return Err(request.unknown());
    };
    enabled::check(world, request)?;
    let of = format!("{kind}/{id}");
    // Answers name projects by their numbers.
    let parent = world.canonical(&of);
    let governance = world.governance(&of).ok_or_else(|| missing(request))?;
    match (method, rest, verb) {
        ("GET", [], "") => {
            let all: Vec<Value> = governance.things(CONTACTS).values().cloned().collect();
            page(world, request, "contacts", all.into_iter(), 100)
        }
        // Those of the folders and the organization above come along.
        ("GET", [], "compute") => {
            let way = world.way_up(&of);
            let above = way.iter().filter_map(|name| world.governance(name));
            let asked: Vec<&str> = request.queries("notificationCategories").collect();
            let is_told = |contact: &&Value| {
                let told = texts(contact, "notificationCategorySubscriptions");
                told.iter().any(|category| *category == "ALL" || asked.contains(category))
                    || asked.contains(&"ALL")
            };
            let all: Vec<Value> =
                above.flat_map(|at| at.things(CONTACTS).values()).filter(is_told).cloned().collect();
            page(world, request, "contacts", all.into_iter(), 100)
        }
        ("GET", [contact], "") => {
            governance.things(CONTACTS).get(*contact).cloned().ok_or_else(|| missing(request))
        }
        ("POST", [], "") => {
            let contact = create(governance, request)?;
            let id = world.number().to_string();
            let contact = with(contact, "name", format!("{parent}/contacts/{id}"));
            keep(world, &of, &id, contact, request)
        }
        ("PATCH", [contact], "") => {
            let old = governance.things(CONTACTS).get(*contact).ok_or_else(|| missing(request))?;
            only(&request.body, "contact", &FIELDS)?;
            let email = request.text("email");
            let mask = request.mask();
            let changes_email = mask.iter().any(|field| field == "email") && email != text(old, "email");
            if changes_email {
                return Err(bad(
                    "Request contains an invalid argument: the email of a contact cannot be changed.",
                ));
            }
            let fields = ["notificationCategorySubscriptions", "languageTag", "email"];
            let new =
                masked(old, &request.body, &mask, &fields, &["name", "validationState", "validateTime"])?;
            check(&new)?;
            keep(world, &of, contact, new, request)
        }
        ("DELETE", [contact], "") => {
            let contacts = world.at(&of).map(|governance| governance.things_mut(CONTACTS));
            contacts
                .and_then(|contacts| contacts.remove(*contact))
                .map(|_| Value::Null)
                .ok_or_else(|| missing(request))
        }
        _ => Err(request.unknown()),
    }
}

fn keep(world: &mut GcpWorld, of: &str, id: &str, contact: Value, request: &Request) -> Answered {
    let governance = world.at(of).ok_or_else(|| missing(request))?;
    governance.things_mut(CONTACTS).insert(id.to_owned(), contact.clone());
    Ok(contact)
}

fn create(governance: &Governance, request: &Request) -> Answered {
    only(&request.body, "contact", &FIELDS)?;
    check(&request.body)?;
    let email = request.text("email");
    if governance.things(CONTACTS).values().any(|known| text(known, "email").eq_ignore_ascii_case(email)) {
        return Err(there_already(format!("Contact with email {email} already exists.")));
    }
    Ok(json!({
        "email": email, "languageTag": request.text("languageTag"),
        "notificationCategorySubscriptions": texts(&request.body, "notificationCategorySubscriptions"),
        "validationState": "VALID", "validateTime": request.now.to_string(),
    }))
}

fn check(contact: &Value) -> Result<(), Refusal> {
    let email = text(contact, "email");
    let right = email.split_once('@').is_some_and(|(who, host)| !who.is_empty() && host.contains('.'));
    if !right || email.contains([' ', ',']) {
        return Err(bad(format!("Invalid email address: {email:?}")));
    }
    let language = text(contact, "languageTag");
    if !LANGUAGES.contains(&language) {
        return Err(bad(format!("Invalid language tag: {language:?}")));
    }
    let categories = texts(contact, "notificationCategorySubscriptions");
    match categories.iter().find(|category| !CATEGORIES.contains(category)) {
        Some(category) => {
            Err(bad(format!("Invalid value at 'contact.notification_category_subscriptions': {category:?}")))
        }
        None if categories.is_empty() => {
            Err(bad("At least one notification category subscription is required."))
        }
        None => Ok(()),
    }
}
