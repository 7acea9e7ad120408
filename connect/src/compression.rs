//! Compression of messages: identity and gzip.

use std::io::Read as _;

use bytes::Bytes;
use flate2::Compression as Level;
use flate2::read::{GzEncoder, MultiGzDecoder};

use crate::error::Error;

/// How a message is compressed on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Compression {
    Identity,
    Gzip,
}

/// What an answer that refuses an encoding lists as supported.
pub(crate) const SUPPORTED: &str = "gzip";

impl Compression {
    /// Reads a `Content-Encoding` header or a `compression` parameter.
    ///
    /// # Errors
    /// `unimplemented` with the list of what there is (Connect spec, P-41; text as connect-go).
    pub(crate) fn from_name(name: Option<&str>) -> Result<Self, Error> {
        match name {
            None | Some("" | "identity") => Ok(Self::Identity),
            Some("gzip") => Ok(Self::Gzip),
            Some(other) => Err(Error::unimplemented(format!(
                "unknown compression {other:?}: supported encodings are {SUPPORTED}"
            ))),
        }
    }

    /// Whether `Accept-Encoding` lists gzip. The protocol knows no quality values.
    pub(crate) fn accepts_gzip(accept_encoding: Option<&str>) -> bool {
        accept_encoding
            .unwrap_or_default()
            .split(',')
            .any(|name| name.trim() == "gzip")
    }

    /// Undoes the compression. A message of no bytes is never inflated (Connect spec, P-42).
    ///
    /// # Errors
    /// `resource_exhausted` when the message has more than `limit` bytes, `invalid_argument`
    /// when it is no gzip stream.
    pub(crate) fn decompress(self, message: Bytes, limit: usize) -> Result<Bytes, Error> {
        if message.len() > limit {
            return Err(too_large(limit));
        }
        if self == Self::Identity || message.is_empty() {
            return Ok(message);
        }
        // One byte more than allowed, so that the limit itself still passes.
        let cap = u64::try_from(limit).unwrap_or(u64::MAX).saturating_add(1);
        let mut inflated = Vec::new();
        MultiGzDecoder::new(message.as_ref())
            .take(cap)
            .read_to_end(&mut inflated)
            .map_err(|error| Error::invalid_argument(format!("decompress message: {error}")))?;
        if inflated.len() > limit {
            return Err(too_large(limit));
        }
        Ok(inflated.into())
    }
}

/// `message` in gzip; `None` if that fails or does not make it smaller.
pub(crate) fn gzip(message: &[u8]) -> Option<Bytes> {
    let mut deflated = Vec::with_capacity(message.len() / 2);
    GzEncoder::new(message, Level::fast())
        .read_to_end(&mut deflated)
        .ok()?;
    (deflated.len() < message.len()).then(|| deflated.into())
}

/// What a message beyond the size limit is answered with.
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
    fn a_message_of_exactly_the_limit_passes() {
        let inflated = Compression::Gzip.decompress(gzipped(LIMIT), LIMIT).unwrap();
        assert_eq!(inflated.len(), LIMIT);
    }

    #[test]
    fn a_bomb_is_refused_without_inflating_it() {
        let error = Compression::Gzip
            .decompress(gzipped(LIMIT + 1), LIMIT)
            .unwrap_err();
        assert_eq!(error.code(), Code::ResourceExhausted);
    }

    #[test]
    fn a_broken_stream_is_refused() {
        let mut cut = gzipped(LIMIT).to_vec();
        cut.truncate(12);
        for message in [cut, b"not gzip".to_vec()] {
            let error = Compression::Gzip
                .decompress(message.into(), LIMIT)
                .unwrap_err();
            assert_eq!(error.code(), Code::InvalidArgument);
        }
    }

    #[test]
    fn an_empty_message_is_not_inflated() {
        let inflated = Compression::Gzip.decompress(Bytes::new(), LIMIT).unwrap();
        assert!(inflated.is_empty());
    }

    #[test]
    fn an_unknown_encoding_is_named_with_those_there_are() {
        let error = Compression::from_name(Some("br")).unwrap_err();
        assert_eq!(error.code(), Code::Unimplemented);
        assert_eq!(
            error.message(),
            r#"unknown compression "br": supported encodings are gzip"#
        );
    }

    #[test]
    fn the_client_says_whether_it_reads_gzip() {
        assert!(Compression::accepts_gzip(Some("br, gzip")));
        assert!(!Compression::accepts_gzip(Some("br")));
        assert!(!Compression::accepts_gzip(None));
    }

    #[test]
    fn what_does_not_shrink_stays_as_it_is() {
        assert_eq!(gzip(b"abc"), None);
    }
}
