//! The well-known types of `google.protobuf`, with the JSON forms that ProtoJSON gives them.
//!
//! pbjson-types writes a timestamp as `2026-01-02T03:04:05+00:00` where canonical ProtoJSON, and
//! Go, end in `Z`; it has no JSON form for `Any` and `FieldMask`, and brings a calendar library
//! that these few lines do without.

mod any;
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

use crate::json::AnyType;

/// Those that can stand in an [`Any`], where their JSON form is a member `value`.
pub(crate) static TYPES: [AnyType; 17] = [
    AnyType::special::<Any>("google.protobuf.Any"),
    AnyType::special::<Duration>("google.protobuf.Duration"),
    AnyType::special::<Empty>("google.protobuf.Empty"),
    AnyType::special::<FieldMask>("google.protobuf.FieldMask"),
    AnyType::special::<ListValue>("google.protobuf.ListValue"),
    AnyType::special::<Struct>("google.protobuf.Struct"),
    AnyType::special::<Timestamp>("google.protobuf.Timestamp"),
    AnyType::special::<Value>("google.protobuf.Value"),
    AnyType::special::<BoolValue>("google.protobuf.BoolValue"),
    AnyType::special::<BytesValue>("google.protobuf.BytesValue"),
    AnyType::special::<DoubleValue>("google.protobuf.DoubleValue"),
    AnyType::special::<FloatValue>("google.protobuf.FloatValue"),
    AnyType::special::<Int32Value>("google.protobuf.Int32Value"),
    AnyType::special::<Int64Value>("google.protobuf.Int64Value"),
    AnyType::special::<StringValue>("google.protobuf.StringValue"),
    AnyType::special::<UInt32Value>("google.protobuf.UInt32Value"),
    AnyType::special::<UInt64Value>("google.protobuf.UInt64Value"),
];
