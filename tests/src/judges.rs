//! The independent judges.
