//! What may be believed.
