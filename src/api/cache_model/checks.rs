//! The checks of a lookup against all that the objects wrote.

use std::time::Duration;

use connect::{Code, UnixMillis};
use coral_registry::hot_keys::CACHE_MAX_AGE;
use coral_registry::storage::StoredLease;

use super::Lookup;
use crate::cache::CLOCK_SKEW;
use crate::proto::discovery::LookupColonyResponse;

/// The age that a response may have: what the cache promises, and the difference between the clocks
/// of the Worker that took a copy and of the one that serves it.
fn staleness() -> Duration {
    CACHE_MAX_AGE + 2 * CLOCK_SKEW
}

/// Checks a lookup. The error describes the fault of its response.
pub(super) fn check_lookup(lookup: &Lookup, history: &[StoredLease]) -> Result<(), String> {
    let found = match &lookup.found {
        Ok(found) => found,
        Err(error) if error.code() == Code::NotFound => return check_not_found(lookup, history),
        Err(error) => return Err(format!("{error}")),
    };
    // The record as it was stored: without what a lookup adds.
    let matches = |lease: &StoredLease| {
        let stored: LookupColonyResponse = prost::Message::decode(lease.record.as_slice()).unwrap();
        lease.state.owner == found.pubkey && stored.endpoints == found.endpoints
    };
    let replaced_at = |index: usize| {
        let next = history.get(index + 1);
        next.map_or(UnixMillis::MAX, |next| next.registered_at)
    };
    let written = history.iter().enumerate();
    let written: Vec<_> = written.filter(|(_, lease)| matches(lease)).collect();
    if !written.iter().any(|(index, lease)| {
        lease.registered_at <= lookup.returned_at
            && replaced_at(*index) >= lookup.requested_at - staleness()
    }) {
        return Err("it was replaced too long ago, or never written".to_owned());
    }
    if !written.iter().any(|(_, lease)| {
        lease.registered_at <= lookup.returned_at
            && lease.is_live(lookup.returned_at - lookup.way_back)
    }) {
        return Err("its lease had expired".to_owned());
    }
    let successor = last_before(lookup.requested_at, history);
    if successor.is_some_and(|lease| {
        lease.state.owner != found.pubkey
            && lease.is_live(lookup.returned_at)
            && !written
                .iter()
                .any(|(_, own)| own.registered_at >= lease.registered_at)
    }) {
        return Err("another owner's lease was live all the while".to_owned());
    }
    Ok(())
}

fn check_not_found(lookup: &Lookup, history: &[StoredLease]) -> Result<(), String> {
    match last_before(lookup.requested_at, history) {
        Some(lease) if lease.is_live(lookup.returned_at) => {
            Err("a lease was live all the while".to_owned())
        }
        _ => Ok(()),
    }
}

/// Returns the last lease that was written before a time.
fn last_before(time: UnixMillis, history: &[StoredLease]) -> Option<&StoredLease> {
    let mut latest_first = history.iter().rev();
    latest_first.find(|lease| lease.registered_at < time)
}
