//! The Account API: alternate contacts and which regions are on.

use serde_json::{Value, json};

use super::Answered;
use crate::ask::Ask;
use crate::page::{ACCOUNT, page};
use crate::refusal::Refusal;
use crate::world::{Account, AlternateContact, World};

pub(super) fn answer(world: &mut World, ask: &Ask) -> Answered {
    let id = target(world, ask)?;
    if ask.operation == "ListRegions" {
        return list_regions(world, ask, &id);
    }
    let standard =
        ask.text("RegionName").is_some_and(|name| world.settings.regions.iter().any(|one| one == name));
    let optional = ask
        .text("RegionName")
        .is_some_and(|name| world.settings.opt_in_regions.iter().any(|one| one == name));
    let Some(account) = world.accounts.get_mut(&id) else { return Err(no_access()) };
    match ask.operation.as_str() {
        "GetAlternateContact" => get_contact(account, ask),
        "PutAlternateContact" => put_contact(account, ask),
        "DeleteAlternateContact" => {
            account.alternate_contacts.remove(kind(ask)?).map(|_| Value::Null).ok_or_else(no_contact)
        }
        "GetRegionOptStatus" => {
            let name = ask.need("RegionName")?;
            if !(standard || optional) {
                return Err(ask.invalid(format!("{name} is not a valid region")));
            }
            Ok(json!({"RegionName": name, "RegionOptStatus": opt_status(account, name, standard)}))
        }
        "EnableRegion" => opt(account, ask, optional, "ENABLED"),
        "DisableRegion" => opt(account, ask, optional, "DISABLED"),
        "GetAccountInformation" => Ok(json!({"AccountId": account.id, "AccountName": account.name})),
        _ => Err(super::unknown(Some(ask.service), &ask.operation)),
    }
}

fn no_access() -> Refusal {
    Refusal::new("AccessDeniedException", "You do not have sufficient access to perform this action.")
}

/// Its own account for everybody; a member's for the management account, which may not name itself.
fn target(world: &World, ask: &Ask) -> Result<String, Refusal> {
    let management = &world.organization.management_account;
    match ask.text("AccountId") {
        None => Ok(ask.caller.account.clone()),
        Some(id) if id == ask.caller.account && id == management => {
            Err(ask.invalid("The management account can only be managed using the standalone context."))
        }
        Some(id) if ask.caller.account == *management && world.organization.members.contains_key(id) => {
            Ok(id.to_owned())
        }
        Some(_) => Err(no_access()),
    }
}

fn kind(ask: &Ask) -> Result<&str, Refusal> {
    match ask.need("AlternateContactType")? {
        kind @ ("BILLING" | "OPERATIONS" | "SECURITY") => Ok(kind),
        other => Err(ask.invalid(format!("{other} is not an alternate contact type"))),
    }
}

fn no_contact() -> Refusal {
    Refusal::new("ResourceNotFoundException", "No contact of the inputted alternate contact type found.")
}

fn get_contact(account: &Account, ask: &Ask) -> Answered {
    let kind = kind(ask)?;
    let contact = account.alternate_contacts.get(kind).ok_or_else(no_contact)?;
    Ok(json!({"AlternateContact": {
        "AlternateContactType": kind,
        "Name": contact.name,
        "Title": contact.title,
        "EmailAddress": contact.email,
        "PhoneNumber": contact.phone,
    }}))
}

fn put_contact(account: &mut Account, ask: &Ask) -> Answered {
    let contact = AlternateContact {
        name: ask.need("Name")?.to_owned(),
        title: ask.need("Title")?.to_owned(),
        email: ask.need("EmailAddress")?.to_owned(),
        phone: ask.need("PhoneNumber")?.to_owned(),
    };
    if !contact.email.contains('@') {
        return Err(ask.invalid("The email address is not valid"));
    }
    account.alternate_contacts.insert(kind(ask)?.to_owned(), contact);
    Ok(Value::Null)
}

fn opt_status<'a>(account: &'a Account, name: &str, standard: bool) -> &'a str {
    if standard {
        "ENABLED_BY_DEFAULT"
    } else {
        account.region_opt.get(name).map_or("DISABLED", String::as_str)
    }
}

fn list_regions(world: &World, ask: &Ask, id: &str) -> Answered {
    let Some(account) = world.accounts.get(id) else { return Err(no_access()) };
    let wanted: Vec<&str> = ask.array("RegionOptStatusContains").iter().filter_map(Value::as_str).collect();
    let standard = world.settings.regions.iter().map(|name| (name, true));
    let optional = world.settings.opt_in_regions.iter().map(|name| (name, false));
    let mut regions: Vec<(&String, &str)> = standard
        .chain(optional)
        .map(|(name, standard)| (name, opt_status(account, name, standard)))
        .collect();
    regions.sort_unstable();
    let regions = regions.into_iter().filter(|(_, status)| wanted.is_empty() || wanted.contains(status));
    let regions = regions.map(|(name, status)| json!({"RegionName": name, "RegionOptStatus": status}));
    page(world, ask, ACCOUNT, "Regions", regions).map(Value::Object)
}

/// Takes effect at once; AWS passes through ENABLING for minutes.
fn opt(account: &mut Account, ask: &Ask, optional: bool, status: &str) -> Answered {
    let name = ask.need("RegionName")?;
    if !optional {
        return Err(ask.invalid(format!("{name} can't be enabled or disabled")));
    }
    account.region_opt.insert(name.to_owned(), status.to_owned());
    Ok(Value::Null)
}
