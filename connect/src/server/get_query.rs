//! Queries of GET requests (Connect spec: "Unary-Get-Request").

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use bytes::Bytes;

use crate::codec::Codec;
use crate::compression::Compression;
use crate::error::Error;

/// URL-safe base64 with or without padding.
const URL_BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::URL_SAFE,
    GeneralPurposeConfig::new()
        .with_encode_padding(false)
        .with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// The protocol's parameters of a query.
#[derive(Debug, Default)]
pub(super) struct GetQuery {
    version: Option<String>,
    encoding: Option<String>,
    message: Option<String>,
    base64: bool,
    compression: Option<String>,
}

impl GetQuery {
    /// Parses a query. Other parameters are ignored.
    pub(super) fn parse(query: &str) -> Self {
        let mut parsed = Self::default();
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            match name.as_ref() {
                "connect" => parsed.version = Some(value.into_owned()),
                "encoding" => parsed.encoding = Some(value.into_owned()),
                "message" => parsed.message = Some(value.into_owned()),
                "base64" => parsed.base64 = value == "1",
                "compression" => parsed.compression = Some(value.into_owned()),
                _ => {}
            }
        }
        parsed
    }

    /// Returns the codec; `None` if the encoding is missing or unknown, which is a 415 as in
    /// connect-go.
    pub(super) fn codec(&self) -> Option<Codec> {
        self.encoding.as_deref().and_then(Codec::from_encoding)
    }

    /// Returns the compression of the message.
    ///
    /// # Errors
    /// `unimplemented` if it is not supported.
    pub(super) fn compression(&self) -> Result<Compression, Error> {
        Compression::from_name(self.compression.as_deref())
    }

    /// Checks the protocol version, which may be missing.
    ///
    /// # Errors
    /// `invalid_argument` if it is unknown.
    pub(super) fn check_version(&self) -> Result<(), Error> {
        match self.version.as_deref() {
            None | Some("v1") => Ok(()),
            Some(other) => Err(Error::invalid_argument(format!(
                r#"connect must be "v1": got {other:?}"#
            ))),
        }
    }

    /// Returns the message, decoded from base64 if the query says so.
    ///
    /// # Errors
    /// `invalid_argument` if it is missing or no base64.
    pub(super) fn message(self) -> Result<Bytes, Error> {
        let message = self
            .message
            .ok_or_else(|| Error::invalid_argument("message parameter is missing"))?;
        if !self.base64 {
            return Ok(message.into());
        }
        URL_BASE64
            .decode(message.as_bytes())
            .map(Bytes::from)
            .map_err(|error| Error::invalid_argument(format!("message parameter: {error}")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn message_is_plain_or_base64() {
        for query in [
            "encoding=json&message=%7B%22a%22%3A1%7D",
            "base64=1&message=eyJhIjoxfQ&encoding=json&connect=v1",
            "base64=1&message=eyJhIjoxfQ%3D%3D&encoding=json&other=x",
        ] {
            let query = GetQuery::parse(query);
            assert_eq!(query.codec(), Some(Codec::Json));
            query.check_version().unwrap();
            assert_eq!(query.message().unwrap(), r#"{"a":1}"#);
        }
    }

    #[test]
    fn missing_message_is_rejected_and_an_empty_one_accepted() {
        assert!(GetQuery::parse("encoding=proto").message().is_err());
        assert!(GetQuery::parse("message=").message().unwrap().is_empty());
    }

    #[test]
    fn wrong_version_and_broken_base64_are_rejected() {
        assert!(GetQuery::parse("connect=v2").check_version().is_err());
        assert!(GetQuery::parse("base64=1&message=***").message().is_err());
        assert_eq!(GetQuery::parse("encoding=xml").codec(), None);
    }
}
