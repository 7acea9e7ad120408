//! Messages of any type, each with its name.

use std::borrow::Cow;
use std::fmt;

use bytes::Bytes;
use serde::de::{Error as _, MapAccess, Visitor};
use serde::ser::{Error as _, SerializeMap as _};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;

use super::value::Kind;
use crate::json::{AnyType, Text};

/// `google.protobuf.Any`: a message and what type it has. Its JSON form needs the type to be
/// known: one of the well-known ones, or registered by [`crate::json::register`].
#[derive(Clone, PartialEq, Eq, Hash, prost::Message)]
pub struct Any {
    /// A URL whose last part is the full name of the type.
    #[prost(string, tag = "1")]
    pub type_url: String,
    /// The message in its binary form.
    #[prost(bytes = "bytes", tag = "2")]
    pub value: Bytes,
}

impl Any {
    /// Wraps a message of the type of that full name.
    pub fn pack(type_name: &str, message: &impl prost::Message) -> Self {
        Self {
            type_url: format!("type.googleapis.com/{type_name}"),
            value: message.encode_to_vec().into(),
        }
    }
}

fn find(type_url: &str) -> Result<AnyType, String> {
    // As Go: what stands before the last slash does not matter.
    let name = type_url.rsplit('/').next().unwrap_or_default();
    AnyType::find(name).ok_or_else(|| format!("unable to resolve {type_url:?}"))
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
        let found = find(&self.type_url).map_err(S::Error::custom)?;
        let value = found.to_json(&self.value).map_err(S::Error::custom)?;
        map.serialize_entry("@type", &self.type_url)?;
        match value.kind {
            Some(Kind::StructValue(object)) if !found.is_special() => {
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
        read(json).map_err(D::Error::custom)
    }
}

fn read(json: &str) -> Result<Any, String> {
    let Members(members) = serde_json::from_str(json).map_err(|error| error.to_string())?;
    let (types, rest): (Vec<_>, Vec<_>) = members.iter().partition(|(name, _)| name == "@type");
    let type_url: Text<'_> = match types.as_slice() {
        // As connect-go, which discards unknown fields.
        [] => return Ok(Any::default()),
        [(_, value)] => serde_json::from_str(value.get()).map_err(|_| "@type is not a string")?,
        _ => return Err(r#"duplicate "@type" field"#.to_owned()),
    };
    let found = find(&type_url.0)?;
    let values: Vec<_> = rest.iter().filter(|(name, _)| name == "value").collect();
    let value = match values.as_slice() {
        _ if !found.is_special() => found.parse_json(json)?,
        [(_, value)] => found.parse_json(value.get())?,
        [] if found.name() == "google.protobuf.Empty" => Vec::new(),
        [] => return Err(r#"missing "value" field"#.to_owned()),
        _ => return Err(r#"duplicate "value" field"#.to_owned()),
    };
    Ok(Any {
        type_url: type_url.0.into_owned(),
        value: value.into(),
    })
}

/// The members of an object as they stand, with duplicates.
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
    use crate::wkt::{Duration, Timestamp};

    #[test]
    fn a_special_type_stands_in_a_member_value() {
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

    #[test]
    fn nothing_is_an_empty_object() {
        assert_eq!(serde_json::to_string(&Any::default()).unwrap(), "{}");
        assert_eq!(serde_json::from_str::<Any>("{}").unwrap(), Any::default());
    }

    #[test]
    fn what_is_not_known_is_named() {
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
