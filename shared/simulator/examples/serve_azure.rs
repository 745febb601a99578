//! Serves a sample directory of Azure until its input ends: `serve_azure [ADDRESS [SUBSCRIPTIONS [FAULTS]]]`. Prints the URL first.

use std::io::{Read as _, Write as _};

use landfall_simulator::azure::{AzureOptions, AzureSimulator};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let mut options = AzureOptions { subscriptions: 8, ..AzureOptions::default() };
    if let Some(address) = arguments.next() {
        options.listen = address.parse()?;
    }
    if let Some(subscriptions) = arguments.next() {
        options.subscriptions = subscriptions.parse()?;
    }
    if let Some(faults) = arguments.next() {
        options.faults = faults.parse()?;
    }
    let simulator = AzureSimulator::start(options)?;
    writeln!(std::io::stdout(), "{}", simulator.url())?;
    std::io::stdin().read_to_end(&mut Vec::new())?;
    simulator.stop();
    Ok(())
}
