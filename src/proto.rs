//! The generated messages, service traits, routers and clients.

#[allow(
    unreachable_pub,
    reason = "generated modules are public, and re-exported below under shorter paths"
)]
mod generated {
    include!(concat!(env!("OUT_DIR"), "/protos.rs"));
}

/// The public service, `coral.discovery.v1`.
pub mod discovery {
    pub use super::generated::coral::discovery::v1::*;
}

/// The admin service, `coral.discovery.admin.v1`.
pub mod admin {
    pub use super::generated::coral::discovery::admin::v1::*;
}
