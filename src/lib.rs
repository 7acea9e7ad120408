//! The service through which Coral's colonies and agents find each other.
//!
//! The crate is pure: it knows no host. A host implements the ports of [`ports::Host`], makes an
//! [`state::AppState`], and hands each HTTP request to [`http::router::handle`]. `ARCHITECTURE.md`
//! shows the path of a request through the modules.

pub mod api;
pub mod cache;
pub mod config;
pub mod domain;
pub mod http;
pub mod limits;
pub mod migration;
pub mod notifications;
pub mod ports;
pub mod proto;
pub mod registry_client;
pub mod state;
pub mod telemetry;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
