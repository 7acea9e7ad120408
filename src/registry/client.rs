//! How the registry is reached from outside: a client of each of its objects.

use crate::protos::coral::registry::v1::RegistryServiceClient;

/// The objects of the registry, by name.
pub trait Objects {
    /// What carries calls to an object.
    type Transport: connect::Transport;

    /// A client of the object of that name, which need not exist yet.
    fn object(&self, name: &str) -> RegistryServiceClient<Self::Transport>;
}
