//! A small Azure Functions host: it starts a custom handler's process and hands it what the real host would hand it.
//!
//! ```text
//! host.json, <function>/function.json ─► App ─► payload ─► POST /<function> ─► answer ─► Invocation
//!                                        app    payload    process            answer     host
//! ```
//! The rules are those of the host's own source, [azure-functions-host], and of the extensions that bring the triggers,
//! [azure-webjobs-sdk], [azure-webjobs-sdk-extensions] and [azure-sdk-for-net]; each file here names the one it follows. Read, not
//! copied. Where documentation and source disagree (`DequeueCount` is documented as a number and sent as text), the source counts.
//!
//! What the real host does and this one does not: it starts a process that ended again, follows redirects, forwards plain HTTP
//! requests (`enableForwardingHttpRequest`), runs timers and polls queues by itself, binds inputs other than the trigger, writes
//! outputs to anything but HTTP, and knows keys of its own (here there is one, [`HostOptions::key`]).
//!
//! [azure-functions-host]: https://github.com/Azure/azure-functions-host
//! [azure-webjobs-sdk]: https://github.com/Azure/azure-webjobs-sdk
//! [azure-webjobs-sdk-extensions]: https://github.com/Azure/azure-webjobs-sdk-extensions
//! [azure-sdk-for-net]: https://github.com/Azure/azure-sdk-for-net

mod answer;
mod app;
mod host;
mod http;
mod payload;
mod process;

pub use answer::{Completed, Output};
pub use app::AppError;
pub use host::{Delivery, Fate, Host, HostOptions, Invocation, StartError};
pub use http::{Asked, HttpAnswer};
