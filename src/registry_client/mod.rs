//! The implementation of the port [`Registry`](crate::ports::Registry) over objects: naming,
//! retries, the mapping of errors and the accounting of costs, each in one place.

mod remote;
mod routed;

pub use remote::{ChannelError, ObjectChannel, ObjectStub, RemoteObjects};
pub use routed::{Objects, RoutedRegistry};
