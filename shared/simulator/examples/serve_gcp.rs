//! Serves a sample organization of Google Cloud until its input ends: `serve_gcp [ADDRESS [PROJECTS [FAULTS]]]`. Prints the URL first.

use std::io::{Read as _, Write as _};

use landfall_simulator::gcp::{GcpOptions, GcpSimulator};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let mut options = GcpOptions { projects: 8, ..GcpOptions::default() };
    if let Some(address) = arguments.next() {
        options.listen = address.parse()?;
    }
    if let Some(projects) = arguments.next() {
        options.projects = projects.parse()?;
    }
    if let Some(faults) = arguments.next() {
        options.faults = faults.parse()?;
    }
    let simulator = GcpSimulator::start(options)?;
    writeln!(std::io::stdout(), "{}", simulator.url())?;
    std::io::stdin().read_to_end(&mut Vec::new())?;
    simulator.stop();
    Ok(())
}
