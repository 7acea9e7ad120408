//! Deadlines of calls.

use std::time::Duration;

use crate::unix_millis::UnixMillis;

/// Time at which a request arrived, for the extensions of the request.
///
/// A platform sets it if it does work before it hands a request over, as timeouts count from
/// then. Without it, timeouts count from the moment at which the server sees the request.
///
/// ```
/// use connect::{ReceivedAt, UnixMillis, http};
///
/// let received_at = ReceivedAt(UnixMillis::from_millis(1_767_323_045_000));
/// let request = http::Request::post("/").extension(received_at).body(());
/// # request.unwrap();
/// ```
#[derive(Clone, Copy, Debug)]
pub struct ReceivedAt(pub UnixMillis);

/// Time by which a call must end, on the clock of a [`Runtime`](crate::Runtime).
///
/// ```
/// use std::time::Duration;
///
/// use connect::{Deadline, UnixMillis};
///
/// let start = UnixMillis::from_millis(1_000);
/// let deadline = Deadline::after(start, Duration::from_millis(250));
/// let later = start + Duration::from_millis(100);
/// assert_eq!(deadline.remaining(later), Duration::from_millis(150));
/// ```
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
    fn remaining_time_is_never_negative() {
        let at = UnixMillis::from_millis;
        let deadline = Deadline::after(at(1_000), Duration::from_millis(250));
        assert_eq!(deadline.remaining(at(1_100)), Duration::from_millis(150));
        assert_eq!(deadline.remaining(at(1_250)), Duration::ZERO);
        assert_eq!(deadline.remaining(at(9_999)), Duration::ZERO);
    }

    #[test]
    fn deadline_beyond_the_clock_is_its_last_moment() {
        let almost_max = UnixMillis::from_millis(i64::MAX - 1);
        let deadline = Deadline::after(almost_max, Duration::MAX);
        assert_eq!(deadline.remaining(UnixMillis::MAX), Duration::ZERO);
    }
}
