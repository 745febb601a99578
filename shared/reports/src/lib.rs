//! Plans and reports as people read them.
