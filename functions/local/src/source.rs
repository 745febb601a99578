//! What `--manifest` names: a folder that people edit, or a bundle that was built.

use std::path::Path;

use anyhow::{Context as _, bail};
use jiff::Zoned;
use jiff::civil::Date;
use landfall_engine::trust::statement_of;
use landfall_engine::warm::Home as _;
use landfall_model::manifest::Source;
use landfall_model::manifest::bundle::Bundle;
use landfall_model::manifest::parse::parse;
use landfall_model::manifest::statement::SignedStatement;

use crate::place::Cloudy;
use crate::{problem, say};

/// A folder that holds this file is a demo's, and no part of a manifest around it.
pub(crate) const DEMO_MARK: &str = ".landfall-demo";

/// Folders within folders within folders: more is a circle of links.
const DEEPEST: u32 = 16;

/// A bundle, and the statement beside it where there is one. A folder has none.
#[derive(Debug)]
pub(crate) struct Given {
    pub(crate) bundle: Bundle,
    pub(crate) statement: Option<SignedStatement>,
}

/// Reads what `--manifest` names. A folder is built in passing.
pub(crate) async fn given(from: &str, cloudy: &Cloudy) -> anyhow::Result<Given> {
    if from.starts_with("s3://")
        || from.starts_with("az://")
        || from.starts_with("gs://")
        || from.ends_with(".json")
    {
        return bundle(from, cloudy).await;
    }
    let (sources, parsed) = read(from)?;
    match parsed.manifest {
        Some(manifest) => Ok(Given { bundle: Bundle::build(manifest)?, statement: None }),
        None => {
            say::note(format!("{}\n", problem::render(&parsed.diagnostics, &sources).trim_end()));
            bail!("the manifest in `{from}` has {}", problem::count(&parsed.diagnostics))
        }
    }
}

/// Reads a bundle and its statement.
pub(crate) async fn bundle(from: &str, cloudy: &Cloudy) -> anyhow::Result<Given> {
    let bytes = fetch(from, cloudy).await?.with_context(|| {
        format!("there is no bundle at `{from}`: `landfall build` writes one from a folder")
    })?;
    let bundle = Bundle::load(&bytes).with_context(|| format!("could not read the bundle `{from}`"))?;
    let beside = statement_of(from);
    let statement = match fetch(&beside, cloudy).await? {
        Some(bytes) => Some(
            SignedStatement::load(&bytes)
                .with_context(|| format!("could not read the statement `{beside}`"))?,
        ),
        None => None,
    };
    Ok(Given { bundle, statement })
}

async fn fetch(from: &str, cloudy: &Cloudy) -> anyhow::Result<Option<Vec<u8>>> {
    let doing = || format!("could not read `{from}`");
    let object = if from.starts_with("s3://") {
        cloudy.aws().await?.object(from).await
    } else if from.starts_with("az://") {
        cloudy.azure().await?.object(from).await
    } else if from.starts_with("gs://") {
        cloudy.gcp().await?.object(from).await
    } else {
        return match std::fs::read(from) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error).with_context(doing),
        };
    };
    let object = object.map_err(anyhow::Error::from_boxed).with_context(doing)?;
    Ok(object.map(Into::into))
}

/// Reads and parses a folder, or one file of YAML.
pub(crate) fn read(from: &str) -> anyhow::Result<(Vec<Source>, landfall_model::manifest::parse::Parsed)> {
    let sources = sources(from)?;
    let parsed = parse(&sources, today());
    Ok((sources, parsed))
}

/// The day on which exemptions are judged.
fn today() -> Date {
    Zoned::now().date()
}

/// The YAML files of a folder and the folders in it, in order. Hidden ones are nobody's manifest.
fn sources(from: &str) -> anyhow::Result<Vec<Source>> {
    let path = Path::new(from);
    let about = std::fs::metadata(path).with_context(|| format!("could not read the manifest `{from}`"))?;
    let mut sources = Vec::new();
    if about.is_file() {
        sources.push(file(path, from)?);
    } else {
        // Places read as paths from here, so that an editor finds them.
        let prefix = match from.trim_end_matches('/') {
            "." => String::new(),
            from => format!("{from}/"),
        };
        walk(path, &prefix, DEEPEST, &mut sources)?;
    }
    if sources.is_empty() {
        bail!("there is no manifest in `{from}`: no file ends in `.yaml`; `landfall init {from}` writes one");
    }
    sources.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(sources)
}

fn walk(folder: &Path, prefix: &str, deep: u32, sources: &mut Vec<Source>) -> anyhow::Result<()> {
    let doing = || format!("could not read the folder `{}`", folder.display());
    for entry in std::fs::read_dir(folder).with_context(doing)? {
        let entry = entry.with_context(doing)?;
        let Ok(name) = entry.file_name().into_string() else { continue };
        if name.starts_with('.') {
            continue;
        }
        let path = entry.path();
        let about =
            std::fs::metadata(&path).with_context(|| format!("could not read `{}`", path.display()))?;
        let shown = format!("{prefix}{name}");
        if about.is_dir() {
            if path.join(DEMO_MARK).exists() {
                continue;
            }
            let deeper = deep.checked_sub(1).with_context(|| format!("`{shown}` is nested too deep"))?;
            walk(&path, &format!("{shown}/"), deeper, sources)?;
        } else if name.ends_with(".yaml") || name.ends_with(".yml") {
            sources.push(file(&path, &shown)?);
        }
    }
    Ok(())
}

fn file(path: &Path, name: &str) -> anyhow::Result<Source> {
    let bytes = std::fs::read(path).with_context(|| format!("could not read `{name}`"))?;
    let text = String::from_utf8(bytes).map_err(|_| anyhow::anyhow!("`{name}` is no text in UTF-8"))?;
    Ok(Source { name: name.to_owned(), text })
}
