//! `landfall controls`: what can be asked, and the manual page of each.

use anyhow::anyhow;
use clap::Args;
use landfall_engine::control::Permissions;
use landfall_model::catalog::{ControlKind, Effect, Entry, Parameter, Place};
use landfall_model::id::Provider;
use serde_json::{Value, json};

use crate::arguments::{Common, Format};
use crate::near::did_you_mean;
use crate::table::table;
use crate::{Exit, say};

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// A control of the catalog; all in a table where none is named
    id: Option<String>,
}

pub(crate) fn run(arguments: &Arguments, common: &Common) -> anyhow::Result<Exit> {
    match (&arguments.id, common.format) {
        (None, Format::Json) => {
            say::json(&ControlKind::ALL.iter().map(|kind| value(*kind)).collect::<Vec<Value>>())?;
        }
        (None, Format::Text) => {
            let rows = ControlKind::ALL.iter().map(|kind| {
                let entry = kind.entry();
                vec![
                    kind.to_string(),
                    effect(entry.effect).to_owned(),
                    place(entry.place).to_owned(),
                    entry.title.to_owned(),
                ]
            });
            say::line(table(&["control", "effect", "where", "what must hold"], &[], rows.collect()));
            say::line("");
            say::line("`landfall controls ID` is the manual page of one");
        }
        (Some(id), format) => {
            let kind: ControlKind = id.parse().map_err(|_| {
                let near = did_you_mean(id, ControlKind::ALL.iter().map(|kind| kind.id()));
                anyhow!(
                    "the catalog has no control `{id}`{near}{}",
                    if near.is_empty() { ": `landfall controls` lists them" } else { "" }
                )
            })?;
            match format {
                Format::Json => say::json(&value(kind))?,
                Format::Text => page(kind),
            }
        }
    }
    Ok(Exit::Clean)
}

fn page(kind: ControlKind) {
    let Entry { kind: _, title, manual, place: at, effect: what, parameters } = kind.entry();
    say::line(say::styled(say::HEAD, format!("{kind}: {title}")));
    say::line(format!("{}; {}\n", effect(*what), place(*at)));
    say::line(manual);
    say::line(format!("\n{}", say::styled(say::HEAD, "Parameters, under `with`")));
    if parameters.is_empty() {
        say::line("  none");
    }
    for Parameter { name, form, combine, default, help } in *parameters {
        say::line(format!("  {name}: {help}"));
        let default = default
            .map_or_else(|| "nothing unless said".to_owned(), |default| format!("{default} unless said"));
        say::line(format!("    {}; {default}; of several levels, {}", form.expected(), combine.as_str()));
    }
    say::line(format!("\n{}", say::styled(say::HEAD, "What Landfall may call for it")));
    let line = |what: String, needs: &str| say::line(format!("  {what:<22}  {needs}"));
    for (provider, needs) in permissions(kind) {
        let cloud = spoken(provider);
        match needs {
            Some(needs) => {
                line(format!("{cloud}, to look"), &list(needs.read));
                line(format!("{cloud}, to write"), &list(needs.write));
            }
            None => line(cloud.to_owned(), "nothing: it has no such thing, or needs no call of its own"),
        }
    }
}

/// What each cloud has to permit.
fn permissions(kind: ControlKind) -> [(Provider, Option<Permissions>); 3] {
    [
        (Provider::Aws, landfall_aws::controls::permissions(kind)),
        (Provider::Azure, landfall_azure::controls::permissions(kind)),
        (Provider::Gcp, landfall_gcp::controls::permissions(kind)),
    ]
}

/// A cloud as people call it.
const fn spoken(provider: Provider) -> &'static str {
    match provider {
        Provider::Aws => "AWS",
        Provider::Azure => "Azure",
        Provider::Gcp => "Google Cloud",
    }
}

fn list(permissions: &[&str]) -> String {
    if permissions.is_empty() { "nothing".to_owned() } else { permissions.join(", ") }
}

fn value(kind: ControlKind) -> Value {
    let Entry { kind: _, title, manual, place, effect, parameters } = kind.entry();
    let parameters: Vec<Value> = parameters
        .iter()
        .map(|Parameter { name, form, combine, default, help }| {
            let default: Option<Value> = default.and_then(|text| serde_json::from_str(text).ok());
            json!({
                "name": name, "expected": form.expected(), "combine": combine.as_str(), "default": default, "help": help,
            })
        })
        .collect();
    let permissions: serde_json::Map<String, Value> = permissions(kind)
        .into_iter()
        .map(|(provider, needs)| {
            let needs = needs.map(|needs| json!({"read": needs.read, "write": needs.write}));
            (provider.as_str().to_owned(), needs.into())
        })
        .collect();
    json!({
        "control": kind, "title": title, "place": place, "effect": effect, "manual": manual, "parameters": parameters,
        "permissions": permissions,
    })
}

const fn effect(effect: Effect) -> &'static str {
    match effect {
        Effect::Prevents => "prevents",
        Effect::Repairs => "repairs",
        Effect::Detects => "detects",
    }
}

const fn place(place: Place) -> &'static str {
    match place {
        Place::Policy => "policy on units",
        Place::Organization => "organization",
        Place::Tenant => "each tenant",
        Place::Implied => "follows from the manifest",
    }
}
