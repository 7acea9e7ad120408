//! How the registry is reached from outside: a client of each of its objects.

use std::time::Duration;

use connect::Error;

use crate::protos::coral::registry::v1::{CollectResponse, RegistryServiceClient};

/// The mailboxes of meshes.
#[allow(
    async_fn_in_trait,
    reason = "an isolate has one thread: futures need not be Send"
)]
pub trait Mailboxes {
    /// The messages of a mesh that are there, or the first to come within that time; none when it is over.
    ///
    /// # Errors
    /// `unavailable` when its object cannot be asked.
    async fn wait(&self, mesh_id: &str, wait: Duration) -> Result<CollectResponse, Error>;
}

/// The objects of the registry, by name.
pub trait Objects {
    /// What carries calls to an object.
    type Transport: connect::Transport;

    /// A client of the object of that name, which need not exist yet.
    fn object(&self, name: &str) -> RegistryServiceClient<Self::Transport>;
}
