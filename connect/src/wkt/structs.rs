//! JSON values as messages.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{Error as _, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::json::{NULL_IS_A_VALUE, Number};

/// `google.protobuf.Struct`: a JSON object.
///
/// ```
/// use connect::Codec;
/// use connect::wkt::{Struct, value::Kind};
///
/// let object: Struct = Codec::Json.decode(&r#"{"name": "Ada"}"#.into())?;
/// assert_eq!(object.fields["name"], Kind::StringValue("Ada".to_owned()).into());
/// # Ok::<_, connect::Error>(())
/// ```
#[derive(Clone, PartialEq, prost::Message)]
pub struct Struct {
    /// The members of the object.
    #[prost(btree_map = "string, message", tag = "1")]
    pub fields: BTreeMap<String, Value>,
}

/// `google.protobuf.ListValue`: a JSON array.
///
/// ```
/// use connect::Codec;
/// use connect::wkt::{ListValue, value::Kind};
///
/// let values = vec![Kind::BoolValue(true).into(), Kind::NumberValue(1.5).into()];
/// assert_eq!(Codec::Json.encode(&ListValue { values })?, "[true,1.5]");
/// # Ok::<_, connect::Error>(())
/// ```
#[derive(Clone, PartialEq, prost::Message)]
pub struct ListValue {
    /// The elements of the array.
    #[prost(message, repeated, tag = "1")]
    pub values: Vec<Value>,
}

/// `google.protobuf.Value`: any JSON value.
///
/// ```
/// use connect::Codec;
/// use connect::wkt::{Value, value::Kind};
///
/// let value: Value = Codec::Json.decode(&"null".into())?;
/// assert_eq!(value.kind, Some(Kind::NullValue(0)));
/// # Ok::<_, connect::Error>(())
/// ```
#[derive(Clone, PartialEq, prost::Message)]
pub struct Value {
    /// The value. A `Value` without a kind has no JSON form.
    #[prost(oneof = "value::Kind", tags = "1, 2, 3, 4, 5, 6")]
    pub kind: Option<value::Kind>,
}

/// Kinds of [`Value`].
pub mod value {
    /// Kind of a [`Value`](super::Value).
    #[derive(Clone, PartialEq, prost::Oneof)]
    pub enum Kind {
        /// `null`
        #[prost(enumeration = "super::NullValue", tag = "1")]
        NullValue(i32),
        /// A number.
        #[prost(double, tag = "2")]
        NumberValue(f64),
        /// A string.
        #[prost(string, tag = "3")]
        StringValue(String),
        /// `true` or `false`
        #[prost(bool, tag = "4")]
        BoolValue(bool),
        /// An object.
        #[prost(message, tag = "5")]
        StructValue(super::Struct),
        /// An array.
        #[prost(message, tag = "6")]
        ListValue(super::ListValue),
    }
}

/// `google.protobuf.NullValue`: the JSON value `null`.
///
/// ```
/// use connect::wkt::NullValue;
///
/// assert_eq!(serde_json::to_string(&NullValue::NullValue)?, "null");
/// # Ok::<_, serde_json::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, prost::Enumeration)]
#[repr(i32)]
pub enum NullValue {
    /// `null`
    NullValue = 0,
}

impl Serialize for NullValue {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_unit()
    }
}

impl<'de> Deserialize<'de> for NullValue {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match <&str>::deserialize(deserializer)? {
            "NULL_VALUE" => Ok(Self::NullValue),
            other => Err(D::Error::unknown_variant(other, &["NULL_VALUE"])),
        }
    }
}

impl Serialize for Struct {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.fields.serialize(serializer)
    }
}

impl Serialize for ListValue {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.values.serialize(serializer)
    }
}

impl Serialize for Value {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use value::Kind;
        let error = |why| Err(serde::ser::Error::custom(why));
        match &self.kind {
            None => error("a Value without a kind has no JSON form"),
            Some(Kind::NullValue(_)) => serializer.serialize_unit(),
            Some(Kind::NumberValue(number)) if !number.is_finite() => {
                error("a Value that is no finite number has no JSON form")
            }
            Some(Kind::NumberValue(number)) => serializer.serialize_f64(*number),
            Some(Kind::StringValue(text)) => serializer.serialize_str(text),
            Some(Kind::BoolValue(truth)) => serializer.serialize_bool(*truth),
            Some(Kind::StructValue(object)) => object.serialize(serializer),
            Some(Kind::ListValue(array)) => array.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for Struct {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(StructVisitor)
    }
}

impl<'de> Deserialize<'de> for ListValue {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Vec::deserialize(deserializer).map(|values| Self { values })
    }
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_newtype_struct(NULL_IS_A_VALUE, ValueVisitor)
    }
}

struct StructVisitor;

impl<'de> Visitor<'de> for StructVisitor {
    type Value = Struct;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Struct, M::Error> {
        let mut fields = BTreeMap::new();
        while let Some(name) = map.next_key::<String>()? {
            let value = map.next_value()?;
            if fields.insert(name, value).is_some() {
                return Err(M::Error::custom("duplicate member"));
            }
        }
        Ok(Struct { fields })
    }
}

struct ValueVisitor;

impl<'de> Visitor<'de> for ValueVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, inner: D) -> Result<Value, D::Error> {
        inner.deserialize_any(self)
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(value::Kind::NullValue(0).into())
    }

    fn visit_bool<E>(self, truth: bool) -> Result<Value, E> {
        Ok(value::Kind::BoolValue(truth).into())
    }

    fn visit_f64<E>(self, number: f64) -> Result<Value, E> {
        Ok(value::Kind::NumberValue(number).into())
    }

    fn visit_i64<E: serde::de::Error>(self, number: i64) -> Result<Value, E> {
        float(&number)
    }

    fn visit_u64<E: serde::de::Error>(self, number: u64) -> Result<Value, E> {
        float(&number)
    }

    fn visit_str<E>(self, text: &str) -> Result<Value, E> {
        Ok(value::Kind::StringValue(text.to_owned()).into())
    }

    fn visit_seq<S: SeqAccess<'de>>(self, mut seq: S) -> Result<Value, S::Error> {
        let mut values = Vec::new();
        while let Some(value) = seq.next_element()? {
            values.push(value);
        }
        Ok(value::Kind::ListValue(ListValue { values }).into())
    }

    fn visit_map<M: MapAccess<'de>>(self, map: M) -> Result<Value, M::Error> {
        let object = StructVisitor.visit_map(map)?;
        Ok(value::Kind::StructValue(object).into())
    }
}

/// Returns the float nearest to an integer, which is the one that its text parses to.
fn float<E: serde::de::Error>(integer: &impl ToString) -> Result<Value, E> {
    serde_json::from_str::<Number<f64>>(&integer.to_string())
        .map(|Number(number)| value::Kind::NumberValue(number).into())
        .map_err(E::custom)
}

impl From<value::Kind> for Value {
    fn from(kind: value::Kind) -> Self {
        Self { kind: Some(kind) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_json_value_round_trips() {
        let json = r#"{"a":[null,true,1.5,"x",{}],"b":{"c":[]}}"#;
        let value: Value = serde_json::from_str(json).unwrap();
        assert_eq!(serde_json::to_string(&value).unwrap(), json);
        let object: Struct = serde_json::from_str(json).unwrap();
        assert_eq!(serde_json::to_string(&object).unwrap(), json);
        let array: ListValue = serde_json::from_str("[1,[]]").unwrap();
        assert_eq!(array.values.len(), 2);
    }

    #[test]
    fn values_without_a_json_form_are_rejected() {
        for value in [Value::default(), value::Kind::NumberValue(f64::NAN).into()] {
            assert!(serde_json::to_string(&value).is_err());
        }
        assert!(serde_json::from_str::<Struct>(r#"{"a":1,"a":2}"#).is_err());
        assert!(serde_json::from_str::<ListValue>("{}").is_err());
    }
}
