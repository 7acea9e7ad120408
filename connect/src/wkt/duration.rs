//! Spans of time, in JSON as seconds: `1.500s`.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::json::Text;

/// `google.protobuf.Duration`: at most 10,000 years in either direction, to the nanosecond.
///
/// ```
/// use connect::wkt::Duration;
///
/// let duration = Duration { seconds: 1, nanos: 500_000_000 };
/// assert_eq!(duration.to_string(), "1.500s");
/// assert_eq!("1.5s".parse(), Ok(duration));
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, prost::Message)]
pub struct Duration {
    /// Whole seconds.
    #[prost(int64, tag = "1")]
    pub seconds: i64,
    /// Nanoseconds beyond the seconds, with the same sign.
    #[prost(int32, tag = "2")]
    pub nanos: i32,
}

const SECONDS: std::ops::RangeInclusive<i64> = -315_576_000_000..=315_576_000_000;
const NANOS: std::ops::RangeInclusive<i32> = -999_999_999..=999_999_999;

impl Duration {
    fn is_in_range(&self) -> bool {
        SECONDS.contains(&self.seconds)
            && NANOS.contains(&self.nanos)
            && self.seconds.signum() * i64::from(self.nanos.signum()) >= 0
    }
}

/// Formats seconds with 0, 3, 6 or 9 digits after the point.
impl fmt::Display for Duration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.seconds < 0 || self.nanos < 0 {
            f.write_str("-")?;
        }
        write!(f, "{}", self.seconds.unsigned_abs())?;
        let nanos = self.nanos.unsigned_abs();
        match (nanos % 1_000, nanos % 1_000_000, nanos) {
            (_, _, 0) => {}
            (_, 0, _) => write!(f, ".{:03}", nanos / 1_000_000)?,
            (0, _, _) => write!(f, ".{:06}", nanos / 1_000)?,
            _ => write!(f, ".{nanos:09}")?,
        }
        f.write_str("s")
    }
}

/// Parses a decimal number with at most nine digits after the point, and an `s`. Either side of the
/// point may be empty, as in Go.
impl FromStr for Duration {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let number = text.strip_suffix('s').ok_or(())?;
        let (sign, number) = match number.strip_prefix('-') {
            Some(number) => (-1, number),
            None => (1, number.strip_prefix('+').unwrap_or(number)),
        };
        let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
        let has_leading_zero = whole.len() > 1 && whole.starts_with('0');
        if number.is_empty() || has_leading_zero || fraction.len() > 9 {
            return Err(());
        }
        let digits = |digits: &str| -> Result<i64, ()> {
            match digits {
                "" => Ok(0),
                _ if digits.bytes().all(|byte| byte.is_ascii_digit()) => {
                    digits.parse().map_err(drop)
                }
                _ => Err(()),
            }
        };
        let nanos = format!("{fraction:0<9}");
        let duration = Self {
            seconds: sign * digits(whole)?,
            nanos: i32::try_from(sign * digits(&nanos)?).map_err(drop)?,
        };
        duration.is_in_range().then_some(duration).ok_or(())
    }
}

impl Serialize for Duration {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if !self.is_in_range() {
            return Err(serde::ser::Error::custom("duration is out of range"));
        }
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Duration {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Text(text) = Text::deserialize(deserializer)?;
        text.parse()
            .map_err(|()| serde::de::Error::custom("not a duration in seconds, like 1.5s"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn format_has_only_the_digits_it_needs() {
        for (seconds, nanos, text) in [
            (0, 0, "0s"),
            (1, 500_000_000, "1.500s"),
            (-1, -1_000, "-1.000001s"),
            (0, -1, "-0.000000001s"),
            (315_576_000_000, 0, "315576000000s"),
        ] {
            let duration = Duration { seconds, nanos };
            assert_eq!(duration.to_string(), text);
            assert_eq!(text.parse(), Ok(duration));
        }
    }

    #[test]
    fn other_forms_are_accepted_or_rejected_as_in_go() {
        for (text, nanos) in [
            ("+.1s", 100_000_000),
            ("1.s", 0),
            (".s", 0),
            ("-.1s", -100_000_000),
        ] {
            assert_eq!(
                text.parse::<Duration>().map(|parsed| parsed.nanos),
                Ok(nanos),
                "{text}"
            );
        }
        for text in [
            "",
            "s",
            "-s",
            "1",
            "01s",
            "1.0000000000s",
            "1e3s",
            " 1s",
            "315576000001s",
            "--1s",
        ] {
            assert!(text.parse::<Duration>().is_err(), "{text}");
        }
    }

    #[test]
    fn mixed_signs_are_not_encoded() {
        let mixed = Duration {
            seconds: 1,
            nanos: -1,
        };
        assert!(serde_json::to_string(&mixed).is_err());
    }
}
