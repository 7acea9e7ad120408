//! The two codecs of the protocol.

use bytes::Bytes;

use crate::error::Error;
use crate::json;
use crate::message::{Message, decode_binary, encode_binary};

/// Encoding of messages on the wire.
///
/// ```
/// use connect::Codec;
/// use connect::wkt::Duration;
///
/// let delay = Duration { seconds: 1, nanos: 500_000_000 };
/// let json = Codec::Json.encode(&delay)?;
/// assert_eq!(json, r#""1.500s""#);
/// assert_eq!(Codec::Json.decode::<Duration>(&json)?, delay);
/// # Ok::<_, connect::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Codec {
    /// Protobuf's binary form: `application/proto`.
    Proto,
    /// Canonical ProtoJSON: `application/json`.
    Json,
}

impl Codec {
    /// Returns the media type of a unary message in this codec.
    #[must_use]
    pub const fn content_type(self) -> &'static str {
        match self {
            Self::Proto => "application/proto",
            Self::Json => "application/json",
        }
    }

    /// Returns the codec of a `Content-Type`, in any case. As connect-go, the only parameter
    /// accepted is the charset UTF-8 for JSON.
    pub(crate) fn from_content_type(value: &str) -> Option<Self> {
        let mut parts = value.split(';').map(str::trim);
        let media_type = parts.next().unwrap_or_default();
        let codec = [Self::Proto, Self::Json]
            .into_iter()
            .find(|codec| media_type.eq_ignore_ascii_case(codec.content_type()))?;
        let is_supported = parts.all(|parameter| {
            let (name, charset) = parameter.split_once('=').unwrap_or_default();
            codec == Self::Json
                && name.trim().eq_ignore_ascii_case("charset")
                && charset
                    .trim()
                    .trim_matches('"')
                    .eq_ignore_ascii_case("utf-8")
        });
        is_supported.then_some(codec)
    }

    /// Returns the codec of the query parameter `encoding`.
    pub(crate) fn from_encoding(name: &str) -> Option<Self> {
        match name {
            "proto" => Some(Self::Proto),
            "json" => Some(Self::Json),
            _ => None,
        }
    }

    /// Decodes a message. Both codecs ignore fields that the proto does not have, so that client
    /// and server may use different versions of it.
    ///
    /// # Errors
    /// `invalid_argument`; for JSON with the path of the member that is wrong.
    pub fn decode<M: Message>(self, bytes: &Bytes) -> Result<M, Error> {
        match self {
            Self::Proto => decode_binary(bytes),
            Self::Json => json::decode(bytes),
        }
    }

    /// Encodes a message.
    ///
    /// # Errors
    /// `internal` if the message has no JSON form, such as a timestamp out of range.
    pub fn encode<M: Message>(self, message: &M) -> Result<Bytes, Error> {
        match self {
            Self::Proto => Ok(encode_binary(message)),
            Self::Json => json::encode(message),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_type_selects_the_codec() {
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
