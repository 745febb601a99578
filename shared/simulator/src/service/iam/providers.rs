//! OIDC and SAML providers: <https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateOpenIDConnectProvider.html>,
//! <https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateSAMLProvider.html>

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::super::{Answered, unknown};
use crate::ask::Ask;
use crate::refusal::Refusal;
use crate::world::{Account, OidcProvider, SamlProvider};

/// IAM and STS quotas: providers of an account and audiences of a provider.
const MOST: usize = 100;

/// CreateSAMLProvider, `SAMLMetadataDocument`, and the years that a document is shown to hold.
const SHORTEST: usize = 1_000;

pub(super) fn answer(account: &mut Account, ask: &Ask) -> Answered {
    match ask.operation.as_str() {
        "CreateOpenIDConnectProvider" => create_oidc(account, ask),
        "GetOpenIDConnectProvider" => {
            let (name, found) = oidc(account, ask)?;
            Ok(json!({
                "Url": name, "ClientIDList": found.client_ids, "ThumbprintList": found.thumbprints,
                "CreateDate": found.created_at.to_string(),
            }))
        }
        "ListOpenIDConnectProviders" => {
            let arns = account.oidc_providers.keys().map(|name| json!({"Arn": arn(account, OIDC, name)}));
            Ok(json!({"OpenIDConnectProviderList": arns.collect::<Vec<_>>()}))
        }
        "DeleteOpenIDConnectProvider" => {
            // It does not fail for one that is not there.
            let name = named(account, ask, OIDC)?;
            account.oidc_providers.remove(&name);
            Ok(Value::Null)
        }
        "AddClientIDToOpenIDConnectProvider" | "RemoveClientIDFromOpenIDConnectProvider" => {
            let client = audience(ask, ask.need("ClientID")?)?.to_owned();
            oidc(account, ask)?;
            let name = named(account, ask, OIDC)?;
            let Some(found) = account.oidc_providers.get_mut(&name) else { return Err(missing(&name)) };
            if ask.operation.starts_with("Remove") {
                found.client_ids.remove(&client);
            } else if found.client_ids.len() < MOST {
                found.client_ids.insert(client);
            } else {
                return Err(too_many("client IDs per OpenID Connect provider"));
            }
            Ok(Value::Null)
        }
        "CreateSAMLProvider" => create_saml(account, ask),
        "GetSAMLProvider" => {
            let name = named(account, ask, SAML)?;
            let found = account.saml_providers.get(&name).ok_or_else(|| missing(&name))?;
            Ok(json!({"SAMLMetadataDocument": found.document, "CreateDate": found.created_at.to_string()}))
        }
        "ListSAMLProviders" => {
            let all = account.saml_providers.iter();
            let arns = all.map(|(name, one)| {
                json!({"Arn": arn(account, SAML, name), "CreateDate": one.created_at.to_string()})
            });
            Ok(json!({"SAMLProviderList": arns.collect::<Vec<_>>()}))
        }
        "UpdateSAMLProvider" => {
            let name = named(account, ask, SAML)?;
            let document = document(ask)?;
            let found = account.saml_providers.get_mut(&name).ok_or_else(|| missing(&name))?;
            found.document = document;
            Ok(json!({"SAMLProviderArn": arn(account, SAML, &name)}))
        }
        "DeleteSAMLProvider" => {
            let name = named(account, ask, SAML)?;
            account.saml_providers.remove(&name).map(|_| Value::Null).ok_or_else(|| missing(&name))
        }
        _ => Err(unknown(Some(ask.service), &ask.operation)),
    }
}

const OIDC: &str = "oidc-provider";
const SAML: &str = "saml-provider";

fn arn(account: &Account, kind: &str, name: &str) -> String {
    format!("arn:aws:iam::{}:{kind}/{name}", account.id)
}

/// The name in the ARN that is asked about, which is of this account and kind.
fn named(account: &Account, ask: &Ask, kind: &str) -> Result<String, Refusal> {
    let arn = ask.need(if kind == OIDC { "OpenIDConnectProviderArn" } else { "SAMLProviderArn" })?;
    let name = arn.strip_prefix(&format!("arn:aws:iam::{}:{kind}/", account.id));
    name.map(str::to_owned).ok_or_else(|| ask.invalid(format!("Invalid ARN: {arn}")))
}

fn missing(name: &str) -> Refusal {
    Refusal::new("NoSuchEntity", format!("The provider {name} cannot be found.")).status(404)
}

fn too_many(what: &str) -> Refusal {
    Refusal::new("LimitExceeded", format!("Cannot exceed quota for {what}: {MOST}")).status(409)
}

fn there_already(name: &str) -> Refusal {
    Refusal::new("EntityAlreadyExists", format!("Provider {name} already exists.")).status(409)
}

fn oidc<'a>(account: &'a Account, ask: &Ask) -> Result<(String, &'a OidcProvider), Refusal> {
    let name = named(account, ask, OIDC)?;
    let found = account.oidc_providers.get(&name).ok_or_else(|| missing(&name))?;
    Ok((name, found))
}

fn audience<'a>(ask: &Ask, client: &'a str) -> Result<&'a str, Refusal> {
    let right = (1..=255).contains(&client.len());
    right.then_some(client).ok_or_else(|| ask.invalid(format!("The client ID {client} is too long.")))
}

fn create_oidc(account: &mut Account, ask: &Ask) -> Answered {
    let url = ask.need("Url")?;
    let Some(name) = url.strip_prefix("https://").filter(|name| !name.is_empty() && !name.contains('?'))
    else {
        return Err(ask.invalid("Invalid Open ID Connect Provider URL"));
    };
    let clients = ask.numbered("ClientIDList");
    let clients: Result<BTreeSet<String>, Refusal> =
        clients.into_iter().map(|one| audience(ask, one).map(str::to_owned)).collect();
    let clients = clients?;
    if account.oidc_providers.contains_key(name) {
        return Err(there_already(name));
    }
    if account.oidc_providers.len() >= MOST || clients.len() > MOST {
        return Err(too_many("OpenID Connect providers"));
    }
    // IAM finds one itself where none is sent.
    let sent: Vec<String> = ask.numbered("ThumbprintList").into_iter().map(str::to_owned).collect();
    let thumbprints = if sent.is_empty() { vec![crate::world::hex(name, 40)] } else { sent };
    let made = OidcProvider { client_ids: clients, thumbprints, created_at: ask.now };
    account.oidc_providers.insert(name.to_owned(), made);
    Ok(json!({"OpenIDConnectProviderArn": arn(account, OIDC, name)}))
}

fn document(ask: &Ask) -> Result<String, Refusal> {
    let document = ask.need("SAMLMetadataDocument")?;
    if document.len() < SHORTEST || !document.contains("EntityDescriptor") {
        return Err(Refusal::new("InvalidInput", "Could not parse metadata").status(400));
    }
    Ok(document.to_owned())
}

fn create_saml(account: &mut Account, ask: &Ask) -> Answered {
    let name = ask.need("Name")?;
    let document = document(ask)?;
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
    if name.len() > 128 || !name.bytes().all(plain) {
        return Err(ask.invalid(format!("The name {name} is invalid.")));
    }
    if account.saml_providers.contains_key(name) {
        return Err(there_already(name));
    }
    if account.saml_providers.len() >= MOST {
        return Err(too_many("SAML providers"));
    }
    account.saml_providers.insert(name.to_owned(), SamlProvider { document, created_at: ask.now });
    Ok(json!({"SAMLProviderArn": arn(account, SAML, name)}))
}
