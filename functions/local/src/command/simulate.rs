//! `landfall simulate`: a cloud on this machine, for everything that can be pointed at an endpoint.

use std::net::SocketAddr;
use std::path::PathBuf;

use anyhow::{bail, ensure};
use clap::Args;
use landfall_model::id::Name;
use landfall_simulator::azure::{AzureOptions, AzureSimulator, AzureWorld};
use landfall_simulator::gcp::{GcpOptions, GcpSimulator, GcpWorld};
use landfall_simulator::{Faults, Group, Options, Simulator, World};

use crate::arguments::Common;
use crate::{Exit, say};

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// Where to listen; port 0 takes a free one
    #[arg(long, value_name = "127.0.0.1:PORT", default_value = "127.0.0.1:4600")]
    listen: SocketAddr,
    /// How many sample accounts, subscriptions or projects, some of them wrong in different ways
    #[arg(long, visible_aliases = ["subscriptions", "projects"], value_name = "N", default_value_t = 12)]
    accounts: usize,
    /// What goes wrong: `throttle=0.2,5xx=0.05,cut=17,latency=20ms,lag=2s,deny=ec2:DeleteVpc@222222222222,seed=1`
    #[arg(long, value_name = "FAULTS", default_value = "")]
    faults: String,
    /// A group of the identity provider, for the teams of a manifest: its name on AWS, its object id on Azure; may be given several times
    #[arg(long = "group", value_name = "NAME")]
    groups: Vec<String>,
    /// Appends one line of JSON for each request
    #[arg(long, value_name = "FILE")]
    log: Option<PathBuf>,
}

pub(crate) async fn run(arguments: &Arguments, common: &Common) -> anyhow::Result<Exit> {
    let Arguments { listen, accounts, faults, groups, log } = arguments;
    ensure!(
        listen.ip().is_loopback(),
        "`--listen {listen}` is open to other machines, and the simulator checks nobody: listen on 127.0.0.1"
    );
    let faults: Faults = faults.parse()?;
    match common.cloud.as_ref().map_or("aws", Name::as_str) {
        "aws" => {
            let mut world = World::sample(*accounts);
            for (n, name) in groups.iter().enumerate() {
                let group = Group { id: format!("g-{n}"), name: name.clone(), description: None };
                world.identity_center.groups.insert(group.id.clone(), group);
            }
            let world = Some(world);
            let options = Options { listen: *listen, world, faults, log: log.clone(), ..Options::default() };
            let simulator = Simulator::start(options)?;
            serving(&simulator.url(), &aws_environment(&simulator.url())).await;
            simulator.stop();
        }
        "azure" => {
            let mut world = AzureWorld::sample(*accounts);
            for id in groups {
                world.add_principal(id, "Group", id);
            }
            let world = Some(world);
            let options =
                AzureOptions { listen: *listen, world, faults, log: log.clone(), ..AzureOptions::default() };
            let simulator = AzureSimulator::start(options)?;
            serving(&simulator.url(), &azure_environment(&simulator.url())).await;
            simulator.stop();
        }
        "gcp" => {
            // Any group may be named: Google's own asks nobody whether there is one, but for its form.
            if !groups.is_empty() {
                say::note("`--group` is not needed: any group can be given a role here");
            }
            let world = Some(GcpWorld::sample(*accounts));
            let options =
                GcpOptions { listen: *listen, world, faults, log: log.clone(), ..GcpOptions::default() };
            let simulator = GcpSimulator::start(options)?;
            serving(&simulator.url(), &gcp_environment(&simulator.url())).await;
            simulator.stop();
        }
        other => bail!("`{other}` is not simulated: `--cloud aws`, unless said, `azure` or `gcp`"),
    }
    Ok(Exit::Clean)
}

/// Says where it is, and waits until somebody ends it.
async fn serving(url: &str, environment: &str) {
    say::line(url);
    say::note("to use it in another shell:");
    say::note(environment);
    say::note("Ctrl-C ends it");
    ended().await;
}

/// What points the AWS SDKs, and so Landfall, at the simulator.
pub(crate) fn aws_environment(url: &str) -> String {
    format!(
        "  export AWS_ENDPOINT_URL={url} AWS_REGION=eu-central-1 AWS_ACCESS_KEY_ID=simulated AWS_SECRET_ACCESS_KEY=simulated"
    )
}

/// What points Landfall at the simulated Resource Manager: Microsoft's own tools take no endpoint without TLS.
pub(crate) fn azure_environment(url: &str) -> String {
    format!("  export LANDFALL_AZURE_ENDPOINT={url}")
}

/// What points Landfall at the simulated APIs of Google Cloud: Google's own tools take one endpoint for each.
pub(crate) fn gcp_environment(url: &str) -> String {
    format!("  export LANDFALL_GCP_ENDPOINT={url}")
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
