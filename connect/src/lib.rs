#![doc = include_str!("../README.md")]
// Generated code names this crate: both must compile under a user's own lints.
#![warn(clippy::pedantic)]

mod body;
mod client;
mod code;
mod codec;
mod compression;
mod context;
mod deadline;
mod error;
pub mod internal;
pub mod json;
mod message;
mod metadata;
mod method;
mod response;
mod retry_info;
mod runtime;
mod server;
#[cfg(feature = "testing")]
pub mod testing;
mod timeout_header;
mod unix_millis;
pub mod wkt;

pub use body::{Body, ReadError};
pub use client::{CallOptions, Client, Transport};
pub use code::Code;
pub use codec::Codec;
pub use context::{Context, Peer};
pub use deadline::{Deadline, ReceivedAt};
pub use error::{Error, ErrorDetail};
pub use message::Message;
pub use method::{Idempotency, Method};
pub use response::Response;
pub use runtime::Runtime;
pub use server::{CallInfo, Limits, Server, error_response};
pub use unix_millis::UnixMillis;

// Generated code names these crates by their paths in here, so that it uses the same versions.
pub use {bytes, http};
