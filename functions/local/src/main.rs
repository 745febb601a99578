//! The `landfall` command line: the manifest at a desk, the engine in one process, the whole on a simulated cloud.
//!
//! [`arguments`] says what can be typed, [`command`] has one file a verb. Around them:
//!
//! | room | modules |
//! |---|---|
//! | what a command works with | [`source`] [`place`] [`desk`] [`target`] |
//! | a sweep or an apply in this process | [`worker`] |
//! | what people see | [`say`] [`table`] [`problem`] [`near`] [`made`] |
//! | the whole without a cloud account | [`demo`] |

mod arguments;
mod command;
mod demo;
mod desk;
mod made;
mod near;
mod place;
mod problem;
mod say;
mod source;
mod table;
mod target;
mod worker;

use std::process::ExitCode;

use clap::Parser as _;
use tracing_subscriber::Layer as _;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt as _;

use arguments::{Cli, Command};

/// How a command ended, as scripts see it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Exit {
    /// 0: everything is as it should be.
    Clean,
    /// 1: it could not be done.
    Error,
    /// 2: it was done, and there are changes to make or failures to see to.
    Found,
}

impl Exit {
    /// `Found` where something was found.
    const fn found(found: bool) -> Self {
        if found { Exit::Found } else { Exit::Clean }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        ExitCode::from(match exit {
            Exit::Clean => 0,
            Exit::Error => 1,
            Exit::Found => 2,
        })
    }
}

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return usage(&error),
    };
    // A function has one thread in the cloud; at a desk several targets are worked on at once.
    let mut runtime = if matches!(cli.command, Command::Function(_)) {
        tokio::runtime::Builder::new_current_thread()
    } else {
        tokio::runtime::Builder::new_multi_thread()
    };
    let runtime = match runtime.enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            say::error(&anyhow::Error::new(error).context("could not start"));
            return Exit::Error.into();
        }
    };
    runtime.block_on(async {
        if let Command::Function(which) = &cli.command {
            return command::function::run(which).await;
        }
        log(cli.common.verbose);
        match command::run(cli).await {
            Ok(exit) => exit.into(),
            Err(error) => {
                say::error(&error);
                Exit::Error.into()
            }
        }
    })
}

/// Help and version are answers; everything else is an error, and 2 means something else here than clap's own.
fn usage(error: &clap::Error) -> ExitCode {
    // Nobody may be there to read it.
    drop(error.print());
    if error.use_stderr() { Exit::Error.into() } else { Exit::Clean.into() }
}

/// What happens behind the command goes to standard error: nothing but warnings unless somebody asks for more.
fn log(verbose: u8) {
    // What libraries say is for those who ask for everything: a person gets our own words for it anyway.
    let (ours, others) = match verbose {
        0 => (LevelFilter::WARN, LevelFilter::OFF),
        1 => (LevelFilter::INFO, LevelFilter::OFF),
        2 => (LevelFilter::DEBUG, LevelFilter::WARN),
        _ => (LevelFilter::TRACE, LevelFilter::DEBUG),
    };
    let lines = tracing_subscriber::fmt::layer()
        .compact()
        .with_target(false)
        .with_writer(std::io::stderr)
        .with_ansi(anstream::AutoStream::choice(&std::io::stderr()) != anstream::ColorChoice::Never)
        .with_filter(Targets::new().with_default(others).with_target("landfall", ours));
    let subscriber = tracing_subscriber::registry().with(lines);
    // A second subscriber can only be refused where one is set already, and then that one writes.
    drop(tracing::subscriber::set_global_default(subscriber));
}
