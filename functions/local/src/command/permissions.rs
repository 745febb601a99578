//! `landfall permissions`: the least that a cloud has to permit for what a manifest asks, as the cloud's own tool takes it.

use std::collections::BTreeMap;

use anyhow::{Context as _, bail};
use clap::{Args, ValueEnum};
use landfall_engine::permissions::{Needed, Needer, Purpose, whole_catalog};
use landfall_model::catalog::ControlKind;
use landfall_model::desired::reach;
use landfall_model::id::Name;
use landfall_model::manifest::{Cloud, Manifest, Mode};
use serde_json::{Value, json};

use crate::arguments::{Common, Format};
use crate::desk::clouds;
use crate::place::Cloudy;
use crate::table::table;
use crate::{Exit, say, source};

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// What the role is for
    #[arg(long = "for", value_enum, value_name = "WHAT")]
    purpose: Use,
    /// For every control of the catalog, whatever the manifest asks
    #[arg(long)]
    all: bool,
    /// A table of who needs which permission, instead of the document
    #[arg(long)]
    why: bool,
}

/// What a role is for, as it is typed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Use {
    /// To look: plans are made with it
    Plan,
    /// To look and to write
    Apply,
}

impl Use {
    const fn purpose(self) -> Purpose {
        match self {
            Use::Plan => Purpose::Plan,
            Use::Apply => Purpose::Apply,
        }
    }

    const fn typed(self) -> &'static str {
        match self {
            Use::Plan => "plan",
            Use::Apply => "apply",
        }
    }

    /// The role's name for people.
    const fn title(self) -> &'static str {
        match self {
            Use::Plan => "Landfall read",
            Use::Apply => "Landfall write",
        }
    }

    /// What the role is for, for people.
    const fn description(self) -> &'static str {
        match self {
            Use::Plan => "What Landfall looks at: plans are made with this role.",
            Use::Apply => "What Landfall looks at and writes: changes are made with this role.",
        }
    }
}

pub(crate) async fn run(arguments: &Arguments, common: &Common) -> anyhow::Result<Exit> {
    let given = source::given(common.manifest(), &Cloudy::default()).await?;
    let manifest = given.bundle.manifest();
    let name = cloud(manifest, common.cloud.as_ref())?;
    let ground = manifest.clouds.get(&name).context("the manifest has no cloud")?;
    let controls = if arguments.all {
        whole_catalog()
    } else {
        reach(manifest, &name).context("the manifest has no cloud")?
    };
    let needed = needed(ground, arguments.purpose.purpose(), &controls);
    match (common.format, arguments.why) {
        (Format::Json, _) => say::json(&listed(ground, arguments.purpose, &needed))?,
        (Format::Text, true) => {
            let rows = needed.0.iter().map(|(permission, needers)| {
                let by: Vec<String> = needers.iter().map(Needer::to_string).collect();
                vec![(*permission).to_owned(), by.join(", ")]
            });
            say::line(table(&["permission", "needed by"], &[], rows.collect()));
        }
        (Format::Text, false) => document(ground, arguments.purpose, &needed)?,
    }
    Ok(Exit::Clean)
}

/// The one cloud that is asked about: roles are made in one at a time.
fn cloud(manifest: &Manifest, wanted: Option<&Name>) -> anyhow::Result<Name> {
    let names = clouds(manifest, wanted, &[])?;
    let mut rest = names.iter();
    match (rest.next(), rest.next()) {
        (Some(only), None) => Ok(only.clone()),
        (None, _) => bail!("the manifest has no cloud"),
        (Some(_), Some(_)) => {
            let names: Vec<&str> = names.iter().map(Name::as_str).collect();
            bail!("the manifest has several clouds: say with `--cloud` which one of {}", names.join(", "))
        }
    }
}

fn needed(ground: &Cloud, purpose: Purpose, controls: &BTreeMap<ControlKind, Mode>) -> Needed {
    match ground {
        Cloud::Aws(_) => landfall_aws::permissions::needed(purpose, controls),
        Cloud::Azure(_) => landfall_azure::permissions::needed(purpose, controls),
        Cloud::Gcp(_) => landfall_gcp::permissions::needed(purpose, controls),
    }
}

/// What the cloud's own tool takes as it is.
fn document(ground: &Cloud, purpose: Use, needed: &Needed) -> anyhow::Result<()> {
    match ground {
        Cloud::Aws(aws) => {
            let partition = landfall_aws::permissions::partition(aws);
            say::json(&landfall_aws::permissions::policy(needed, partition))
        }
        Cloud::Azure(azure) => {
            let (title, description) = (purpose.title(), purpose.description());
            say::json(&landfall_azure::permissions::role(title, description, needed, azure))
        }
        Cloud::Gcp(_) => {
            let (title, description) = (purpose.title(), purpose.description());
            say::line(
                landfall_gcp::permissions::role(title, description, purpose.purpose(), needed).trim_end(),
            );
            Ok(())
        }
    }
}

/// For programs that ask why a permission is there.
fn listed(ground: &Cloud, purpose: Use, Needed(needed): &Needed) -> Value {
    let permissions: Vec<Value> = needed
        .iter()
        .map(|(permission, needers)| {
            let mut controls: Vec<&str> = Vec::new();
            let mut errands: Vec<&str> = Vec::new();
            for needer in needers {
                match needer {
                    Needer::Control(kind) => controls.push(kind.id()),
                    Needer::Errand(name) => errands.push(name),
                }
            }
            json!({"permission": permission, "controls": controls, "errands": errands})
        })
        .collect();
    json!({"cloud": ground.provider().as_str(), "for": purpose.typed(), "permissions": permissions})
}
