//! What an organization is and what must hold in it: pure types and decisions.

pub mod id;
