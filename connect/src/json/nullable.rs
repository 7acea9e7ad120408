//! `null` as the value of a field. It is the default of every field, except for those of
//! `google.protobuf.Value`, where it is a value.

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor, value::Error};
use serde::forward_to_deserialize_any;

/// Name of the newtype that a type deserializes if `null` is one of its values.
pub(crate) const NULL_IS_A_VALUE: &str = "google.protobuf.Value";

/// Decodes the value of a field. `null` is the field's default (ProtoJSON: "null is an accepted
/// value for all field types").
///
/// ```
/// use connect::json::next_value;
/// use serde::de::value::MapDeserializer;
/// use serde::de::MapAccess as _;
/// use serde_json::json;
///
/// let object = [("name", json!("Ada")), ("age", json!(null))];
/// let mut map = MapDeserializer::new(object.into_iter());
/// assert_eq!(map.next_key::<String>()?.as_deref(), Some("name"));
/// assert_eq!(next_value::<String, _>(&mut map)?, "Ada");
/// assert_eq!(map.next_key::<String>()?.as_deref(), Some("age"));
/// assert_eq!(next_value::<i32, _>(&mut map)?, 0);
/// # Ok::<_, serde_json::Error>(())
/// ```
///
/// # Errors
/// The value is neither `null` nor a `T`.
pub fn next_value<'de, T, M>(map: &mut M) -> Result<T, M::Error>
where
    T: Deserialize<'de> + Default,
    M: MapAccess<'de>,
{
    let value = map.next_value::<Option<T>>()?;
    Ok(value.unwrap_or_else(|| T::deserialize(Null).unwrap_or_default()))
}

/// Deserializer of a `null`. It fails for every type but those for which `null` is a value.
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
        if name == NULL_IS_A_VALUE {
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
