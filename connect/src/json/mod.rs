//! ProtoJSON where it differs from serde's and pbjson's JSON. Generated code encodes and decodes
//! fields with these types and functions.

mod bytes;
mod enumeration;
mod error_path;
mod message;
mod nullable;
mod number;
mod object_fields;
mod text;
#[cfg(feature = "any")]
mod type_registry;
mod writer;

pub use bytes::{Bytes, encode_base64};
pub use enumeration::{
    Enumeration, enumeration, next_enum, next_enum_map, next_enums, next_optional_enum,
};
pub(crate) use message::{decode, encode};
pub(crate) use nullable::NULL_MEANS_SOMETHING;
pub use nullable::next_value;
pub use number::{Key, Number, Scalar};
pub use object_fields::{next_field, next_map};
pub(crate) use text::Text;
#[cfg(feature = "any")]
pub use type_registry::{AnyType, register};
