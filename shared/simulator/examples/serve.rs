//! Serves a sample organization until its input ends: `serve [ADDRESS [ACCOUNTS [FAULTS]]]`. Prints the URL first.

use std::io::{Read as _, Write as _};

use landfall_simulator::{Options, Simulator};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let mut options = Options { accounts: 8, ..Options::default() };
    if let Some(address) = arguments.next() {
        options.listen = address.parse()?;
    }
    if let Some(accounts) = arguments.next() {
        options.accounts = accounts.parse()?;
    }
    if let Some(faults) = arguments.next() {
        options.faults = faults.parse()?;
    }
    let simulator = Simulator::start(options)?;
    writeln!(std::io::stdout(), "{}", simulator.url())?;
    std::io::stdin().read_to_end(&mut Vec::new())?;
    simulator.stop();
    Ok(())
}
