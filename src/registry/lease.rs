//! The rules of a lease. Times are milliseconds since the Unix epoch.

/// Who holds a lease, and until when: all that the rules look at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holder {
    /// The owner's public key.
    pub owner: String,
    /// The last moment at which the lease is alive.
    pub expires_at_ms: i64,
    /// Whether the census knows of it.
    pub counted: bool,
    /// Until when a cache may have a copy of it.
    pub cached_until_ms: i64,
    /// Until when an agent's mesh believes that it has it.
    pub told_until_ms: i64,
}

/// What becomes of a request for a lease.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// It is granted.
    Grant {
        /// Whether the census already counts whom the lease names.
        counted: bool,
    },
    /// Another owner's lease is alive.
    Refuse {
        /// When that lease lapses.
        expires_at_ms: i64,
    },
}

/// Whether a lease is alive. It lapses once `now` is after its last moment (as the Go server);
/// the sweep only cleans up and decides nothing.
#[must_use]
pub fn is_live(expires_at_ms: i64, now_ms: i64) -> bool {
    now_ms <= expires_at_ms
}

/// When a lease is swept away, which must be within an interval after its last moment. In the midst of that, those
/// that lapse together go together, and until then a lookup can tell that there was one.
#[must_use]
pub fn swept_at(expires_at_ms: i64, interval_ms: i64) -> i64 {
    expires_at_ms
        .saturating_add(1)
        .saturating_add(interval_ms / 2)
}

/// Decides over a request of `owner`, given who holds the lease now.
///
/// A live lease yields to nobody but its owner, unless `takeover`; a lapsed one yields at once,
/// swept or not.
#[must_use]
pub fn decide(holder: Option<&Holder>, owner: &str, takeover: bool, now_ms: i64) -> Decision {
    match holder {
        Some(holder) if is_live(holder.expires_at_ms, now_ms) => {
            if holder.owner == owner || takeover {
                Decision::Grant {
                    counted: holder.counted,
                }
            } else {
                Decision::Refuse {
                    expires_at_ms: holder.expires_at_ms,
                }
            }
        }
        // The death of a lapsed lease may be on its way to the census: it is born again.
        _ => Decision::Grant { counted: false },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn holder(owner: &str, expires_at_ms: i64) -> Holder {
        Holder {
            owner: owner.to_owned(),
            expires_at_ms,
            counted: true,
            cached_until_ms: 0,
            told_until_ms: 0,
        }
    }

    #[test]
    fn a_lease_is_alive_up_to_its_last_moment() {
        assert!(is_live(1_000, 999));
        assert!(is_live(1_000, 1_000));
        assert!(!is_live(1_000, 1_001));
    }

    #[test]
    fn a_free_lease_is_granted() {
        assert_eq!(
            decide(None, "k", false, 0),
            Decision::Grant { counted: false }
        );
    }

    #[test]
    fn a_live_lease_is_renewed_by_its_owner_and_refused_to_others() {
        let held = holder("k", 1_000);
        assert_eq!(
            decide(Some(&held), "k", false, 1_000),
            Decision::Grant { counted: true }
        );
        assert_eq!(
            decide(Some(&held), "other", false, 1_000),
            Decision::Refuse {
                expires_at_ms: 1_000
            }
        );
    }

    #[test]
    fn expired_lease_yields_to_a_new_key() {
        assert_eq!(
            decide(Some(&holder("k", 1_000)), "other", false, 1_001),
            Decision::Grant { counted: false }
        );
    }

    #[test]
    fn takeover_ignores_the_owner() {
        assert_eq!(
            decide(Some(&holder("k", 1_000)), "other", true, 500),
            Decision::Grant { counted: true }
        );
    }

    proptest! {
        #[test]
        fn only_a_live_lease_of_another_owner_is_refused(
            owner in "[ab]", caller in "[ab]", expires in 0..100_i64, now in 0..100_i64,
            takeover: bool,
        ) {
            let refused = matches!(
                decide(Some(&holder(&owner, expires)), &caller, takeover, now),
                Decision::Refuse { expires_at_ms } if expires_at_ms == expires
            );
            prop_assert_eq!(refused, now <= expires && owner != caller && !takeover);
        }
    }
}
