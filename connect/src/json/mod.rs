//! The JSON form of protobuf where it differs from what serde and pbjson make of a message.
//! Generated code reads and writes values with these.

mod any_type;
mod bytes;
mod enumeration;
mod fields;
mod null;
mod number;
pub(crate) mod path;
mod writer;

pub use any_type::{AnyType, register};
pub use bytes::{Bytes, encode_base64};
pub use enumeration::{
    Enumeration, enumeration, next_enum, next_enum_map, next_enums, next_optional_enum,
};
pub use fields::{next_field, next_map};
pub(crate) use null::NULL_MEANS_SOMETHING;
pub use null::next_value;
pub use number::{Key, Number, Scalar};
pub(crate) use writer::write;

use std::borrow::Cow;

use serde::Deserialize;

/// A string, borrowed where it has no escapes.
#[derive(Deserialize)]
#[serde(transparent)]
pub(crate) struct Text<'a>(#[serde(borrow)] pub(crate) Cow<'a, str>);
