//! What is true of the whole: its layout, and one organization on three clouds.

mod architecture;
mod console;
mod federation;
mod packages;
mod permissions;
mod three_clouds;
mod three_functions;
