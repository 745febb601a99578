//! The function's process.

use std::process::ExitCode;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    landfall_function_gcp::run().await
}
