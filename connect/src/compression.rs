//! Compression of messages: identity and gzip.

use std::io::Read as _;

use bytes::Bytes;
use flate2::Compression as Level;
use flate2::read::{GzEncoder, MultiGzDecoder};

use crate::error::Error;

/// Compression of a message on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Compression {
    Identity,
    Gzip,
}

/// Value of `Accept-Encoding` in a response that rejects an encoding.
pub(crate) const SUPPORTED: &str = "gzip";

impl Compression {
    /// Returns the compression of a `Content-Encoding` header or a query parameter `compression`.
    ///
    /// # Errors
    /// `unimplemented` with the supported encodings (text as connect-go).
    pub(crate) fn from_name(name: Option<&str>) -> Result<Self, Error> {
        match name {
            None | Some("" | "identity") => Ok(Self::Identity),
            Some("gzip") => Ok(Self::Gzip),
            Some(other) => Err(Error::unimplemented(format!(
                "unknown compression {other:?}: supported encodings are {SUPPORTED}"
            ))),
        }
    }

    /// Returns whether `Accept-Encoding` lists gzip. The protocol has no quality values.
    pub(crate) fn accepts_gzip(accept_encoding: Option<&str>) -> bool {
        accept_encoding
            .unwrap_or_default()
            .split(',')
            .any(|name| name.trim() == "gzip")
    }

    /// Decompresses a message, unless it is empty (Connect spec: zero-length content MUST NOT be
    /// decompressed).
    ///
    /// # Errors
    /// `resource_exhausted` if the message has more than `limit` bytes, `invalid_argument` if it
    /// is no gzip stream.
    pub(crate) fn decompress(self, message: Bytes, limit: usize) -> Result<Bytes, Error> {
        if message.len() > limit {
            return Err(too_large(limit));
        }
        if self == Self::Identity || message.is_empty() {
            return Ok(message);
        }
        // One byte more than allowed shows that the limit is exceeded.
        let cap = u64::try_from(limit).unwrap_or(u64::MAX).saturating_add(1);
        let mut decompressed = Vec::new();
        MultiGzDecoder::new(message.as_ref())
            .take(cap)
            .read_to_end(&mut decompressed)
            .map_err(|error| Error::invalid_argument(format!("decompress message: {error}")))?;
        if decompressed.len() > limit {
            return Err(too_large(limit));
        }
        Ok(decompressed.into())
    }
}

/// Compresses a message with gzip; `None` if that fails or does not make it smaller.
pub(crate) fn gzip(message: &[u8]) -> Option<Bytes> {
    let mut compressed = Vec::with_capacity(message.len() / 2);
    GzEncoder::new(message, Level::fast())
        .read_to_end(&mut compressed)
        .ok()?;
    (compressed.len() < message.len()).then(|| compressed.into())
}

/// Returns the error for a message of more than `limit` bytes.
pub(crate) fn too_large(limit: usize) -> Error {
    Error::resource_exhausted(format!("message is larger than {limit} bytes"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::code::Code;

    const LIMIT: usize = 1_000;

    fn gzipped(len: usize) -> Bytes {
        gzip(&vec![b'a'; len]).unwrap()
    }

    #[test]
    fn message_of_exactly_the_limit_is_accepted() {
        let decompressed = Compression::Gzip.decompress(gzipped(LIMIT), LIMIT).unwrap();
        assert_eq!(decompressed.len(), LIMIT);
    }

    #[test]
    fn decompression_stops_at_the_limit() {
        let error = Compression::Gzip
            .decompress(gzipped(LIMIT + 1), LIMIT)
            .unwrap_err();
        assert_eq!(error.code(), Code::ResourceExhausted);
    }

    #[test]
    fn broken_stream_is_rejected() {
        let mut truncated = gzipped(LIMIT).to_vec();
        truncated.truncate(12);
        for message in [truncated, b"not gzip".to_vec()] {
            let error = Compression::Gzip
                .decompress(message.into(), LIMIT)
                .unwrap_err();
            assert_eq!(error.code(), Code::InvalidArgument);
        }
    }

    #[test]
    fn empty_message_is_not_decompressed() {
        let decompressed = Compression::Gzip.decompress(Bytes::new(), LIMIT).unwrap();
        assert!(decompressed.is_empty());
    }

    #[test]
    fn error_lists_unknown_and_supported_encodings() {
        let error = Compression::from_name(Some("br")).unwrap_err();
        assert_eq!(error.code(), Code::Unimplemented);
        assert_eq!(
            error.message(),
            r#"unknown compression "br": supported encodings are gzip"#
        );
    }

    #[test]
    fn accept_encoding_lists_gzip() {
        assert!(Compression::accepts_gzip(Some("br, gzip")));
        assert!(!Compression::accepts_gzip(Some("br")));
        assert!(!Compression::accepts_gzip(None));
    }

    #[test]
    fn gzip_that_saves_nothing_is_not_used() {
        assert_eq!(gzip(b"abc"), None);
    }
}
