//! The rules of a lease: who gets it, and until when it is live.

use std::time::Duration;

use connect::UnixMillis;

/// The state of a lease: everything that the rules look at.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LeaseState {
    /// The public key of the owner.
    pub owner: String,
    /// The last millisecond at which the lease is live.
    pub expires_at: UnixMillis,
    /// True if the census counts the lease for certain.
    pub counted: bool,
    /// The time until which the KV cache may hold a copy.
    pub cached_until: UnixMillis,
    /// The end of the agent's membership entry in its mesh.
    pub mesh_notified_until: UnixMillis,
}

impl LeaseState {
    /// Returns whether the lease is live at `now`.
    #[must_use]
    pub fn is_live(&self, now: UnixMillis) -> bool {
        is_live(self.expires_at, now)
    }
}

/// The decision on a request for a lease.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// The lease is granted.
    Grant {
        /// True if the census already counts the colony.
        counted: bool,
    },
    /// The lease is refused: another owner's lease is live.
    Refuse {
        /// The time at which that lease expires.
        expires_at: UnixMillis,
    },
}

/// Returns whether a lease is live. It expires as soon as `now` is past its last millisecond, as
/// at the Go server; the sweep only cleans up and decides nothing.
#[must_use]
pub fn is_live(expires_at: UnixMillis, now: UnixMillis) -> bool {
    now <= expires_at
}

/// Returns the time at which an expired lease is swept: half a cleanup interval after it expired.
///
/// Leases that expire together are then swept together, and until then a lookup can
/// distinguish an expired lease from an unknown one.
#[must_use]
pub fn sweep_time(expires_at: UnixMillis, cleanup_interval: Duration) -> UnixMillis {
    expires_at + Duration::from_millis(1) + cleanup_interval / 2
}

/// Decides on a request of `owner` for a lease whose current state is `current`.
///
/// A live lease yields to its owner alone, unless `takeover`; an expired one yields at once,
/// swept or not.
#[must_use]
pub fn decide(
    current: Option<&LeaseState>,
    owner: &str,
    takeover: bool,
    now: UnixMillis,
) -> Decision {
    match current {
        Some(state) if state.is_live(now) => {
            if state.owner == owner || takeover {
                Decision::Grant {
                    counted: state.counted,
                }
            } else {
                Decision::Refuse {
                    expires_at: state.expires_at,
                }
            }
        }
        // The report that the old lease expired may still reach the census: count it anew.
        _ => Decision::Grant { counted: false },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const fn at(millis: i64) -> UnixMillis {
        UnixMillis::from_millis(millis)
    }

    fn state(owner: &str, expires_at: i64) -> LeaseState {
        LeaseState {
            owner: owner.to_owned(),
            expires_at: at(expires_at),
            counted: true,
            ..LeaseState::default()
        }
    }

    #[test]
    fn lease_is_live_up_to_its_last_millisecond() {
        assert!(is_live(at(1_000), at(999)));
        assert!(is_live(at(1_000), at(1_000)));
        assert!(!is_live(at(1_000), at(1_001)));
    }

    #[test]
    fn free_lease_is_granted() {
        assert_eq!(
            decide(None, "k", false, at(0)),
            Decision::Grant { counted: false }
        );
    }

    #[test]
    fn live_lease_is_renewed_by_its_owner_and_refused_to_others() {
        let held = state("k", 1_000);
        assert_eq!(
            decide(Some(&held), "k", false, at(1_000)),
            Decision::Grant { counted: true }
        );
        assert_eq!(
            decide(Some(&held), "other", false, at(1_000)),
            Decision::Refuse {
                expires_at: at(1_000)
            }
        );
    }

    #[test]
    fn expired_lease_yields_to_a_new_key() {
        assert_eq!(
            decide(Some(&state("k", 1_000)), "other", false, at(1_001)),
            Decision::Grant { counted: false }
        );
    }

    #[test]
    fn takeover_ignores_the_owner() {
        assert_eq!(
            decide(Some(&state("k", 1_000)), "other", true, at(500)),
            Decision::Grant { counted: true }
        );
    }

    #[test]
    fn expired_lease_is_swept_half_an_interval_later() {
        let swept = |interval| sweep_time(at(1_000), Duration::from_millis(interval));
        assert_eq!(swept(100), at(1_051));
        assert_eq!(swept(1), at(1_001));
    }

    proptest! {
        #[test]
        fn only_a_live_lease_of_another_owner_is_refused(
            owner in "[ab]", caller in "[ab]", expires in 0..100_i64, now in 0..100_i64,
            takeover: bool,
        ) {
            let refused = matches!(
                decide(Some(&state(&owner, expires)), &caller, takeover, at(now)),
                Decision::Refuse { expires_at } if expires_at == at(expires)
            );
            prop_assert_eq!(refused, now <= expires && owner != caller && !takeover);
        }
    }
}
