//! Plans and reports as people read them: the same words on a terminal, in a console and in a pull request.
//!
//! Text from clouds and people (names, reasons, error messages) is hostile: [`inert`] takes out what a terminal would obey.

pub mod inert;
pub mod json;
pub mod text;
