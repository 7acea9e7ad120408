//! The two codecs of a message: protobuf's binary form and its JSON form.

use bytes::Bytes;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::{Error, json};

/// A generated message: prost gives it the binary form, pbjson the JSON form.
pub trait Message: prost::Message + Default + Serialize + DeserializeOwned {}

impl<M: prost::Message + Default + Serialize + DeserializeOwned> Message for M {}

/// How messages stand on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Codec {
    /// `application/proto`
    Proto,
    /// `application/json`: canonical ProtoJSON
    Json,
}

impl Codec {
    /// The media type of a unary message in this codec.
    #[must_use]
    pub const fn content_type(self) -> &'static str {
        match self {
            Self::Proto => "application/proto",
            Self::Json => "application/json",
        }
    }

    /// Reads a `Content-Type`: the media type without regard to case, and for
    /// JSON the charset UTF-8; as connect-go, with no other parameter.
    pub(crate) fn from_content_type(value: &str) -> Option<Self> {
        let mut parts = value.split(';').map(str::trim);
        let media_type = parts.next().unwrap_or_default();
        let codec = [Self::Proto, Self::Json]
            .into_iter()
            .find(|codec| media_type.eq_ignore_ascii_case(codec.content_type()))?;
        let is_known = parts.all(|parameter| {
            let (name, charset) = parameter.split_once('=').unwrap_or_default();
            codec == Self::Json
                && name.trim().eq_ignore_ascii_case("charset")
                && charset
                    .trim()
                    .trim_matches('"')
                    .eq_ignore_ascii_case("utf-8")
        });
        is_known.then_some(codec)
    }

    /// Reads the `encoding` parameter of a GET.
    pub(crate) fn from_encoding(name: &str) -> Option<Self> {
        match name {
            "proto" => Some(Self::Proto),
            "json" => Some(Self::Json),
            _ => None,
        }
    }

    /// Reads a message. Fields that the proto does not have are ignored in both codecs, so
    /// that client and server may know different versions of it.
    ///
    /// # Errors
    /// `invalid_argument`, for JSON with the path of the member that is wrong.
    pub fn decode<M: Message>(self, bytes: &Bytes) -> Result<M, Error> {
        match self {
            Self::Proto => {
                M::decode(bytes.clone()).map_err(|error| decode_error(&error.to_string()))
            }
            // As connect-go: no bytes are an empty message in binary but no JSON at all.
            Self::Json if bytes.is_empty() => Err(decode_error(
                "zero-length payload is not a valid JSON object",
            )),
            Self::Json => decode_json(bytes),
        }
    }

    /// Writes a message.
    ///
    /// # Errors
    /// `internal` if the message has no JSON form, such as a timestamp out of range.
    pub fn encode<M: Message>(self, message: &M) -> Result<Bytes, Error> {
        match self {
            Self::Proto => Ok(message.encode_to_vec().into()),
            Self::Json => json::write(message)
                .map(Bytes::from)
                .map_err(|error| Error::internal("marshal message").with_cause(error)),
        }
    }
}

fn decode_json<M: Message>(bytes: &[u8]) -> Result<M, Error> {
    // All of it, as what is ignored would not be looked at.
    let text = std::str::from_utf8(bytes).map_err(|error| decode_error(&error.to_string()))?;
    let mut reader = serde_json::Deserializer::from_str(text);
    let message = M::deserialize(&mut reader).map_err(|error| {
        let path = json::path::at(text, error.line(), error.column());
        match path.as_str() {
            "" => decode_error(&error.to_string()),
            path => decode_error(&format!("{path}: {error}")),
        }
    })?;
    reader
        .end()
        .map_err(|error| decode_error(&error.to_string()))?;
    Ok(message)
}

fn decode_error(why: &str) -> Error {
    Error::invalid_argument(format!("unmarshal message: {why}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_media_type_decides_the_codec() {
        for (value, codec) in [
            ("application/proto", Some(Codec::Proto)),
            ("application/json", Some(Codec::Json)),
            ("application/json; charset=utf-8", Some(Codec::Json)),
            ("Application/JSON;Charset=\"UTF-8\"", Some(Codec::Json)),
            ("application/json; charset=latin1", None),
            ("application/json; foo=bar", None),
            ("application/proto; charset=utf-8", None),
            ("application/connect+json", None),
            ("application/x-protobuf", None),
            ("text/plain", None),
            ("", None),
        ] {
            assert_eq!(Codec::from_content_type(value), codec, "{value:?}");
        }
    }
}
