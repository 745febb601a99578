//! `landfall simulate`: AWS on this machine, for everything that can be pointed at an endpoint.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Args;
use landfall_simulator::{Faults, Group, Options, Simulator, World};

use crate::{Exit, say};

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// Where to listen; port 0 takes a free one
    #[arg(long, value_name = "127.0.0.1:PORT", default_value = "127.0.0.1:4600")]
    listen: SocketAddr,
    /// How many sample accounts, some of them wrong in different ways
    #[arg(long, value_name = "N", default_value_t = 12)]
    accounts: usize,
    /// What goes wrong: `throttle=0.2,5xx=0.05,cut=17,latency=20ms,lag=2s,deny=ec2:DeleteVpc@222222222222,seed=1`
    #[arg(long, value_name = "FAULTS", default_value = "")]
    faults: String,
    /// A group of the identity provider, for the teams of a manifest; may be given several times
    #[arg(long = "group", value_name = "NAME")]
    groups: Vec<String>,
    /// Appends one line of JSON for each request
    #[arg(long, value_name = "FILE")]
    log: Option<PathBuf>,
}

pub(crate) async fn run(arguments: &Arguments) -> anyhow::Result<Exit> {
    let Arguments { listen, accounts, faults, groups, log } = arguments;
    anyhow::ensure!(
        listen.ip().is_loopback(),
        "`--listen {listen}` is open to other machines, and the simulator checks nobody: listen on 127.0.0.1"
    );
    let faults: Faults = faults.parse()?;
    let mut world = World::sample(*accounts);
    for (n, name) in groups.iter().enumerate() {
        let group = Group { id: format!("g-{n}"), name: name.clone(), description: None };
        world.identity_center.groups.insert(group.id.clone(), group);
    }
    let options =
        Options { listen: *listen, world: Some(world), faults, log: log.clone(), ..Options::default() };
    let simulator = Simulator::start(options)?;
    say::line(simulator.url());
    say::note("to use it in another shell:");
    say::note(environment(&simulator.url()));
    say::note("Ctrl-C ends it");
    ended().await;
    simulator.stop();
    Ok(Exit::Clean)
}

/// What points the AWS SDKs, and so Landfall, at the simulator.
pub(crate) fn environment(url: &str) -> String {
    format!(
        "  export AWS_ENDPOINT_URL={url} AWS_REGION=eu-central-1 AWS_ACCESS_KEY_ID=simulated AWS_SECRET_ACCESS_KEY=simulated"
    )
}

/// Waits until somebody ends the process: by Ctrl-C, or as a supervisor does.
pub(crate) async fn ended() {
    #[cfg(unix)]
    if let Ok(mut term) = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
        tokio::select! {
            _ = tokio::signal::ctrl_c() => {}
            _ = term.recv() => {}
        }
        return;
    }
    // A machine that can't tell us of it ends us anyway.
    drop(tokio::signal::ctrl_c().await);
}
