#![doc = include_str!("../README.md")]

mod answer;
mod call;
mod client;
mod code;
mod codec;
mod compression;
mod error;
mod get;
mod host;
pub mod internal;
pub mod json;
mod metadata;
mod method;
mod retry;
mod server;
#[cfg(feature = "testing")]
pub mod testing;
mod timeout;
mod unix_millis;
pub mod wkt;

pub use answer::{CallInfo, error_response};
pub use call::{Context, Peer, Response};
pub use client::{CallOptions, Client, Transport};
pub use code::Code;
pub use codec::{Codec, Message};
pub use error::{Error, ErrorDetail};
pub use host::{Body, Deadline, ReadError, ReceivedAt, Runtime};
pub use method::{Idempotency, Method};
pub use server::{Limits, Server};
pub use unix_millis::UnixMillis;

// Generated code names these through here, so that a crate with a proto depends on one
// version of them: the one that this crate speaks.
pub use {bytes, http};
