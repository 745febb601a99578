//! IAM Access Analyzer: one region's analyzers.

use serde_json::{Value, json};

use super::Answered;
use crate::ask::Ask;
use crate::gate;
use crate::page::{ANALYZER, page};
use crate::refusal::Refusal;
use crate::world::{Analyzer, World};

pub(super) fn answer(world: &mut World, ask: &Ask) -> Answered {
    match ask.operation.as_str() {
        "ListAnalyzers" => list(world, ask),
        "GetAnalyzer" => {
            let name = ask.need("analyzerName")?;
            let analyzers = analyzers(world, ask)?;
            let found =
                analyzers.iter().find(|analyzer| analyzer.name == name).ok_or_else(|| missing(name))?;
            Ok(json!({"analyzer": analyzer_json(found)}))
        }
        "CreateAnalyzer" => create(world, ask),
        "DeleteAnalyzer" => delete(world, ask),
        _ => Err(super::unknown(Some(ask.service), &ask.operation)),
    }
}

fn analyzers(world: &mut World, ask: &Ask) -> Result<Vec<Analyzer>, Refusal> {
    let account = world.accounts.get_mut(&ask.caller.account).ok_or_else(|| gate::denial(ask))?;
    Ok(account.region(&ask.region).analyzers.values().cloned().collect())
}

fn missing(name: &str) -> Refusal {
    Refusal::new("ResourceNotFoundException", format!("Analyzer {name} not found"))
        .member("resourceId", name)
        .member("resourceType", "Analyzer")
}

fn analyzer_json(analyzer: &Analyzer) -> Value {
    let mut shown = json!({
        "arn": analyzer.arn,
        "name": analyzer.name,
        "type": analyzer.kind,
        // REST-JSON dates that do not travel in headers are written in ISO 8601 here.
        "createdAt": analyzer.created_at.to_string(),
        "status": "ACTIVE",
        "tags": analyzer.tags,
    });
    if let (Some(configuration), Some(members)) = (&analyzer.configuration, shown.as_object_mut()) {
        members.insert("configuration".to_owned(), configuration.clone());
    }
    shown
}

fn list(world: &mut World, ask: &Ask) -> Answered {
    let found = analyzers(world, ask)?;
    let wanted = ask.text("type");
    let shown =
        found.iter().filter(|analyzer| wanted.is_none_or(|kind| kind == analyzer.kind)).map(analyzer_json);
    page(world, ask, ANALYZER, "analyzers", shown).map(Value::Object)
}

/// One external-access analyzer per account and region, and one per organization: a second one is over quota.
fn create(world: &mut World, ask: &Ask) -> Answered {
    let name = ask.need("analyzerName")?;
    let kind = ask.need("type")?;
    let scope = kind.split('_').next().unwrap_or_default();
    if !matches!(scope, "ACCOUNT" | "ORGANIZATION") {
        return Err(ask.invalid(format!("{kind} is not an analyzer type")));
    }
    let trusted = world.organization.service_access.contains_key("access-analyzer.amazonaws.com");
    if scope == "ORGANIZATION" && !(trusted && ask.caller.account == world.organization.management_account) {
        return Err(ask.invalid(
            "To create an organization analyzer, you must be the management account and have trusted access enabled.",
        ));
    }
    let account = world.accounts.get_mut(&ask.caller.account).ok_or_else(|| gate::denial(ask))?;
    let region = account.region(&ask.region);
    if region.analyzers.contains_key(name) {
        return Err(Refusal::new("ConflictException", format!("Analyzer {name} already exists"))
            .member("resourceId", name)
            .member("resourceType", "Analyzer"));
    }
    if region.analyzers.values().any(|other| other.kind == kind) {
        return Err(Refusal::new("ServiceQuotaExceededException", "Maximum number of analyzers reached")
            .status(402)
            .member("resourceId", name)
            .member("resourceType", "Analyzer"));
    }
    let arn = format!("arn:aws:access-analyzer:{}:{}:analyzer/{name}", ask.region, ask.caller.account);
    let tags = ask.object("tags").into_iter().flatten();
    let analyzer = Analyzer {
        name: name.to_owned(),
        arn: arn.clone(),
        kind: kind.to_owned(),
        created_at: ask.now,
        tags: tags.map(|(key, value)| (key.clone(), value.as_str().unwrap_or_default().to_owned())).collect(),
        configuration: ask.params.get("configuration").cloned(),
    };
    region.analyzers.insert(name.to_owned(), analyzer);
    Ok(json!({"arn": arn}))
}

fn delete(world: &mut World, ask: &Ask) -> Answered {
    let name = ask.need("analyzerName")?;
    let account = world.accounts.get_mut(&ask.caller.account).ok_or_else(|| gate::denial(ask))?;
    account.region(&ask.region).analyzers.remove(name).map(|_| Value::Null).ok_or_else(|| missing(name))
}
