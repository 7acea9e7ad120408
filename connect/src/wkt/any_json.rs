//! The JSON form of `google.protobuf.Any`, for the well-known types and those that
//! [`crate::json::register`] adds.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Error as _, MapAccess, Visitor};
use serde::ser::{Error as _, SerializeMap as _};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;

use super::any::Any;
use super::duration::Duration;
use super::field_mask::FieldMask;
use super::structs::{ListValue, Struct, Value, value::Kind};
use super::timestamp::Timestamp;
use super::wrappers::{
    BoolValue, BytesValue, DoubleValue, Empty, FloatValue, Int32Value, Int64Value, StringValue,
    UInt32Value, UInt64Value,
};
use crate::error::Error;
use crate::json::{AnyType, Text};

/// Types whose JSON form is the member `value`, as it need not be an object.
static WELL_KNOWN_TYPES: [AnyType; 17] = [
    AnyType::new::<Any>("google.protobuf.Any"),
    AnyType::new::<Duration>("google.protobuf.Duration"),
    AnyType::new::<Empty>("google.protobuf.Empty"),
    AnyType::new::<FieldMask>("google.protobuf.FieldMask"),
    AnyType::new::<ListValue>("google.protobuf.ListValue"),
    AnyType::new::<Struct>("google.protobuf.Struct"),
    AnyType::new::<Timestamp>("google.protobuf.Timestamp"),
    AnyType::new::<Value>("google.protobuf.Value"),
    AnyType::new::<BoolValue>("google.protobuf.BoolValue"),
    AnyType::new::<BytesValue>("google.protobuf.BytesValue"),
    AnyType::new::<DoubleValue>("google.protobuf.DoubleValue"),
    AnyType::new::<FloatValue>("google.protobuf.FloatValue"),
    AnyType::new::<Int32Value>("google.protobuf.Int32Value"),
    AnyType::new::<Int64Value>("google.protobuf.Int64Value"),
    AnyType::new::<StringValue>("google.protobuf.StringValue"),
    AnyType::new::<UInt32Value>("google.protobuf.UInt32Value"),
    AnyType::new::<UInt64Value>("google.protobuf.UInt64Value"),
];

/// Type that a URL names.
struct ResolvedType {
    any_type: AnyType,
    is_well_known: bool,
}

impl ResolvedType {
    /// Finds the type by the last part of `type_url`; the rest is ignored, as in Go.
    fn find(type_url: &str) -> Result<Self, String> {
        let name = type_url.rsplit('/').next().unwrap_or_default();
        if let Some(found) = WELL_KNOWN_TYPES.iter().find(|each| each.name() == name) {
            return Ok(Self {
                any_type: *found,
                is_well_known: true,
            });
        }
        match AnyType::find(name) {
            Some(any_type) => Ok(Self {
                any_type,
                is_well_known: false,
            }),
            None => Err(format!("unable to resolve {type_url:?}")),
        }
    }

    /// Converts a message to its JSON form. Its numbers fit into floats, as ProtoJSON encodes
    /// integers of 64 bits as strings.
    fn to_json(&self, message: &[u8]) -> Result<Value, String> {
        let json = self.any_type.binary_to_json(message);
        let json = json.map_err(|error| self.describe(&error))?;
        serde_json::from_slice(&json).map_err(|error| error.to_string())
    }

    /// Converts a message to its binary form.
    fn to_binary(&self, json: &str) -> Result<Vec<u8>, String> {
        let message = self.any_type.json_to_binary(json.as_bytes());
        message
            .map(Vec::from)
            .map_err(|error| self.describe(&error))
    }

    /// Returns the text of an error, with the name of the type.
    fn describe(&self, error: &Error) -> String {
        let cause = error.cause().unwrap_or_default();
        format!("{}: {} {cause}", self.any_type.name(), error.message())
    }
}

impl Serialize for Any {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        if self.type_url.is_empty() {
            return if self.value.is_empty() {
                map.end()
            } else {
                Err(S::Error::custom("google.protobuf.Any: type_url is not set"))
            };
        }
        let resolved = ResolvedType::find(&self.type_url).map_err(S::Error::custom)?;
        let value = resolved.to_json(&self.value).map_err(S::Error::custom)?;
        map.serialize_entry("@type", &self.type_url)?;
        match value.kind {
            Some(Kind::StructValue(object)) if !resolved.is_well_known => {
                for (name, value) in object.fields {
                    map.serialize_entry(&name, &value)?;
                }
            }
            _ => map.serialize_entry("value", &value)?,
        }
        map.end()
    }
}

impl<'de> Deserialize<'de> for Any {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let json = <&RawValue>::deserialize(deserializer)?.get();
        parse(json).map_err(D::Error::custom)
    }
}

fn parse(json: &str) -> Result<Any, String> {
    let Members(members) = serde_json::from_str(json).map_err(|error| error.to_string())?;
    let (types, rest): (Vec<_>, Vec<_>) = members.iter().partition(|(name, _)| name == "@type");
    let type_url: Text<'_> = match types.as_slice() {
        // Like connect-go, which discards unknown fields.
        [] => return Ok(Any::default()),
        [(_, value)] => serde_json::from_str(value.get()).map_err(|_| "@type is not a string")?,
        _ => return Err(r#"duplicate "@type" field"#.to_owned()),
    };
    let resolved = ResolvedType::find(&type_url.0)?;
    let values: Vec<_> = rest.iter().filter(|(name, _)| name == "value").collect();
    let value = match values.as_slice() {
        _ if !resolved.is_well_known => resolved.to_binary(json)?,
        [(_, value)] => resolved.to_binary(value.get())?,
        [] if resolved.any_type.name() == "google.protobuf.Empty" => Vec::new(),
        [] => return Err(r#"missing "value" field"#.to_owned()),
        _ => return Err(r#"duplicate "value" field"#.to_owned()),
    };
    Ok(Any {
        type_url: type_url.0.into_owned(),
        value: value.into(),
    })
}

/// Members of an object in their order, with duplicates.
struct Members<'a>(Vec<(Cow<'a, str>, &'a RawValue)>);

impl<'de: 'a, 'a> Deserialize<'de> for Members<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct MembersVisitor;

        impl<'de> Visitor<'de> for MembersVisitor {
            type Value = Members<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Members<'de>, M::Error> {
                let mut members = Vec::new();
                while let Some((Text(name), value)) = map.next_entry()? {
                    members.push((name, value));
                }
                Ok(Members(members))
            }
        }

        deserializer.deserialize_map(MembersVisitor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::Codec;
    use crate::json::register;

    #[test]
    fn a_well_known_type_is_the_member_value() {
        let any = Any::pack(
            "google.protobuf.Duration",
            &Duration {
                seconds: 1,
                nanos: 0,
            },
        );
        let json = r#"{"@type":"type.googleapis.com/google.protobuf.Duration","value":"1s"}"#;
        assert_eq!(serde_json::to_string(&any).unwrap(), json);
        assert_eq!(serde_json::from_str::<Any>(json).unwrap(), any);
        let nested = Any::pack("google.protobuf.Any", &any);
        let json = serde_json::to_string(&nested).unwrap();
        assert_eq!(serde_json::from_str::<Any>(&json).unwrap(), nested);
    }

    /// Message whose JSON form is an object, as generated code makes it.
    #[derive(Clone, PartialEq, prost::Message, Serialize, Deserialize)]
    struct Point {
        #[prost(int32, tag = "1")]
        x: i32,
    }

    #[test]
    fn a_registered_type_has_its_fields_beside_the_type() {
        register(&[AnyType::new::<Point>("test.v1.Point")]);
        let any = Any::pack("test.v1.Point", &Point { x: 7 });
        let json = r#"{"@type":"type.googleapis.com/test.v1.Point","x":7}"#;
        assert_eq!(Codec::Json.encode(&any).unwrap(), json);
        assert_eq!(serde_json::from_str::<Any>(json).unwrap(), any);

        let json = r#"{"@type":"type.googleapis.com/test.v1.Point","x":"seven"}"#;
        let error = serde_json::from_str::<Any>(json).unwrap_err().to_string();
        assert!(
            error.contains("test.v1.Point: unmarshal message: x"),
            "{error}"
        );
    }

    #[test]
    fn default_is_an_empty_object() {
        assert_eq!(serde_json::to_string(&Any::default()).unwrap(), "{}");
        assert_eq!(serde_json::from_str::<Any>("{}").unwrap(), Any::default());
    }

    #[test]
    fn unknown_types_are_rejected_by_name() {
        let unknown = Any::pack("a.B", &Timestamp::default());
        let error = serde_json::to_string(&unknown).unwrap_err().to_string();
        assert!(error.contains("type.googleapis.com/a.B"), "{error}");
        for json in [
            r#"{"@type":"a.B"}"#,
            r#"{"@type":1}"#,
            r#"{"@type":"x/google.protobuf.Empty","@type":"x/google.protobuf.Empty"}"#,
            r#"{"@type":"google.protobuf.Duration"}"#,
            r#"{"@type":"google.protobuf.Duration","value":"1s","value":"1s"}"#,
            "[]",
        ] {
            assert!(serde_json::from_str::<Any>(json).is_err(), "{json}");
        }
    }
}
