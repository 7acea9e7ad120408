//! The rule of a quota: the generic cell rate algorithm (ITU-T I.371), which keeps one time.

use std::time::Duration;

use connect::UnixMillis;

/// The size of a quota: a burst, and one more unit each interval.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// Units that are available at once after a long pause.
    pub burst: u32,
    /// The time until one more unit is available.
    pub interval: Duration,
}

/// Consumes one unit of a quota that is full again at `full_at`, if it is not full now.
///
/// # Returns
/// The time at which the quota will be full again.
///
/// # Errors
/// The time to wait until a unit is available.
pub fn try_consume(
    full_at: Option<UnixMillis>,
    rate: Rate,
    now: UnixMillis,
) -> Result<UnixMillis, Duration> {
    let next_full_at = full_at.unwrap_or(now).max(now) + rate.interval;
    let whole = rate.interval.saturating_mul(rate.burst);
    let wait = next_full_at.duration_since(now).saturating_sub(whole);
    if wait.is_zero() {
        Ok(next_full_at)
    } else {
        Err(wait)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const fn at(millis: i64) -> UnixMillis {
        UnixMillis::from_millis(millis)
    }

    fn rate(burst: u32, interval_ms: u64) -> Rate {
        Rate {
            burst,
            interval: Duration::from_millis(interval_ms),
        }
    }

    #[test]
    fn quota_has_a_burst_and_then_one_unit_each_interval() {
        let rate = rate(3, 100);
        let mut full_at = None;
        for _ in 0..3 {
            full_at = Some(try_consume(full_at, rate, at(1_000)).unwrap());
        }
        assert_eq!(full_at, Some(at(1_300)));
        let wait = |now| try_consume(full_at, rate, at(now)).map_err(|wait| wait.as_millis());
        assert_eq!(wait(1_000), Err(100));
        assert_eq!(wait(1_099), Err(1));
        assert_eq!(wait(1_100), Ok(at(1_400)));
        assert_eq!(wait(5_000), Ok(at(5_100)));
    }

    proptest! {
        #[test]
        fn no_more_units_than_the_burst_and_the_intervals_that_passed(
            burst in 1..20_u32, interval_ms in 1..1_000_u64,
            pauses in prop::collection::vec(0..2_000_u64, 1..100),
        ) {
            let rate = rate(burst, interval_ms);
            let (mut now, mut full_at, mut consumed) = (at(0), None, 0);
            for pause_ms in pauses {
                now += Duration::from_millis(pause_ms);
                match try_consume(full_at, rate, now) {
                    Ok(next) => (full_at, consumed) = (Some(next), consumed + 1),
                    Err(wait) => {
                        let just_before = now + wait.saturating_sub(Duration::from_millis(1));
                        prop_assert!(try_consume(full_at, rate, now + wait).is_ok());
                        prop_assert!(try_consume(full_at, rate, just_before).is_err());
                    }
                }
                let intervals = now.as_millis() / i64::try_from(interval_ms).unwrap();
                prop_assert!(consumed <= i64::from(burst) + intervals);
            }
        }
    }
}
