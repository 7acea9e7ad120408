//! Detection of hot keys: lookups of each lease, counted in the object's memory.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::time::Duration;

use connect::UnixMillis;

/// The age beyond which no cache serves a copy of a lease. A KV cache keeps a value at least as
/// long, so the object has to rewrite a changed lease until then.
pub const CACHE_MAX_AGE: Duration = Duration::from_secs(60);

/// The window over which lookups are counted.
const WINDOW: Duration = Duration::from_secs(60);

/// The time between two copies of a hot lease: the next is written before the last is too old.
const FILL_INTERVAL: Duration = Duration::from_secs(30);

/// The number of leases that are counted at once. An object that holds more counts those first
/// that are looked up first.
const MAX_KEYS: usize = 1_024;

/// The lookup counts of one instance of an object.
#[derive(Debug)]
pub struct HotKeys {
    threshold: Option<NonZeroU32>,
    counts: RefCell<BTreeMap<Vec<u8>, LookupCount>>,
}

#[derive(Clone, Copy, Debug, Default)]
struct LookupCount {
    since: UnixMillis,
    lookups: u32,
    hot_until: UnixMillis,
    filled_at: Option<UnixMillis>,
}

/// The advice on caching that a lookup returns.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CacheHint {
    /// True if the key is hot.
    pub hot: bool,
    /// True if the caller should write a copy to the KV cache.
    pub fill: bool,
}

impl HotKeys {
    /// Returns an empty count. A key is hot from `threshold` lookups a minute; without a
    /// threshold, never.
    #[must_use]
    pub fn new(threshold: Option<NonZeroU32>) -> Self {
        Self {
            threshold,
            counts: RefCell::default(),
        }
    }

    /// Counts a lookup of `key`.
    pub fn record_lookup(&self, key: &[u8], now: UnixMillis) -> CacheHint {
        let Some(threshold) = self.threshold else {
            return CacheHint::default();
        };
        let mut counts = self.counts.borrow_mut();
        if counts.len() >= MAX_KEYS && !counts.contains_key(key) {
            counts.retain(|_, count| count.is_relevant(now));
            if counts.len() >= MAX_KEYS {
                return CacheHint::default();
            }
        }
        let count = counts.entry(key.to_vec()).or_insert(LookupCount {
            since: now,
            ..LookupCount::default()
        });
        if now.duration_since(count.since) >= WINDOW {
            count.since = now;
            count.lookups = 0;
        }
        count.lookups = count.lookups.saturating_add(1);
        if count.lookups >= threshold.get() {
            count.hot_until = now + WINDOW;
        }
        let hot = now < count.hot_until;
        let is_due = count
            .filled_at
            .is_none_or(|filled_at| now.duration_since(filled_at) >= FILL_INTERVAL);
        let fill = hot && is_due;
        if fill {
            count.filled_at = Some(now);
        }
        CacheHint { hot, fill }
    }
}

impl LookupCount {
    /// Returns whether dropping the count would change a later hint.
    fn is_relevant(&self, now: UnixMillis) -> bool {
        let is_recent = |at: UnixMillis| now.duration_since(at) < WINDOW.max(CACHE_MAX_AGE);
        is_recent(self.since) || now < self.hot_until || self.filled_at.is_some_and(is_recent)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &[u8] = b"key";

    const fn at(millis: i64) -> UnixMillis {
        UnixMillis::from_millis(millis)
    }

    fn hot_keys(threshold: u32) -> HotKeys {
        HotKeys::new(NonZeroU32::new(threshold))
    }

    #[test]
    fn key_is_hot_from_the_threshold_and_filled_twice_a_minute() {
        let keys = hot_keys(3);
        assert_eq!(keys.record_lookup(KEY, at(0)), CacheHint::default());
        assert_eq!(keys.record_lookup(KEY, at(10)), CacheHint::default());
        let hint = |now| {
            let CacheHint { hot, fill } = keys.record_lookup(KEY, at(now));
            (hot, fill)
        };
        assert_eq!(hint(20), (true, true));
        assert_eq!(hint(30), (true, false));
        assert_eq!(hint(30_020), (true, true));
        assert_eq!(hint(30_030), (true, false));
        // The new window has not seen three lookups yet, but the last one had.
        assert_eq!(hint(60_100), (true, true));
        assert_eq!(hint(200_000), (false, false), "the key has cooled down");
    }

    #[test]
    fn without_a_threshold_no_key_is_hot() {
        let keys = HotKeys::new(None);
        for now in 0..1_000 {
            assert_eq!(keys.record_lookup(KEY, at(now)), CacheHint::default());
        }
    }

    #[test]
    fn number_of_counted_keys_is_bounded() {
        let keys = hot_keys(2);
        for key in 0..2 * MAX_KEYS {
            keys.record_lookup(&key.to_be_bytes(), at(0));
        }
        assert_eq!(keys.counts.borrow().len(), MAX_KEYS);
        keys.record_lookup(b"another", at(60_000));
        assert_eq!(keys.counts.borrow().len(), 1, "stale counts are dropped");
    }
}
