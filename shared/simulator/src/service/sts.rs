//! STS: who am I, and may I be somebody else.

use jiff::ToSpan;
use serde_json::{Value, json};

use super::Answered;
use crate::ask::{Ask, Caller};
use crate::refusal::Refusal;
use crate::tokens;
use crate::world::{World, bytes, hex};

pub(super) fn answer(world: &mut World, ask: &Ask) -> Answered {
    match ask.operation.as_str() {
        "AssumeRole" => assume_role(world, ask),
        "GetCallerIdentity" => Ok(json!({
            "UserId": format!("{}:{}", role_id(&ask.caller.account, &ask.caller.role), ask.caller.session),
            "Account": ask.caller.account,
            "Arn": ask.caller.arn(),
        })),
        "GetWebIdentityToken" => web_identity_token(ask),
        _ => Err(super::unknown(Some(ask.service), &ask.operation)),
    }
}

/// A token of AWS's own for another cloud. <https://docs.aws.amazon.com/STS/latest/APIReference/API_GetWebIdentityToken.html>
fn web_identity_token(ask: &Ask) -> Answered {
    let audience = ask.need("Audience.member.1")?;
    let algorithm = ask.need("SigningAlgorithm")?;
    let seconds = ask.number("DurationSeconds")?.unwrap_or(300);
    if !(60..=3_600).contains(&seconds) || !["RS256", "ES384"].contains(&algorithm) {
        return Err(ask.invalid("1 validation error detected: DurationSeconds or SigningAlgorithm"));
    }
    let role = format!("arn:aws:iam::{}:role/{}", ask.caller.account, ask.caller.role);
    let token = tokens::of_aws(&role, audience, seconds)
        .ok_or_else(|| Refusal::new("InternalFailure", "no key".to_owned()))?;
    let expiration = ask.now.saturating_add(seconds.seconds()).unwrap_or(ask.now);
    Ok(json!({"WebIdentityToken": token, "Expiration": format!("{expiration:.0}")}))
}

/// Hands out keys when the role exists, is ready, and its external id is right; every other case looks the same, because
/// AWS does not tell strangers which roles there are.
fn assume_role(world: &mut World, ask: &Ask) -> Answered {
    let arn = ask.need("RoleArn")?;
    let session = ask.need("RoleSessionName")?;
    let (account, role) = parts(arn).ok_or_else(|| ask.invalid(format!("{arn} is invalid")))?;
    let duration = ask.number("DurationSeconds")?.unwrap_or(3_600);
    if !(900..=43_200).contains(&duration) {
        return Err(ask.invalid(
            "1 validation error detected: Value at 'durationSeconds' must be between 900 and 43200",
        ));
    }
    let denied = || {
        Refusal::new(
            "AccessDenied",
            format!(
                "User: {} is not authorized to perform: sts:AssumeRole on resource: {arn}",
                ask.caller.arn()
            ),
        )
    };
    let active = world.organization.members.get(account).is_none_or(|member| member.state == "ACTIVE");
    let found = world.accounts.get(account).and_then(|account| account.roles.get(role));
    let found = found.filter(|_| active).ok_or_else(denied)?;
    let ready = found.available_at.is_none_or(|at| at <= ask.now);
    let trusted =
        found.external_id.as_deref().is_none_or(|expected| ask.text("ExternalId") == Some(expected));
    if !(ready && trusted) {
        return Err(denied());
    }
    let caller = Caller {
        account: account.to_owned(),
        role: role.to_owned(),
        session: session.to_owned(),
        controller: false,
        read_only: found.read_only,
    };
    let user = json!({
        "AssumedRoleId": format!("{}:{session}", role_id(account, role)),
        "Arn": caller.arn(),
    });
    world.issued += 1;
    let seed = format!("session{}", world.issued);
    let key = format!("ASIA{}", bytes(&seed, 16));
    world.sessions.insert(key.clone(), caller);
    let expiration = ask.now.saturating_add(duration.seconds()).unwrap_or(ask.now);
    Ok(json!({
        "Credentials": {
            "AccessKeyId": key,
            "SecretAccessKey": hex(&format!("secret{seed}"), 40),
            "SessionToken": hex(&format!("token{seed}"), 64),
            "Expiration": format!("{:.0}", expiration),
        },
        "AssumedRoleUser": user,
        "PackedPolicySize": Value::Null,
    }))
}

/// `arn:aws:iam::222222222222:role/path/name` is an account and a name; paths are not part of the name.
fn parts(arn: &str) -> Option<(&str, &str)> {
    let mut fields = arn.splitn(6, ':').skip(4);
    let (account, resource) = (fields.next()?, fields.next()?);
    let name = resource.strip_prefix("role/")?.rsplit('/').next()?;
    (!account.is_empty() && !name.is_empty()).then_some((account, name))
}

fn role_id(account: &str, role: &str) -> String {
    format!("AROA{}", bytes(&format!("{account}/{role}"), 17))
}
