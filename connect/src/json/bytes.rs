//! Bytes fields, as base64.

use std::borrow::Cow;

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};

use super::text::Text;

/// Bytes from base64 in the standard or the URL-safe alphabet, with or without padding.
///
/// ```
/// use connect::json::Bytes;
///
/// for json in [r#""+/8=""#, r#""-_8""#] {
///     let Bytes(bytes) = serde_json::from_str::<Bytes<Vec<u8>>>(json)?;
///     assert_eq!(bytes, [0xfb, 0xff]);
/// }
/// # Ok::<_, serde_json::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Bytes<T>(pub T);

/// Creates an engine that decodes like Go: trailing bits are ignored.
const fn engine(alphabet: &alphabet::Alphabet, padding: DecodePaddingMode) -> GeneralPurpose {
    let lenient = GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(padding);
    GeneralPurpose::new(alphabet, lenient)
}

const STANDARD: GeneralPurpose = engine(&alphabet::STANDARD, DecodePaddingMode::RequireCanonical);
const URL_SAFE: GeneralPurpose = engine(&alphabet::URL_SAFE, DecodePaddingMode::RequireCanonical);
const STANDARD_UNPADDED: GeneralPurpose =
    engine(&alphabet::STANDARD, DecodePaddingMode::RequireNone);
const URL_SAFE_UNPADDED: GeneralPurpose =
    engine(&alphabet::URL_SAFE, DecodePaddingMode::RequireNone);

impl<'de, T: From<Vec<u8>>> Deserialize<'de> for Bytes<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Text(text) = Text::deserialize(deserializer)?;
        let is_url_safe = text.contains(['-', '_']);
        // Line breaks may stand anywhere, and count towards the length that decides whether there
        // must be padding, as in Go.
        let engine = match (is_url_safe, text.len() % 4) {
            (false, 0) => STANDARD,
            (false, _) => STANDARD_UNPADDED,
            (true, 0) => URL_SAFE,
            (true, _) => URL_SAFE_UNPADDED,
        };
        let line_break = |byte: &u8| matches!(byte, b'\r' | b'\n');
        let text: Cow<'_, [u8]> = if text.bytes().any(|byte| line_break(&byte)) {
            text.bytes().filter(|byte| !line_break(byte)).collect()
        } else {
            text.as_bytes().into()
        };
        let bytes = engine
            .decode(&text)
            .map_err(|error| D::Error::custom(format!("not base64: {error}")))?;
        Ok(Self(bytes.into()))
    }
}

/// Encodes bytes in the standard alphabet of base64, with padding.
///
/// ```
/// use connect::json::encode_base64;
///
/// assert_eq!(encode_base64([0xfb, 0xff]), "+/8=");
/// ```
#[must_use]
pub fn encode_base64(bytes: impl AsRef<[u8]>) -> String {
    base64::engine::general_purpose::STANDARD.encode(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_alphabets_are_decoded_with_or_without_padding() {
        for text in [
            r#""-_8=""#,
            r#""-_8""#,
            r#""+/8=""#,
            r#""+\/8""#,
            r#""+/\r\n8""#,
        ] {
            let decoded: Bytes<Vec<u8>> = serde_json::from_str(text).unwrap();
            assert_eq!(decoded.0, [0xfb, 0xff], "{text}");
        }
    }

    #[test]
    fn other_values_are_rejected() {
        for text in [r#""+_8=""#, r#""*""#, r#""AQ=""#, r#""+/8=\n""#, "1", "[]"] {
            assert!(
                serde_json::from_str::<Bytes<Vec<u8>>>(text).is_err(),
                "{text}"
            );
        }
    }
}
