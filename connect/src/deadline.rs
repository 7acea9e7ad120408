//! The time by which a call must end.

use std::time::Duration;

use crate::unix_millis::UnixMillis;

/// When a request came, in its extensions: for hosts that have done something before they hand it over, as the
/// time for it counts from then.
#[derive(Clone, Copy, Debug)]
pub struct ReceivedAt(pub UnixMillis);

/// A point in time by which a call must be answered, on the clock of a [`Runtime`](crate::Runtime).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Deadline(UnixMillis);

impl Deadline {
    /// Creates the deadline that is `timeout` after `now`.
    #[must_use]
    pub fn after(now: UnixMillis, timeout: Duration) -> Self {
        Self(now + timeout)
    }

    /// Returns the time left at `now`; zero once the deadline has passed.
    #[must_use]
    pub fn remaining(self, now: UnixMillis) -> Duration {
        self.0.duration_since(now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_deadline_never_leaves_less_than_nothing() {
        let at = UnixMillis::from_millis;
        let deadline = Deadline::after(at(1_000), Duration::from_millis(250));
        assert_eq!(deadline.remaining(at(1_100)), Duration::from_millis(150));
        assert_eq!(deadline.remaining(at(1_250)), Duration::ZERO);
        assert_eq!(deadline.remaining(at(9_999)), Duration::ZERO);
    }

    #[test]
    fn a_deadline_beyond_the_clock_is_the_last_moment() {
        let almost = UnixMillis::from_millis(i64::MAX - 1);
        let deadline = Deadline::after(almost, Duration::MAX);
        assert_eq!(deadline.remaining(UnixMillis::MAX), Duration::ZERO);
    }
}
