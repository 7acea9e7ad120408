//! The well-known types of `google.protobuf`, with their JSON forms.
//!
//! These types replace pbjson-types, which encodes a timestamp as `2026-01-02T03:04:05+00:00`
//! where canonical ProtoJSON and Go end in `Z`, has no JSON form for `Any` and `FieldMask`, and
//! depends on a calendar library.

mod any;
#[cfg(feature = "any")]
mod any_json;
#[cfg(not(feature = "any"))]
mod any_without_json;
mod duration;
mod field_mask;
mod structs;
mod timestamp;
mod wrappers;

pub use any::Any;
pub use duration::Duration;
pub use field_mask::FieldMask;
pub use structs::{ListValue, NullValue, Struct, Value, value};
pub use timestamp::Timestamp;
pub use wrappers::{
    BoolValue, BytesValue, DoubleValue, Empty, FloatValue, Int32Value, Int64Value, StringValue,
    UInt32Value, UInt64Value,
};
