//! AWS on your desk: the management APIs over HTTP, with faults.
