//! Enum fields, as names or numbers. prost stores them as `i32`, so numbers that the proto does not
//! have are preserved; pbjson would reject them.

use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;

use serde::de::value::{Error as NameError, StrDeserializer};
use serde::de::{Error as _, IntoDeserializer, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;

use super::nullable::next_value;
use super::number::{Scalar as _, is_number};
use super::text::Text;

/// Serializable value of the enum `E`. [`enumeration`] creates it.
#[derive(Clone, Copy, Debug)]
pub struct Enumeration<E> {
    number: i32,
    marker: PhantomData<E>,
}

/// Creates a serializable value of the enum `E`: its name, or the number if the proto has no name
/// for it.
///
/// ```
/// use connect::json::enumeration;
///
/// #[derive(serde::Serialize)]
/// enum Priority {
///     #[serde(rename = "PRIORITY_LOW")]
///     Low,
/// }
///
/// impl TryFrom<i32> for Priority {
///     type Error = ();
///
///     fn try_from(number: i32) -> Result<Self, ()> {
///         if number == 0 { Ok(Self::Low) } else { Err(()) }
///     }
/// }
///
/// let known = enumeration::<Priority, serde_json::Error>(0)?;
/// assert_eq!(serde_json::to_string(&known)?, r#""PRIORITY_LOW""#);
/// let unknown = enumeration::<Priority, serde_json::Error>(7)?;
/// assert_eq!(serde_json::to_string(&unknown)?, "7");
/// # Ok::<_, serde_json::Error>(())
/// ```
///
/// # Errors
/// None. Generated code expects a result here, with the error type of its serializer.
pub fn enumeration<E, Error>(number: i32) -> Result<Enumeration<E>, Error> {
    Ok(Enumeration {
        number,
        marker: PhantomData,
    })
}

impl<E: TryFrom<i32> + Serialize> Serialize for Enumeration<E> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match E::try_from(self.number) {
            Ok(known) => known.serialize(serializer),
            Err(_) => serializer.serialize_i32(self.number),
        }
    }
}

/// Decoded value of an enum: a number, or `None` for a name that the proto does not have, which
/// Connect's codecs ignore like an unknown field.
struct EnumValue<E>(Option<i32>, PhantomData<E>);

impl<E> Default for EnumValue<E> {
    fn default() -> Self {
        Self(None, PhantomData)
    }
}

impl<'de, E: Deserialize<'de> + Into<i32>> Deserialize<'de> for EnumValue<E> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let json = <&'de RawValue>::deserialize(deserializer)?.get();
        let number = if json.starts_with('"') {
            let name: Text<'_> = serde_json::from_str(json).map_err(D::Error::custom)?;
            number_of::<E>(&name.0)
        } else if is_number(json) {
            let number = i32::from_json_number(json);
            Some(number.ok_or_else(|| D::Error::custom("not a value of an enum"))?)
        } else {
            return Err(D::Error::custom(
                "not a value of an enum: a name or a number",
            ));
        };
        Ok(Self(number, PhantomData))
    }
}

/// Returns the number of a name; `None` if the enum `E` has no such name.
fn number_of<'de, E: Deserialize<'de> + Into<i32>>(name: &str) -> Option<i32> {
    /// Deserializer of a name whose lifetime is shorter than the deserialized value's.
    struct Name<'a>(&'a str);

    impl<'de> Deserializer<'de> for Name<'_> {
        type Error = NameError;

        fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, NameError> {
            let name: StrDeserializer<'_, NameError> = self.0.into_deserializer();
            name.deserialize_any(visitor)
        }

        serde::forward_to_deserialize_any! {
            bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf
            option unit unit_struct newtype_struct seq tuple tuple_struct map struct enum
            identifier ignored_any
        }
    }

    E::deserialize(Name(name)).ok().map(Into::into)
}

/// Decodes a field of the enum `E`. The [module](super) has an example.
///
/// # Errors
/// The value is neither a name nor a number.
pub fn next_enum<'de, E, M>(map: &mut M) -> Result<i32, M::Error>
where
    E: Deserialize<'de> + Into<i32>,
    M: MapAccess<'de>,
{
    Ok(next_optional_enum::<E, M>(map)?.unwrap_or_default())
}

/// Decodes an optional field of the enum `E`, like [`next_enum`].
///
/// # Errors
/// The value is neither a name nor a number.
pub fn next_optional_enum<'de, E, M>(map: &mut M) -> Result<Option<i32>, M::Error>
where
    E: Deserialize<'de> + Into<i32>,
    M: MapAccess<'de>,
{
    next_value::<EnumValue<E>, M>(map).map(|value| value.0)
}

/// Decodes a repeated field of the enum `E`, like [`next_enum`].
///
/// # Errors
/// The value is no array, or an element is neither a name nor a number.
pub fn next_enums<'de, E, M>(map: &mut M) -> Result<Vec<i32>, M::Error>
where
    E: Deserialize<'de> + Into<i32>,
    M: MapAccess<'de>,
{
    next_value::<Known<Vec<i32>, E>, M>(map).map(|known| known.0)
}

/// Decodes a map field with values of the enum `E`, like [`next_enum`].
///
/// # Errors
/// The value is no object, a key occurs twice, or a member is neither a name nor a number.
pub fn next_enum_map<'de, K, E, M>(map: &mut M) -> Result<BTreeMap<K, i32>, M::Error>
where
    K: Deserialize<'de> + Ord,
    E: Deserialize<'de> + Into<i32>,
    M: MapAccess<'de>,
{
    next_value::<Known<BTreeMap<K, i32>, E>, M>(map).map(|known| known.0)
}

/// Collection of values without those that have unknown names.
struct Known<C, E>(C, PhantomData<E>);

impl<C: Default, E> Default for Known<C, E> {
    fn default() -> Self {
        Self(C::default(), PhantomData)
    }
}

impl<'de, E: Deserialize<'de> + Into<i32>> Deserialize<'de> for Known<Vec<i32>, E> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(Self::default())
    }
}

impl<'de, K, E> Deserialize<'de> for Known<BTreeMap<K, i32>, E>
where
    K: Deserialize<'de> + Ord,
    E: Deserialize<'de> + Into<i32>,
{
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Self::default())
    }
}

impl<'de, E: Deserialize<'de> + Into<i32>> Visitor<'de> for Known<Vec<i32>, E> {
    type Value = Self;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }

    fn visit_seq<S: SeqAccess<'de>>(mut self, mut seq: S) -> Result<Self, S::Error> {
        while let Some(value) = seq.next_element::<EnumValue<E>>()? {
            self.0.extend(value.0);
        }
        Ok(self)
    }
}

impl<'de, K, E> Visitor<'de> for Known<BTreeMap<K, i32>, E>
where
    K: Deserialize<'de> + Ord,
    E: Deserialize<'de> + Into<i32>,
{
    type Value = Self;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<M: MapAccess<'de>>(mut self, mut map: M) -> Result<Self, M::Error> {
        while let Some(key) = map.next_key::<K>()? {
            if self.0.contains_key(&key) {
                return Err(M::Error::custom("duplicate map key"));
            }
            if let EnumValue(Some(number), _) = map.next_value::<EnumValue<E>>()? {
                self.0.insert(key, number);
            }
        }
        Ok(self)
    }
}
