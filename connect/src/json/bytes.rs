//! Bytes as base64.

use std::borrow::Cow;

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};

use super::text::Text;

/// Bytes in either alphabet of base64, padded or not.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Bytes<T>(pub T);

/// As Go reads it: with all of its padding or none, whatever bits are left over, and line breaks
/// anywhere, which count all the same when it is asked whether it could be padded.
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

/// Bytes as they are written: in the standard alphabet, padded.
#[must_use]
pub fn encode_base64(bytes: impl AsRef<[u8]>) -> String {
    base64::engine::general_purpose::STANDARD.encode(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn either_alphabet_is_read_padded_or_not() {
        for text in [
            r#""-_8=""#,
            r#""-_8""#,
            r#""+/8=""#,
            r#""+\/8""#,
            r#""+/\r\n8""#,
        ] {
            let read: Bytes<Vec<u8>> = serde_json::from_str(text).unwrap();
            assert_eq!(read.0, [0xfb, 0xff], "{text}");
        }
    }

    #[test]
    fn anything_else_is_refused() {
        for text in [r#""+_8=""#, r#""*""#, r#""AQ=""#, r#""+/8=\n""#, "1", "[]"] {
            assert!(
                serde_json::from_str::<Bytes<Vec<u8>>>(text).is_err(),
                "{text}"
            );
        }
    }
}
