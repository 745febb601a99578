//! What is true of the whole: its layout, and one organization on three clouds.

mod architecture;
mod three_clouds;
