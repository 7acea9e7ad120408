//! How often something may be done: the generic cell rate algorithm (ITU-T I.371), which keeps one time for each quota.

use crate::protos::coral::registry::v1::Quota;

/// Takes one of a quota that is full at `full_at_ms`, if it is not full now. Times are milliseconds since the Unix epoch.
///
/// # Returns
/// When the quota will be full again.
///
/// # Errors
/// In how many milliseconds there is one to take.
pub(super) fn spend(full_at_ms: Option<i64>, quota: &Quota, now_ms: i64) -> Result<i64, i64> {
    let next_full_at_ms = full_at_ms
        .unwrap_or(now_ms)
        .max(now_ms)
        .saturating_add(quota.interval_ms);
    let whole_ms = i64::from(quota.burst).saturating_mul(quota.interval_ms);
    let wait_ms = next_full_at_ms
        .saturating_sub(whole_ms)
        .saturating_sub(now_ms);
    if wait_ms > 0 {
        Err(wait_ms)
    } else {
        Ok(next_full_at_ms)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn quota(burst: u32, interval_ms: i64) -> Quota {
        Quota {
            name: String::new(),
            burst,
            interval_ms,
        }
    }

    #[test]
    fn a_burst_and_then_one_each_interval() {
        let quota = quota(3, 100);
        let mut full_at_ms = None;
        for _ in 0..3 {
            full_at_ms = Some(spend(full_at_ms, &quota, 1_000).unwrap());
        }
        assert_eq!(full_at_ms, Some(1_300));
        assert_eq!(spend(full_at_ms, &quota, 1_000), Err(100));
        assert_eq!(spend(full_at_ms, &quota, 1_099), Err(1));
        assert_eq!(spend(full_at_ms, &quota, 1_100), Ok(1_400));
        assert_eq!(spend(full_at_ms, &quota, 5_000), Ok(5_100));
    }

    proptest! {
        #[test]
        fn never_more_than_a_burst_and_the_intervals_that_passed(
            burst in 1..20_u32, interval_ms in 1..1_000_i64, pauses in prop::collection::vec(0..2_000_i64, 1..100),
        ) {
            let quota = quota(burst, interval_ms);
            let (mut now_ms, mut full_at_ms, mut spent) = (0, None, 0);
            for pause_ms in pauses {
                now_ms += pause_ms;
                match spend(full_at_ms, &quota, now_ms) {
                    Ok(next_ms) => (full_at_ms, spent) = (Some(next_ms), spent + 1),
                    Err(wait_ms) => {
                        prop_assert!(spend(full_at_ms, &quota, now_ms + wait_ms).is_ok());
                        prop_assert!(spend(full_at_ms, &quota, now_ms + wait_ms - 1).is_err());
                    }
                }
                prop_assert!(spent <= i64::from(burst) + now_ms / interval_ms);
            }
        }
    }
}
