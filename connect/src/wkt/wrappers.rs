//! Messages of one value, in JSON as that value, and the empty message.

use bytes::Bytes;
use serde::de::{IgnoredAny, MapAccess, Visitor};
use serde::ser::SerializeMap as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::json;

macro_rules! wrappers {
    ($($name:ident($type:ty, $tag:tt), $decoded:ty, $json:literal;)*) => {$(
        #[doc = concat!(
            "`google.protobuf.", stringify!($name), "`: a value that may be absent.\n\n",
            "```\nuse connect::wkt::", stringify!($name), ";\n\n",
            "let json = ", $json, ";\n",
            "let message: ", stringify!($name), " = serde_json::from_str(json)?;\n",
            "assert_eq!(serde_json::to_string(&message)?, json);\n",
            "# Ok::<_, serde_json::Error>(())\n```",
        )]
        #[derive(Clone, PartialEq, prost::Message)]
        pub struct $name {
            /// The value.
            #[prost($tag, tag = "1")]
            pub value: $type,
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                <$decoded>::deserialize(deserializer).map(|decoded| Self { value: decoded.0 })
            }
        }
    )*};
}

wrappers! {
    BoolValue(bool, bool), Plain<bool>, r#""true""#;
    DoubleValue(f64, double), json::Number<f64>, r#""1.5""#;
    FloatValue(f32, float), json::Number<f32>, r#""1.5""#;
    Int32Value(i32, int32), json::Number<i32>, r#""-7""#;
    Int64Value(i64, int64), json::Number<i64>, r##"r#""-7""#"##;
    StringValue(String, string), Plain<String>, r##"r#""Ada""#"##;
    UInt32Value(u32, uint32), json::Number<u32>, r#""7""#;
    UInt64Value(u64, uint64), json::Number<u64>, r##"r#""7""#"##;
}

/// Value whose JSON form is the same in serde and in ProtoJSON.
#[derive(Deserialize)]
#[serde(transparent)]
struct Plain<T>(T);

/// Serializes wrappers as their values.
macro_rules! serialize_as_value {
    ($($name:ident),*) => {$(
        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                self.value.serialize(serializer)
            }
        }
    )*};
}

serialize_as_value!(
    BoolValue,
    DoubleValue,
    FloatValue,
    Int32Value,
    StringValue,
    UInt32Value
);

/// Serializes wrappers as strings, as ProtoJSON has integers of 64 bits.
macro_rules! serialize_as_string {
    ($($name:ident),*) => {$(
        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(&self.value)
            }
        }
    )*};
}

serialize_as_string!(Int64Value, UInt64Value);

/// `google.protobuf.BytesValue`: bytes that may be absent.
///
/// ```
/// use connect::wkt::BytesValue;
///
/// let message = BytesValue { value: vec![0xfb, 0xff].into() };
/// assert_eq!(serde_json::to_string(&message)?, r#""+/8=""#);
/// # Ok::<_, serde_json::Error>(())
/// ```
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct BytesValue {
    /// The bytes.
    #[prost(bytes = "bytes", tag = "1")]
    pub value: Bytes,
}

impl Serialize for BytesValue {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&json::encode_base64(&self.value))
    }
}

impl<'de> Deserialize<'de> for BytesValue {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        json::Bytes::<Vec<u8>>::deserialize(deserializer).map(|decoded| Self {
            value: decoded.0.into(),
        })
    }
}

/// `google.protobuf.Empty`: a message without fields, in JSON `{}`.
///
/// ```
/// use connect::wkt::Empty;
///
/// assert_eq!(serde_json::to_string(&Empty {})?, "{}");
/// # Ok::<_, serde_json::Error>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, prost::Message)]
pub struct Empty {}

impl Serialize for Empty {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_map(Some(0))?.end()
    }
}

impl<'de> Deserialize<'de> for Empty {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(EmptyVisitor)
    }
}

struct EmptyVisitor;

impl<'de> Visitor<'de> for EmptyVisitor {
    type Value = Empty;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Empty, M::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Empty {})
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wrapper_is_its_value() {
        for (json, message) in [
            ("\"-1\"", Int64Value { value: -1 }),
            ("\"0\"", Int64Value::default()),
        ] {
            assert_eq!(serde_json::to_string(&message).unwrap(), json);
            assert_eq!(serde_json::from_str::<Int64Value>(json).unwrap(), message);
        }
        let bytes = BytesValue {
            value: Bytes::from_static(&[251, 255]),
        };
        assert_eq!(serde_json::to_string(&bytes).unwrap(), r#""+/8=""#);
        assert_eq!(
            serde_json::from_str::<BytesValue>(r#""-_8""#).unwrap(),
            bytes
        );
        assert!(serde_json::from_str::<BoolValue>("\"true\"").is_err());
    }

    #[test]
    fn empty_is_an_object_whose_members_are_ignored() {
        assert_eq!(serde_json::to_string(&Empty {}).unwrap(), "{}");
        assert!(serde_json::from_str::<Empty>(r#"{"a":[1]}"#).is_ok());
        assert!(serde_json::from_str::<Empty>("[]").is_err());
    }
}
