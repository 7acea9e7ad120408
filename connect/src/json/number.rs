//! Numeric fields, as JSON numbers or strings, with or without fraction and exponent.

use std::borrow::Cow;
use std::str::FromStr;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use super::text::Text;

/// Number in any of its JSON forms: `1`, `1.0`, `1e0`, `"1"`.
///
/// ```
/// use connect::json::Number;
///
/// for json in ["9000", "9e3", r#""9000.0""#] {
///     let Number(count) = serde_json::from_str::<Number<i64>>(json)?;
///     assert_eq!(count, 9_000);
/// }
/// assert!(serde_json::from_str::<Number<i64>>("1.5").is_err());
/// # Ok::<_, serde_json::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Number<T>(pub T);

/// Numeric type of protobuf: `i32`, `i64`, `u32`, `u64`, `f32` or `f64`.
///
/// ```
/// use connect::json::Scalar as _;
///
/// assert_eq!(i32::from_json_number("9e3"), Some(9_000));
/// assert_eq!(i32::from_json_number("1.5"), None);
/// assert_eq!(f64::from_word("-Infinity"), Some(f64::NEG_INFINITY));
/// ```
pub trait Scalar: Sized {
    /// Name of the type in protobuf, such as `int32`.
    const NAME: &'static str;

    /// Parses a JSON number; `None` if no value of the type is exactly that number.
    #[must_use]
    fn from_json_number(text: &str) -> Option<Self>;

    /// Parses a string that is no JSON number but stands for a value, such as `NaN`.
    #[must_use]
    fn from_word(_: &str) -> Option<Self> {
        None
    }
}

impl<'de, T: Scalar> Deserialize<'de> for Number<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // Parsed from text, as large integers would lose their last digits in a float.
        let json = <&RawValue>::deserialize(deserializer)?.get();
        let value = if json.starts_with('"') {
            let text: Cow<'_, str> = serde_json::from_str(json).map_err(D::Error::custom)?;
            T::from_word(&text).or_else(|| from_string(&text))
        } else if is_number(json) {
            T::from_json_number(json)
        } else {
            None
        };
        value
            .map(Self)
            .ok_or_else(|| D::Error::custom(format!("not a value of type {}", T::NAME)))
    }
}

/// Number that is the key of a map: an integer in plain digits, as in Go.
///
/// ```
/// use std::collections::BTreeMap;
///
/// use connect::json::Key;
///
/// let map: BTreeMap<Key<i32>, String> = serde_json::from_str(r#"{"-7": "x"}"#)?;
/// assert_eq!(map[&Key(-7)], "x");
/// assert!(serde_json::from_str::<BTreeMap<Key<i32>, String>>(r#"{"7.0": "x"}"#).is_err());
/// # Ok::<_, serde_json::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Key<T>(pub T);

impl<'de, T: Scalar + FromStr> Deserialize<'de> for Key<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Text(text) = Text::deserialize(deserializer)?;
        let is_signed = !T::NAME.starts_with('u');
        text.parse()
            .ok()
            .filter(|_| is_signed || !text.starts_with('+'))
            .map(Self)
            .ok_or_else(|| D::Error::custom(format!("not a key of type {}", T::NAME)))
    }
}

/// Parses a number inside a string.
fn from_string<T: Scalar>(text: &str) -> Option<T> {
    // JSON's grammar of a number: no blanks, no plus sign, no leading zeros.
    let number: &RawValue = serde_json::from_str(text).ok()?;
    (number.get().len() == text.len() && is_number(text))
        .then(|| T::from_json_number(text))
        .flatten()
}

/// Returns whether a JSON value is a number, judged by its first character.
pub(super) fn is_number(json: &str) -> bool {
    json.starts_with(|first: char| first == '-' || first.is_ascii_digit())
}

macro_rules! integers {
    ($($type:ty = $name:literal),*) => {$(
        impl Scalar for $type {
            const NAME: &'static str = $name;

            fn from_json_number(text: &str) -> Option<Self> {
                integer(text)
            }
        }
    )*};
}

integers!(i32 = "int32", i64 = "int64", u32 = "uint32", u64 = "uint64");

macro_rules! floats {
    ($($type:ty = $name:literal),*) => {$(
        impl Scalar for $type {
            const NAME: &'static str = $name;

            fn from_json_number(text: &str) -> Option<Self> {
                text.parse().ok().filter(|value: &Self| value.is_finite())
            }

            fn from_word(text: &str) -> Option<Self> {
                match text {
                    "NaN" => Some(Self::NAN),
                    "Infinity" => Some(Self::INFINITY),
                    "-Infinity" => Some(Self::NEG_INFINITY),
                    _ => None,
                }
            }
        }
    )*};
}

floats!(f32 = "float", f64 = "double");

/// A number of digits that no integer type has.
const TOO_MANY_DIGITS: usize = 21;

/// Parses a JSON number whose value is an integer: the exponent moves the decimal point, and only
/// zeros may remain behind it.
fn integer<T: FromStr>(text: &str) -> Option<T> {
    let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let (sign, whole) = match whole.strip_prefix('-') {
        Some(whole) => ("-", whole),
        None => ("", whole),
    };
    let digits = format!("{whole}{fraction}");
    let significant = digits.trim_end_matches('0');
    if significant.trim_start_matches('0').is_empty() {
        return "0".parse().ok();
    }
    let exponent: isize = exponent.parse().ok()?;
    let point = usize::try_from(exponent.checked_add_unsigned(whole.len())?).ok()?;
    if significant.len() > point || point > TOO_MANY_DIGITS {
        return None;
    }
    format!("{sign}{significant:0<point$}").parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn decode<T: Scalar>(json: &str) -> Option<T> {
        serde_json::from_str(json).ok().map(|Number(value)| value)
    }

    #[test]
    fn integers_are_decoded_from_every_form() {
        for json in [
            "9000",
            "9000.0",
            "9e3",
            "9E+3",
            "9000000e-3",
            r#""9000""#,
            r#""9.0e3""#,
        ] {
            assert_eq!(decode::<i32>(json), Some(9000), "{json}");
        }
        assert_eq!(decode::<i64>("-0.0"), Some(0));
        assert_eq!(decode::<u64>("-0"), Some(0));
        assert_eq!(decode::<u64>("18446744073709551615.0"), Some(u64::MAX));
        assert_eq!(decode::<i64>("-9.223372036854775808e18"), Some(i64::MIN));
        assert_eq!(decode::<i32>("0e99999999999999999999"), Some(0));
    }

    #[test]
    fn other_values_than_integers_are_rejected() {
        for json in [
            "1.5",
            "1e-1",
            "2147483648",
            r#""""#,
            r#"" 1""#,
            r#""1 ""#,
            r#""+1""#,
            r#""01""#,
            r#""0x1""#,
            r#""true""#,
            "true",
            "[]",
            "{}",
            "1e99999999999",
            r#""NaN""#,
        ] {
            assert_eq!(decode::<i32>(json), None, "{json}");
        }
        assert_eq!(decode::<u32>("-1"), None);
    }

    #[test]
    fn floats_include_nan_and_infinities() {
        assert_eq!(decode::<f64>("1.5"), Some(1.5));
        assert_eq!(decode::<f64>(r#""-1.5e3""#), Some(-1500.0));
        assert_eq!(decode::<f32>(r#""-Infinity""#), Some(f32::NEG_INFINITY));
        assert!(decode::<f64>(r#""NaN""#).is_some_and(f64::is_nan));
        for json in [r#""inf""#, r#""nan""#, "1e39", "-1e39"] {
            assert_eq!(decode::<f32>(json), None, "{json}");
        }
    }

    #[test]
    fn keys_are_plain_digits() {
        let decode_key = |text: &str| -> Option<Vec<i32>> {
            let json = format!("{{\"{text}\":0}}");
            let keys: std::collections::BTreeMap<Key<i32>, i32> =
                serde_json::from_str(&json).ok()?;
            Some(keys.into_keys().map(|Key(key)| key).collect())
        };
        for (text, key) in [("7", 7), ("-7", -7), ("+7", 7), ("07", 7), ("-0", 0)] {
            assert_eq!(decode_key(text), Some(vec![key]), "{text}");
        }
        for text in ["7.0", "7e0", " 7", "", "2147483648", "true"] {
            assert_eq!(decode_key(text), None, "{text}");
        }
        let unsigned = |json| serde_json::from_str::<Key<u64>>(json).ok();
        assert_eq!(unsigned(r#""18446744073709551615""#), Some(Key(u64::MAX)));
        assert_eq!(unsigned(r#""+1""#), None);
    }

    proptest! {
        #[test]
        fn every_integer_round_trips(value: i64, zeros in 0_usize..5) {
            let plain = format!("{value}");
            let with_fraction = format!("{value}.{:0<zeros$}0", "");
            let with_exponent = format!("{value}{:0<zeros$}e-{zeros}", "");
            for json in [plain.clone(), format!("\"{plain}\""), with_fraction, with_exponent] {
                prop_assert_eq!(decode::<i64>(&json), Some(value), "{}", json);
            }
        }
    }
}
