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
pub mod json;
mod metadata;
mod method;
mod retry;
mod server;
#[cfg(feature = "testing")]
pub mod testing;
mod timeout;
pub mod wkt;

pub use answer::{Report, failure};
pub use call::{Context, Peer, Response};
pub use client::{CallOptions, Client, Transport};
pub use code::Code;
pub use codec::{Codec, Message};
pub use error::{Error, ErrorDetail};
pub use host::{Body, Deadline, Host, ReadError, Received};
pub use method::{Idempotency, Method};
pub use server::{Limits, Server};

// Generated code names these through here, so that a crate with a proto depends on one
// version of them: the one that this crate speaks.
pub use {bytes, http};
