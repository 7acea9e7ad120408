//! Points in time, in JSON as RFC 3339.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::json::Text;
use crate::unix_millis::UnixMillis;

/// `google.protobuf.Timestamp`: a point in time from year 1 to 9999, to the nanosecond.
///
/// ```
/// use connect::UnixMillis;
/// use connect::wkt::Timestamp;
///
/// let timestamp = Timestamp::from(UnixMillis::from_millis(1_767_323_045_500));
/// assert_eq!((timestamp.seconds, timestamp.nanos), (1_767_323_045, 500_000_000));
/// assert_eq!(timestamp.to_string(), "2026-01-02T03:04:05.500Z");
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, prost::Message)]
pub struct Timestamp {
    /// Seconds since the Unix epoch.
    #[prost(int64, tag = "1")]
    pub seconds: i64,
    /// Nanoseconds after the second: 0 to 999,999,999.
    #[prost(int32, tag = "2")]
    pub nanos: i32,
}

/// Seconds from 0001-01-01T00:00:00Z to 9999-12-31T23:59:59Z, the range of the JSON form.
const SECONDS: std::ops::RangeInclusive<i64> = -62_135_596_800..=253_402_300_799;
const NANOS: std::ops::RangeInclusive<i32> = 0..=999_999_999;

impl Timestamp {
    /// Returns whether the timestamp is from year 1 to 9999 and has less than a second of
    /// nanoseconds. Other timestamps have no JSON form.
    ///
    /// ```
    /// use connect::wkt::Timestamp;
    ///
    /// assert!(Timestamp::default().is_valid());
    /// assert!(!Timestamp { seconds: 0, nanos: -1 }.is_valid());
    /// ```
    #[must_use]
    pub fn is_valid(&self) -> bool {
        SECONDS.contains(&self.seconds) && NANOS.contains(&self.nanos)
    }
}

impl From<UnixMillis> for Timestamp {
    fn from(time: UnixMillis) -> Self {
        let milliseconds = time.as_millis();
        let nanos = milliseconds.rem_euclid(1_000).saturating_mul(1_000_000);
        Self {
            seconds: milliseconds.div_euclid(1_000),
            nanos: i32::try_from(nanos).unwrap_or(0),
        }
    }
}

/// Formats the timestamp as RFC 3339 in UTC, with 0, 3, 6 or 9 digits after the second.
impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { seconds, nanos } = *self;
        prost_types::Timestamp { seconds, nanos }.fmt(f)
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if !self.is_valid() {
            return Err(serde::ser::Error::custom("timestamp is out of range"));
        }
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Text(text) = Text::deserialize(deserializer)?;
        if !is_rfc3339(&text) {
            return Err(serde::de::Error::custom("not an RFC 3339 timestamp"));
        }
        text.parse::<prost_types::Timestamp>()
            .ok()
            .map(|prost_types::Timestamp { seconds, nanos }| Self { seconds, nanos })
            .filter(Self::is_valid)
            .ok_or_else(|| serde::de::Error::custom("not an RFC 3339 timestamp"))
    }
}

/// Returns whether a text has the shape of RFC 3339. prost's parser also accepts dates without a
/// time, blanks, leap seconds and more digits than there are nanoseconds.
fn is_rfc3339(text: &str) -> bool {
    let shape: String = text
        .chars()
        .map(|character| {
            if character.is_ascii_digit() {
                '0'
            } else {
                character
            }
        })
        .collect();
    let Some(rest) = shape.strip_prefix("0000-00-00T00:00:00") else {
        return false;
    };
    let zone = match rest.strip_prefix('.') {
        None => rest,
        Some(fraction) => {
            let zone = fraction.trim_start_matches('0');
            if !(1..=9).contains(&fraction.len().saturating_sub(zone.len())) {
                return false;
            }
            zone
        }
    };
    let is_leap_second = text.get(17..19).is_some_and(|seconds| seconds >= "60");
    matches!(zone, "Z" | "+00:00" | "-00:00") && !is_leap_second
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_ends_in_z_with_only_the_digits_it_needs() {
        for (milliseconds, text) in [
            (1_767_323_045_000, r#""2026-01-02T03:04:05Z""#),
            (1_767_323_045_500, r#""2026-01-02T03:04:05.500Z""#),
            (-1, r#""1969-12-31T23:59:59.999Z""#),
        ] {
            let timestamp = Timestamp::from(UnixMillis::from_millis(milliseconds));
            assert_eq!(serde_json::to_string(&timestamp).unwrap(), text);
            assert_eq!(serde_json::from_str::<Timestamp>(text).unwrap(), timestamp);
        }
    }

    #[test]
    fn offset_is_applied() {
        let decoded: Timestamp = serde_json::from_str(r#""2026-01-02T05:04:05+02:00""#).unwrap();
        assert_eq!(decoded, UnixMillis::from_millis(1_767_323_045_000).into());
    }

    #[test]
    fn other_texts_are_rejected() {
        for text in [
            r#""yesterday""#,
            r#""""#,
            "5",
            r#""2026-13-01T00:00:00Z""#,
            r#""2026-01-01""#,
            r#""2026-01-01 00:00:00Z""#,
            r#""2026-01-01T00:00:00""#,
            r#""2026-01-01T00:00:60Z""#,
            r#""2026-01-01T00:00:00.Z""#,
            r#""2026-01-01T00:00:00.0000000000Z""#,
            r#""2026-01-01t00:00:00z""#,
        ] {
            assert!(serde_json::from_str::<Timestamp>(text).is_err(), "{text}");
        }
    }

    #[test]
    fn time_outside_the_range_is_not_encoded() {
        let late = Timestamp {
            seconds: i64::MAX,
            nanos: 0,
        };
        assert!(serde_json::to_string(&late).is_err());
    }
}
