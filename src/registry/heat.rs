//! How often leases are looked up, counted in the object's memory: which of them are hot.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::num::NonZeroU32;

use crate::cache::MAX_AGE_MS;

/// Over how long lookups are counted.
const WINDOW_MS: i64 = 60_000;

/// After how long a hot lease is copied again: before the last copy is too old to serve.
const FILL_INTERVAL_MS: i64 = MAX_AGE_MS / 2;

/// How many leases are counted at once: an object that holds more of them counts those that are asked for
/// first.
const LEASES: usize = 1_024;

/// The counts of one instance of an object.
#[derive(Debug)]
pub(super) struct Heat {
    hot_lookups: Option<NonZeroU32>,
    counts: RefCell<BTreeMap<Vec<u8>, Count>>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Count {
    since_ms: i64,
    lookups: u32,
    hot_until_ms: i64,
    filled_at_ms: Option<i64>,
}

/// What a lookup is told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Warmth {
    /// The lease is hot.
    pub(super) hot: bool,
    /// The asker shall put a copy into the cache.
    pub(super) fill: bool,
}

impl Heat {
    /// Nothing counted yet. A lease is hot from `hot_lookups` a minute; without, never.
    pub(super) fn new(hot_lookups: Option<NonZeroU32>) -> Self {
        Self {
            hot_lookups,
            counts: RefCell::default(),
        }
    }

    /// Counts a lookup.
    pub(super) fn touch(&self, key: &[u8], now_ms: i64) -> Warmth {
        let Some(hot_lookups) = self.hot_lookups else {
            return Warmth::default();
        };
        let mut counts = self.counts.borrow_mut();
        if counts.len() >= LEASES && !counts.contains_key(key) {
            counts.retain(|_, count| count.matters(now_ms));
            if counts.len() >= LEASES {
                return Warmth::default();
            }
        }
        let count = counts.entry(key.to_vec()).or_insert(Count {
            since_ms: now_ms,
            ..Count::default()
        });
        if now_ms.saturating_sub(count.since_ms) >= WINDOW_MS {
            count.since_ms = now_ms;
            count.lookups = 0;
        }
        count.lookups = count.lookups.saturating_add(1);
        if count.lookups >= hot_lookups.get() {
            count.hot_until_ms = now_ms.saturating_add(WINDOW_MS);
        }
        let hot = now_ms < count.hot_until_ms;
        let is_due = count
            .filled_at_ms
            .is_none_or(|at_ms| now_ms.saturating_sub(at_ms) >= FILL_INTERVAL_MS);
        let fill = hot && is_due;
        if fill {
            count.filled_at_ms = Some(now_ms);
        }
        Warmth { hot, fill }
    }
}

impl Count {
    /// Whether forgetting it would change anything.
    fn matters(&self, now_ms: i64) -> bool {
        let is_recent = |at_ms: i64| now_ms.saturating_sub(at_ms) < WINDOW_MS.max(MAX_AGE_MS);
        is_recent(self.since_ms)
            || now_ms < self.hot_until_ms
            || self.filled_at_ms.is_some_and(is_recent)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn heat(hot_lookups: u32) -> Heat {
        Heat::new(NonZeroU32::new(hot_lookups))
    }

    const KEY: &[u8] = b"key";

    #[test]
    fn a_lease_is_hot_from_so_many_lookups_a_minute_and_filled_twice_a_minute() {
        let heat = heat(3);
        assert_eq!(heat.touch(KEY, 0), Warmth::default());
        assert_eq!(heat.touch(KEY, 10), Warmth::default());
        let told = |now_ms| {
            let Warmth { hot, fill } = heat.touch(KEY, now_ms);
            (hot, fill)
        };
        assert_eq!(told(20), (true, true));
        assert_eq!(told(30), (true, false));
        assert_eq!(told(30_020), (true, true));
        assert_eq!(told(30_030), (true, false));
        // The next minute has not seen three yet, but the last one had.
        assert_eq!(told(60_100), (true, true));
        assert_eq!(told(200_000), (false, false), "it has cooled down");
    }

    #[test]
    fn nothing_is_ever_hot_when_that_is_switched_off() {
        let heat = Heat::new(None);
        for now_ms in 0..1_000 {
            assert_eq!(heat.touch(KEY, now_ms), Warmth::default());
        }
    }

    #[test]
    fn the_number_of_counted_leases_is_bounded() {
        let heat = heat(2);
        for key in 0..2 * LEASES {
            heat.touch(&key.to_be_bytes(), 0);
        }
        assert_eq!(heat.counts.borrow().len(), LEASES);
        heat.touch(b"another", WINDOW_MS);
        assert_eq!(heat.counts.borrow().len(), 1, "the others are forgotten");
    }
}
