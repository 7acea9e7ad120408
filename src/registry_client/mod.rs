//! The implementation of the port [`Registry`](crate::ports::Registry) over objects: naming,
//! retries, the mapping of errors and the accounting of costs, each in one place.
//!
//! ```text
//! RoutedRegistry       implements Registry: names the object of each verb
//!   Objects            object(name) -> RegistryService, the generated trait; two implementations:
//!     RemoteObjects    the generated client over ObjectStub: envelope, retries, accounting
//!       ObjectChannel  a host's way to carry bytes to an object
//!     local objects    of a host that holds them itself: calls without bytes
//! ```

mod remote;
mod routed;

pub use remote::{ChannelError, ObjectChannel, ObjectStub, RemoteObjects};
pub use routed::{Objects, RoutedRegistry};
