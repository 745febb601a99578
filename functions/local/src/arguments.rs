//! What can be typed.

use clap::{ArgAction, Args, Parser, Subcommand, ValueEnum};
use landfall_model::id::Name;

use crate::command;

/// Turns one manifest of the organization into a verified baseline on every account and subscription.
#[derive(Debug, Parser)]
#[command(
    name = "landfall",
    version,
    max_term_width = 110,
    arg_required_else_help = true,
    after_help = "Exit codes: 0 clean, 1 error, 2 changes or failures found.\n\
                  Begin with `landfall demo`, which needs no cloud account, or with `landfall init`."
)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
    #[command(flatten)]
    pub(crate) common: Common,
}

/// What every command understands.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Everywhere")]
pub(crate) struct Common {
    /// The manifest: a folder of YAML (`.` unless said), a bundle, `s3://bucket/bundle.json`, `az://account/container/bundle.json` or `gs://bucket/bundle.json`
    #[arg(long, global = true, env = "LANDFALL_MANIFEST", value_name = "WHERE", hide_env_values = true)]
    pub(crate) manifest: Option<String>,
    /// Where everything is kept: `sqlite:file`, `s3://bucket/folder`, `az://account/container/folder` or `gs://bucket/folder`
    #[arg(
        long,
        global = true,
        env = "LANDFALL_STORE",
        value_name = "WHERE",
        default_value = "sqlite:landfall.db",
        hide_env_values = true
    )]
    pub(crate) store: String,
    /// The keys that may vouch for a bundle, as `keygen` printed them: `id=base64[,id=base64]`
    #[arg(
        long,
        alias = "keys",
        global = true,
        env = "LANDFALL_PUBLIC_KEYS",
        value_name = "KEYS",
        hide_env_values = true
    )]
    pub(crate) public_keys: Option<String>,
    /// Which cloud of the manifest, where it has several; for `simulate`, `aws`, `azure` or `gcp`
    #[arg(long, global = true, env = "LANDFALL_CLOUD", value_name = "NAME", hide_env_values = true)]
    pub(crate) cloud: Option<Name>,
    /// What to print
    #[arg(long, global = true, value_enum, default_value_t = Format::Text)]
    pub(crate) format: Format,
    /// Tell what happens behind it; twice for each call
    #[arg(short, long, global = true, action = ArgAction::Count)]
    pub(crate) verbose: u8,
}

impl Common {
    /// Where the manifest is.
    pub(crate) fn manifest(&self) -> &str {
        self.manifest.as_deref().unwrap_or(".")
    }
}

/// For whom to print.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people.
    Text,
    /// For programs.
    Json,
}

/// The verbs, in the order in which people meet them.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Show the whole on a simulated AWS and a simulated Azure, in under a minute
    Demo(command::demo::Arguments),
    /// Write a small manifest to begin with
    Init(command::init::Arguments),
    /// Say everything that is wrong with a manifest
    Check(command::check::Arguments),
    /// Compile a manifest into the one document that functions load
    Build(command::build::Arguments),
    /// Make a key to sign bundles with
    Keygen(command::keygen::Arguments),
    /// Say which bundle counts, and until when
    Sign(command::sign::Arguments),
    /// Say whether a signed bundle counts
    Verify(command::verify::Arguments),
    /// Say what would change, without a hand that could change it
    Plan(command::plan::Arguments),
    /// Bring targets to what the manifest says
    Apply(command::apply::Arguments),
    /// Look at everybody, or at one unit, repair what the manifest lets be repaired, and report
    Sweep(command::sweep::Arguments),
    /// Say how everybody stands, as the store knows it
    Status(command::status::Arguments),
    /// Say why a setting is as it is: clause, control, value, evidence, history
    Explain(command::explain::Arguments),
    /// Stop every function of this store before its next write, or say how the switch stands
    Pause(command::pause::Arguments),
    /// Let them go on
    Resume(command::pause::Arguments),
    /// Show or verify the history of what was done
    Ledger(command::ledger::Arguments),
    /// Say who I am, what I can read and write, and what is missing
    Doctor(command::doctor::Arguments),
    /// The manual page of each control
    Controls(command::controls::Arguments),
    /// Print the least that a cloud has to permit, as its own tool takes it
    Permissions(command::permissions::Arguments),
    /// Serve a simulated cloud on this machine
    Simulate(command::simulate::Arguments),
    /// Run as the process of a cloud function
    #[command(hide = true)]
    Function(command::function::Arguments),
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    #[test]
    fn no_argument_stands_in_another_s_way() {
        super::Cli::command().debug_assert();
    }
}
