//! Scenarios, conformance, architecture and benchmarks of the whole.
