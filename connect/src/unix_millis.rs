//! Points in time with millisecond precision.

use std::fmt;
use std::ops::{Add, AddAssign, Sub};
use std::time::Duration;

/// Milliseconds since the Unix epoch, negative before it.
///
/// Arithmetic with [`Duration`] saturates and drops fractions of a millisecond.
///
/// ```
/// use std::time::Duration;
///
/// use connect::UnixMillis;
///
/// let start = UnixMillis::from_millis(1_000);
/// let end = start + Duration::from_secs(2);
/// assert_eq!(end.as_millis(), 3_000);
/// assert_eq!(end.duration_since(start), Duration::from_secs(2));
/// assert_eq!(UnixMillis::MAX + Duration::from_secs(1), UnixMillis::MAX);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UnixMillis(i64);

impl UnixMillis {
    /// 1970-01-01T00:00:00Z, which is also the default.
    pub const EPOCH: Self = Self(0);

    /// The last point that can be represented.
    pub const MAX: Self = Self(i64::MAX);

    /// Creates a point in time from milliseconds since the Unix epoch.
    ///
    /// ```
    /// use connect::UnixMillis;
    ///
    /// const START: UnixMillis = UnixMillis::from_millis(1_767_323_045_000);
    /// assert!(START > UnixMillis::EPOCH);
    /// ```
    #[must_use]
    pub const fn from_millis(milliseconds: i64) -> Self {
        Self(milliseconds)
    }

    /// Returns the milliseconds since the Unix epoch.
    #[must_use]
    pub const fn as_millis(self) -> i64 {
        self.0
    }

    /// Returns the time that passed since `earlier`; zero if `earlier` is later.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use connect::UnixMillis;
    ///
    /// let (first, second) = (UnixMillis::from_millis(10), UnixMillis::from_millis(35));
    /// assert_eq!(second.duration_since(first), Duration::from_millis(25));
    /// assert_eq!(first.duration_since(second), Duration::ZERO);
    /// ```
    #[must_use]
    pub fn duration_since(self, earlier: Self) -> Duration {
        if self <= earlier {
            return Duration::ZERO;
        }
        Duration::from_millis(self.0.abs_diff(earlier.0))
    }

    /// Returns the milliseconds that passed since `earlier`; zero if `earlier` is later.
    ///
    /// ```
    /// use connect::UnixMillis;
    ///
    /// let (first, second) = (UnixMillis::from_millis(10), UnixMillis::from_millis(35));
    /// assert_eq!(second.millis_since(first), 25);
    /// assert_eq!(first.millis_since(second), 0);
    /// ```
    #[must_use]
    pub fn millis_since(self, earlier: Self) -> i64 {
        self.0.saturating_sub(earlier.0).max(0)
    }
}

impl Add<Duration> for UnixMillis {
    type Output = Self;

    fn add(self, duration: Duration) -> Self {
        Self(self.0.saturating_add_unsigned(whole_millis(duration)))
    }
}

impl AddAssign<Duration> for UnixMillis {
    fn add_assign(&mut self, duration: Duration) {
        *self = *self + duration;
    }
}

impl Sub<Duration> for UnixMillis {
    type Output = Self;

    fn sub(self, duration: Duration) -> Self {
        Self(self.0.saturating_sub_unsigned(whole_millis(duration)))
    }
}

/// Formats the milliseconds since the Unix epoch as a decimal number.
impl fmt::Display for UnixMillis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

fn whole_millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const MIN: UnixMillis = UnixMillis(i64::MIN);

    #[test]
    fn arithmetic_saturates_at_both_ends() {
        assert_eq!(UnixMillis::MAX + Duration::from_millis(1), UnixMillis::MAX);
        assert_eq!(UnixMillis::EPOCH + Duration::MAX, UnixMillis::MAX);
        assert_eq!(MIN + Duration::MAX, UnixMillis::MAX);
        assert_eq!(MIN - Duration::from_millis(1), MIN);
        assert_eq!(UnixMillis::EPOCH - Duration::MAX, MIN);
        assert_eq!(UnixMillis::MAX - Duration::MAX, MIN);
    }

    #[test]
    fn duration_since_covers_the_whole_range_and_is_never_negative() {
        let longest = UnixMillis::MAX.duration_since(MIN);
        assert_eq!(longest, Duration::from_millis(u64::MAX));
        assert_eq!(MIN.duration_since(UnixMillis::MAX), Duration::ZERO);
        assert_eq!(MIN.duration_since(MIN), Duration::ZERO);
    }

    #[test]
    fn fractions_of_a_millisecond_are_dropped() {
        let mut time = UnixMillis::from_millis(5);
        time += Duration::from_micros(1_999);
        assert_eq!(time, UnixMillis::from_millis(6));
        assert_eq!(time - Duration::from_micros(999), time);
    }

    #[test]
    fn default_is_the_epoch_and_display_is_the_number() {
        assert_eq!(UnixMillis::default(), UnixMillis::EPOCH);
        assert_eq!(UnixMillis::from_millis(-12).to_string(), "-12");
        assert_eq!(format!("{:>4}", UnixMillis::from_millis(7)), "   7");
    }

    proptest! {
        #[test]
        fn adding_a_duration_moves_the_time_by_it(start: i64, milliseconds: u32) {
            let start = UnixMillis::from_millis(start);
            let duration = Duration::from_millis(milliseconds.into());
            let end = start + duration;
            prop_assert!(end == UnixMillis::MAX || end.duration_since(start) == duration);
            prop_assert!(end == UnixMillis::MAX || end - duration == start);
        }
    }
}
