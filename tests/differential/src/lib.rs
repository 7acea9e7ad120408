//! Messages for the comparison of codecs: one with every kind of field, the project's own, and
//! those of Connect's conformance suite, if the build found its proto.

/// Generated messages.
pub mod protos {
    include!(concat!(env!("OUT_DIR"), "/protos.rs"));
}

use connect::json::{self, AnyType};

/// Returns all message types, and registers them for `google.protobuf.Any`.
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
