//! `landfall verify`: whether a function that trusts these keys would follow a bundle.

use anyhow::Context as _;
use clap::Args;
use jiff::Timestamp;
use landfall_engine::trust::statement_of;
use landfall_model::id::Name;
use landfall_model::manifest::statement::{PublicKeys, verify};
use landfall_reports::inert::inert;
use serde_json::json;

use crate::arguments::{Common, Format};
use crate::place::Cloudy;
use crate::{Exit, say, source};

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// The bundle; its statement lies beside it
    bundle: String,
    /// The organization it has to be of; the bundle's own unless said
    #[arg(long, value_name = "NAME")]
    organization: Option<Name>,
}

pub(crate) async fn run(arguments: &Arguments, common: &Common) -> anyhow::Result<Exit> {
    let Arguments { bundle: from, organization } = arguments;
    let keys = keys(common)?
        .context("no key to verify with: give `--public-keys` what `landfall keygen` printed")?;
    let source::Given { bundle, statement } = source::bundle(from, &Cloudy::default()).await?;
    let statement = statement.with_context(|| {
        format!(
            "`{from}` is not signed: there is no `{}` beside it; `landfall sign` writes it",
            statement_of(from)
        )
    })?;
    let organization = organization.as_ref().unwrap_or(&bundle.manifest().organization);
    let statement = verify(&statement, bundle.digest(), organization, 0, &keys, Timestamp::now())
        .with_context(|| format!("the bundle `{from}` does not count"))?;
    match common.format {
        Format::Json => say::json(&json!({"counts": true, "statement": statement}))?,
        Format::Text => {
            let day = |at: Timestamp| at.strftime("%Y-%m-%d %H:%MZ").to_string();
            say::line(format!("the bundle {} counts", bundle.digest().short()));
            say::line(format!("  organization  {}", statement.organization));
            say::line(format!("  generation    {}", statement.generation));
            say::line(format!("  digest        {}", statement.digest));
            say::line(format!("  signed        {} with key {}", day(statement.signed_at), statement.key_id));
            if let Some(author) = &statement.author {
                say::line(format!("  author        {}", inert(author)));
            }
            say::line(format!("  expires       {}", day(statement.expires)));
        }
    }
    Ok(Exit::Clean)
}

/// The keys that were given.
pub(crate) fn keys(common: &Common) -> anyhow::Result<Option<PublicKeys>> {
    common
        .public_keys
        .as_deref()
        .map(|text| PublicKeys::parse(text).context("could not read the public keys"))
        .transpose()
}
