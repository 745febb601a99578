//! Somebody who is faster: writes between a caller's look and its write, as other people and other tools do.

use std::fmt;

use super::request::Request;
use super::world::GcpWorld;

/// A writer that comes right before a call, so many times.
pub(crate) struct Rival {
    service: String,
    operation: String,
    left: u32,
    write: Box<dyn FnMut(&mut GcpWorld) + Send>,
}

impl Rival {
    pub(crate) fn new(
        service: &str,
        operation: &str,
        times: u32,
        write: impl FnMut(&mut GcpWorld) + Send + 'static,
    ) -> Self {
        let (service, operation) = (service.to_owned(), operation.to_owned());
        Rival { service, operation, left: times, write: Box::new(write) }
    }

    /// Writes, where this is the call that it is faster than.
    pub(crate) fn meet(&mut self, world: &mut GcpWorld, request: &Request) {
        if self.left > 0 && self.service == request.service.name && self.operation == request.operation() {
            self.left -= 1;
            (self.write)(world);
        }
    }
}

impl fmt::Debug for Rival {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Rival { service, operation, left, write: _ } = self;
        write!(f, "Rival({service}:{operation}, {left} times)")
    }
}
