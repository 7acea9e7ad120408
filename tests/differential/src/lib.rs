//! The messages that codecs are compared on: one of every kind of field, the project's own, and
//! those of Connect's conformance suite where its proto is at hand.

/// The messages.
pub mod protos {
    include!(concat!(env!("OUT_DIR"), "/protos.rs"));
}

use connect::json::{self, AnyType};

/// Every type of message, also known to `google.protobuf.Any` from now on.
#[must_use]
pub fn types() -> Vec<AnyType> {
    let types = [
        &protos::differential::v1::TYPES[..],
        &protos::coral::discovery::v1::TYPES[..],
        #[cfg(has_conformance)]
        &protos::connectrpc::conformance::v1::TYPES[..],
    ]
    .concat();
    json::register(&types);
    types
}
