//! `landfall sign`: a small statement beside a bundle that says it counts, from which generation on, and until when.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use clap::Args;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use landfall_engine::trust::statement_of;
use landfall_model::manifest::bundle::Bundle;
use landfall_model::manifest::statement::{PublicKey, Statement, sign};
use serde_json::json;

use super::build::write;
use crate::arguments::{Common, Format};
use crate::{Exit, say};

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// The bundle that `landfall build` wrote
    bundle: PathBuf,
    /// The private key that `landfall keygen` wrote
    #[arg(long, value_name = "KEYFILE")]
    key: PathBuf,
    /// Counts up: functions never go back to a lower one
    #[arg(long, value_name = "N")]
    generation: u64,
    /// When it stops to count: `90d`, or the last day as `2027-03-31`
    #[arg(long, value_name = "90d|DATE")]
    expires: String,
    /// Who changed the manifest, for the reports
    #[arg(long)]
    author: Option<String>,
}

pub(crate) fn run(arguments: &Arguments, common: &Common) -> anyhow::Result<Exit> {
    let Arguments { bundle, key, generation, expires, author } = arguments;
    let now = Timestamp::now();
    let (statement, path) = statement(bundle, key, *generation, expiry(expires, now)?, author.clone(), now)?;
    match common.format {
        Format::Json => say::json(&json!({"statement": statement, "written": path}))?,
        Format::Text => say::line(format!(
            "bundle {} of {} counts as generation {} until {}; wrote {}",
            statement.digest.short(),
            statement.organization,
            statement.generation,
            statement.expires.strftime("%Y-%m-%d %H:%MZ"),
            path.display()
        )),
    }
    Ok(Exit::Clean)
}

/// Signs a bundle and writes the statement beside it.
pub(crate) fn statement(
    bundle: &Path,
    key: &Path,
    generation: u64,
    expires: Timestamp,
    author: Option<String>,
    now: Timestamp,
) -> anyhow::Result<(Statement, PathBuf)> {
    let shown = bundle.display();
    let bytes = std::fs::read(bundle).with_context(|| format!("could not read the bundle `{shown}`"))?;
    let loaded = Bundle::load(&bytes).with_context(|| format!("could not read the bundle `{shown}`"))?;
    let pkcs8 = std::fs::read(key).with_context(|| format!("could not read the key `{}`", key.display()))?;
    let doing = || format!("could not sign with the key `{}`", key.display());
    let statement = Statement {
        organization: loaded.manifest().organization.clone(),
        generation,
        digest: loaded.digest().clone(),
        key_id: PublicKey::of(&pkcs8).with_context(doing)?.id().clone(),
        expires,
        author,
        signed_at: now,
    };
    let signed = sign(&statement, &pkcs8).with_context(doing)?;
    let path = PathBuf::from(statement_of(&bundle.to_string_lossy()));
    write(&path, &signed.to_json()?)?;
    Ok((statement, path))
}

/// Reads `90d` or a day, whose end in UTC is meant.
fn expiry(text: &str, now: Timestamp) -> anyhow::Result<Timestamp> {
    let expected = || {
        format!("`--expires {text}` is neither a number of days such as `90d` nor a day such as `2027-03-31`")
    };
    let end = match text.strip_suffix('d').map(str::parse::<u32>) {
        Some(Ok(days)) => {
            now.checked_add(SignedDuration::from_hours(i64::from(days) * 24)).with_context(expected)?
        }
        Some(Err(_)) => bail!("{}", expected()),
        None => {
            let day: Date = text.parse().ok().with_context(expected)?;
            let next = day.tomorrow().with_context(expected)?;
            next.to_zoned(TimeZone::UTC).with_context(expected)?.timestamp()
        }
    };
    if end <= now {
        bail!("`--expires {text}` is over already: nothing was signed");
    }
    Ok(end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_statement_ends_after_so_many_days_or_with_a_day() {
        let now: Timestamp = "2026-11-21T10:00:00Z".parse().unwrap();
        assert_eq!(expiry("90d", now).unwrap().to_string(), "2027-02-19T10:00:00Z");
        assert_eq!(expiry("2027-03-31", now).unwrap().to_string(), "2027-04-01T00:00:00Z");
        assert_eq!(expiry("2026-11-21", now).unwrap().to_string(), "2026-11-22T00:00:00Z");
        for wrong in ["2026-11-20", "0d", "-1d", "soon", "90", "2027-02-30"] {
            assert!(expiry(wrong, now).is_err(), "{wrong}");
        }
    }
}
