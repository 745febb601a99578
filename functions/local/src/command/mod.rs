//! One file a verb.

pub(crate) mod apply;
pub(crate) mod build;
pub(crate) mod check;
pub(crate) mod controls;
pub(crate) mod demo;
pub(crate) mod doctor;
pub(crate) mod explain;
pub(crate) mod function;
pub(crate) mod init;
pub(crate) mod keygen;
pub(crate) mod ledger;
pub(crate) mod pause;
pub(crate) mod permissions;
pub(crate) mod plan;
pub(crate) mod sign;
pub(crate) mod simulate;
pub(crate) mod status;
pub(crate) mod sweep;
pub(crate) mod verify;

use crate::Exit;
use crate::arguments::{Cli, Command};

/// Does what was typed.
pub(crate) async fn run(cli: Cli) -> anyhow::Result<Exit> {
    let Cli { command, common } = cli;
    match command {
        Command::Demo(arguments) => demo::run(&arguments).await,
        Command::Init(arguments) => init::run(&arguments, &common),
        Command::Check(arguments) => check::run(&arguments, &common),
        Command::Build(arguments) => build::run(&arguments, &common),
        Command::Keygen(arguments) => keygen::run(&arguments, &common),
        Command::Sign(arguments) => sign::run(&arguments, &common),
        Command::Verify(arguments) => verify::run(&arguments, &common).await,
        Command::Plan(arguments) => plan::run(&arguments, &common).await,
        Command::Apply(arguments) => apply::run(&arguments, &common).await,
        Command::Sweep(arguments) => sweep::run(&arguments, &common).await,
        Command::Status(arguments) => status::run(&arguments, &common).await,
        Command::Explain(arguments) => explain::run(&arguments, &common).await,
        Command::Pause(arguments) => pause::run(&arguments, &common, true).await,
        Command::Resume(arguments) => pause::run(&arguments, &common, false).await,
        Command::Ledger(arguments) => ledger::run(&arguments, &common).await,
        Command::Doctor(arguments) => doctor::run(&arguments, &common).await,
        Command::Controls(arguments) => controls::run(&arguments, &common),
        Command::Permissions(arguments) => permissions::run(&arguments, &common).await,
        Command::Simulate(arguments) => simulate::run(&arguments, &common).await,
        // `main` has run it on a runtime of its own.
        Command::Function(_) => Ok(Exit::Error),
    }
}
