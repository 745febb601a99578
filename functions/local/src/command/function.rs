//! `landfall function aws|azure|gcp`: this program as a cloud function's process, for the demo and for tests.

use std::process::ExitCode;

use clap::{Args, ValueEnum};

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    which: Which,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Which {
    /// The AWS Lambda function.
    Aws,
    /// The custom handler of Azure Functions.
    Azure,
    /// The Cloud Run function.
    Gcp,
}

pub(crate) async fn run(arguments: &Arguments) -> ExitCode {
    match arguments.which {
        Which::Aws => landfall_function_aws::run().await,
        Which::Azure => landfall_function_azure::run().await,
        Which::Gcp => landfall_function_gcp::run().await,
    }
}
