//! Values in the JSON form of protobuf, where they may be written in more than one way. Generated
//! code reads with these in place of what pbjson has.

mod bytes;
mod number;

pub use bytes::Bytes;
pub use number::{Number, Scalar};

use serde::Deserialize;
use serde::de::MapAccess;

/// Reads the value of a field. `null` stands for the field's default (ProtoJSON: "null is an
/// accepted value for all field types").
///
/// # Errors
/// When the value is neither `null` nor a `T`.
pub fn next_value<'de, T, M>(map: &mut M) -> Result<T, M::Error>
where
    T: Deserialize<'de> + Default,
    M: MapAccess<'de>,
{
    map.next_value::<Option<T>>().map(Option::unwrap_or_default)
}
