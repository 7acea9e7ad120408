//! `null`, which stands for the default of every field but those that hold any value.

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor, value::Error};
use serde::forward_to_deserialize_any;

/// The name under which a type asks for a newtype to say that `null` is one of its values.
pub(crate) const NULL_MEANS_SOMETHING: &str = "google.protobuf.Value";

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
    let value = map.next_value::<Option<T>>()?;
    Ok(value.unwrap_or_else(|| T::deserialize(Null).unwrap_or_default()))
}

/// A `null` that only those can read for which it means something.
struct Null;

impl<'de> Deserializer<'de> for Null {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Error> {
        Err(serde::de::Error::custom("null"))
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        if name == NULL_MEANS_SOMETHING {
            visitor.visit_unit()
        } else {
            self.deserialize_any(visitor)
        }
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit
        unit_struct seq tuple tuple_struct map struct enum identifier ignored_any
    }
}
