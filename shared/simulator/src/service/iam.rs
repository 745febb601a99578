//! IAM, as far as it describes the account itself: password policy, summary, alias, and whom elsewhere it trusts.

mod providers;

use serde_json::{Value, json};

use super::Answered;
use crate::ask::Ask;
use crate::refusal::Refusal;
use crate::world::{Account, PasswordPolicy, World};

pub(super) fn answer(world: &mut World, ask: &Ask) -> Answered {
    let taken = |alias: &str| {
        world
            .accounts
            .values()
            .any(|other| other.alias.as_deref() == Some(alias) && other.id != ask.caller.account)
    };
    let alias_taken = ask.operation == "CreateAccountAlias" && ask.text("AccountAlias").is_some_and(taken);
    let Some(account) = world.accounts.get_mut(&ask.caller.account) else {
        return Err(Refusal::new(
            "InvalidClientTokenId",
            "The security token included in the request is invalid.",
        )
        .status(403));
    };
    match ask.operation.as_str() {
        "GetAccountPasswordPolicy" => get_password_policy(account),
        "UpdateAccountPasswordPolicy" => update_password_policy(account, ask),
        "DeleteAccountPasswordPolicy" => {
            account.password_policy.take().map(|_| Value::Null).ok_or_else(|| no_password_policy(&account.id))
        }
        "GetAccountSummary" => Ok(summary(account)),
        "ListAccountAliases" => {
            Ok(json!({"AccountAliases": account.alias.iter().collect::<Vec<_>>(), "IsTruncated": false}))
        }
        "CreateAccountAlias" => create_alias(account, ask, alias_taken),
        "CreateServiceLinkedRole" => create_service_linked_role(account, ask),
        "DeleteAccountAlias" => delete_alias(account, ask),
        _ => providers::answer(account, ask),
    }
}

/// Services whose role can be made by hand, with the name that it gets.
///
/// Source: IAM user guide, AWS services that work with IAM; the roles' names are those of each service's own guide.
const SERVICE_LINKED: [(&str, &str); 1] = [("config.amazonaws.com", "AWSServiceRoleForConfig")];

fn create_service_linked_role(account: &mut Account, ask: &Ask) -> Answered {
    let service = ask.need("AWSServiceName")?;
    let Some((_, name)) = SERVICE_LINKED.iter().find(|(known, _)| *known == service) else {
        return Err(Refusal::new(
            "InvalidInput",
            format!("Service {service} can't have service linked roles"),
        ));
    };
    if !account.service_linked_roles.insert((*name).to_owned()) {
        let message = format!(
            "Service role name {name} has been taken in this account, please try a different suffix."
        );
        return Err(Refusal::new("InvalidInput", message));
    }
    let id = format!("AROA{}", &crate::world::hex(&format!("{}{name}", account.id), 17).to_ascii_uppercase());
    let trust = json!({
        "Version": "2012-10-17",
        "Statement": [{"Action": ["sts:AssumeRole"], "Effect": "Allow", "Principal": {"Service": [service]}}],
    });
    Ok(json!({"Role": {
        "Path": format!("/aws-service-role/{service}/"),
        "RoleName": name,
        "RoleId": id,
        "Arn": format!("arn:aws:iam::{}:role/aws-service-role/{service}/{name}", account.id),
        "CreateDate": ask.now.to_string(),
        "AssumeRolePolicyDocument": trust.to_string(),
    }}))
}

fn no_password_policy(account: &str) -> Refusal {
    Refusal::new("NoSuchEntity", format!("The Password Policy with domain name {account} cannot be found."))
}

fn get_password_policy(account: &Account) -> Answered {
    let Some(policy) = &account.password_policy else { return Err(no_password_policy(&account.id)) };
    let positive = |number: i64| (number > 0).then_some(number);
    Ok(json!({"PasswordPolicy": {
        "MinimumPasswordLength": policy.minimum_length,
        "RequireSymbols": policy.require_symbols,
        "RequireNumbers": policy.require_numbers,
        "RequireUppercaseCharacters": policy.require_uppercase,
        "RequireLowercaseCharacters": policy.require_lowercase,
        "AllowUsersToChangePassword": policy.allow_users_to_change,
        "ExpirePasswords": policy.max_age > 0,
        "MaxPasswordAge": positive(policy.max_age),
        "PasswordReusePrevention": positive(policy.reuse_prevention),
        "HardExpiry": policy.hard_expiry,
    }}))
}

/// There is no partial update: what is not sent becomes AWS's default, however strong it was before.
fn update_password_policy(account: &mut Account, ask: &Ask) -> Answered {
    let flag = |name: &str| ask.flag(name).unwrap_or(false);
    let bounded = |name: &str, least: i64, most: i64| {
        match ask.number(name)? {
        Some(number) if !(least..=most).contains(&number) => Err(ask.invalid(format!(
            "1 validation error detected: Value '{number}' at '{name}' failed to satisfy constraint: Member must have value between {least} and {most}"
        ))),
        number => Ok(number),
    }
    };
    account.password_policy = Some(PasswordPolicy {
        minimum_length: bounded("MinimumPasswordLength", 6, 128)?.unwrap_or(6),
        require_symbols: flag("RequireSymbols"),
        require_numbers: flag("RequireNumbers"),
        require_uppercase: flag("RequireUppercaseCharacters"),
        require_lowercase: flag("RequireLowercaseCharacters"),
        allow_users_to_change: flag("AllowUsersToChangePassword"),
        max_age: bounded("MaxPasswordAge", 1, 1_095)?.unwrap_or(0),
        reuse_prevention: bounded("PasswordReusePrevention", 1, 24)?.unwrap_or(0),
        hard_expiry: flag("HardExpiry"),
    });
    Ok(Value::Null)
}

fn summary(account: &Account) -> Value {
    let entries = [
        ("AccountMFAEnabled", i64::from(account.root_mfa)),
        ("AccountAccessKeysPresent", i64::from(account.root_keys)),
        ("AccountPasswordPresent", 1),
        ("AccountSigningCertificatesPresent", i64::from(account.root_certificates)),
        ("AccessKeysPerUserQuota", 2),
        ("AssumeRolePolicySizeQuota", 2_048),
        ("GroupPolicySizeQuota", 5_120),
        ("Groups", 0),
        ("GroupsQuota", 300),
        ("MFADevices", i64::from(account.root_mfa)),
        ("MFADevicesInUse", i64::from(account.root_mfa)),
        ("Policies", 0),
        (
            "Providers",
            i64::try_from(account.oidc_providers.len() + account.saml_providers.len()).unwrap_or(0),
        ),
        ("PoliciesQuota", 1_500),
        ("Roles", i64::try_from(account.roles.len()).unwrap_or(0)),
        ("RolesQuota", 1_000),
        ("ServerCertificates", 0),
        ("ServerCertificatesQuota", 20),
        ("SigningCertificatesPerUserQuota", 2),
        ("UserPolicySizeQuota", 2_048),
        ("Users", 0),
        ("UsersQuota", 5_000),
    ];
    let entries: Vec<Value> =
        entries.iter().map(|(key, value)| json!({"key": key, "value": value})).collect();
    json!({"SummaryMap": {"*entry": entries}})
}

/// An account has one alias, and an alias one account in the whole world; a second one replaces the first.
fn create_alias(account: &mut Account, ask: &Ask, taken: bool) -> Answered {
    let alias = ask.need("AccountAlias")?;
    let letter = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let right = (3..=63).contains(&alias.len())
        && alias.bytes().all(|byte| letter(byte) || byte == b'-')
        && !alias.starts_with('-')
        && !alias.ends_with('-')
        && !alias.contains("--");
    if !right {
        return Err(ask.invalid(format!(
            "1 validation error detected: Value '{alias}' at 'accountAlias' failed to satisfy constraint: Member must satisfy regular expression pattern: ^[a-z0-9]([a-z0-9]|-(?!-)){{1,61}}[a-z0-9]$"
        )));
    }
    if taken || account.alias.as_deref() == Some(alias) {
        return Err(Refusal::new(
            "EntityAlreadyExists",
            format!("The account alias {alias} already exists."),
        ));
    }
    account.alias = Some(alias.to_owned());
    Ok(Value::Null)
}

fn delete_alias(account: &mut Account, ask: &Ask) -> Answered {
    let alias = ask.need("AccountAlias")?;
    if account.alias.as_deref() != Some(alias) {
        return Err(Refusal::new("NoSuchEntity", format!("The account alias {alias} cannot be found.")));
    }
    account.alias = None;
    Ok(Value::Null)
}
