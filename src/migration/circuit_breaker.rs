//! The circuit breaker and the concurrency limit of the legacy server.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use connect::UnixMillis;

use super::LegacyOutcome;

/// The failures in a row that open the circuit.
const MAX_FAILURES: u32 = 3;

/// The time for which the circuit stays open: lookups that wait for a server that is down only get
/// slower.
const OPEN_FOR: Duration = Duration::from_secs(5);

/// The registrations of an isolate that are in flight to the legacy server at a time. Each is held
/// until its response, which takes long where that server is down.
const MAX_IN_FLIGHT: u32 = 500;

/// The circuit breaker of the legacy server, as an isolate knows that server by its last responses.
#[derive(Debug, Default)]
pub struct CircuitBreaker {
    failures: Cell<u32>,
    open_until: Cell<UnixMillis>,
    in_flight: Rc<Cell<u32>>,
}

/// A permit for one registration in flight.
#[derive(Debug)]
pub struct InFlightPermit(Rc<Cell<u32>>);

impl Drop for InFlightPermit {
    fn drop(&mut self) {
        self.0.set(self.0.get().saturating_sub(1));
    }
}

impl CircuitBreaker {
    /// Returns whether the circuit is open: no call is made.
    #[must_use]
    pub fn is_open(&self, now: UnixMillis) -> bool {
        now < self.open_until.get()
    }

    /// Returns whether a call is made now. After some failures in a row, one call in a while is
    /// made as a probe.
    #[must_use]
    pub fn allow_request(&self, now: UnixMillis) -> bool {
        if self.is_open(now) {
            return false;
        }
        if self.failures.get() >= MAX_FAILURES {
            // Other calls wait for the outcome of this probe.
            self.open_until.set(now + OPEN_FOR);
        }
        true
    }

    /// Returns whether to call the legacy server when the caller's deadline is shorter than our
    /// timeout. Such calls are not used as recovery probes.
    #[must_use]
    pub fn allow_short_request(&self) -> bool {
        self.failures.get() < MAX_FAILURES
    }

    /// Records the outcome of a call. One with a short deadline does not count: callers with short
    /// deadlines could otherwise keep all others from the server.
    pub fn record(&self, outcome: LegacyOutcome, now: UnixMillis) {
        match outcome {
            LegacyOutcome::CircuitOpen | LegacyOutcome::DeadlineTooShort => {}
            LegacyOutcome::Failed => {
                let failures = self.failures.get().saturating_add(1);
                self.failures.set(failures);
                if failures >= MAX_FAILURES {
                    self.open_until.set(now + OPEN_FOR);
                }
            }
            _ => {
                self.failures.set(0);
                self.open_until.set(UnixMillis::EPOCH);
            }
        }
    }

    /// Returns a permit for one more registration in flight, unless there are too many.
    #[must_use]
    pub fn try_acquire(&self) -> Option<InFlightPermit> {
        let in_flight = self.in_flight.get();
        if in_flight >= MAX_IN_FLIGHT {
            return None;
        }
        self.in_flight.set(in_flight + 1);
        Some(InFlightPermit(Rc::clone(&self.in_flight)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn at(millis: i64) -> UnixMillis {
        UnixMillis::from_millis(millis)
    }

    #[test]
    fn circuit_opens_after_three_failures_and_one_probe_closes_it() {
        let legacy = CircuitBreaker::default();
        legacy.record(LegacyOutcome::Failed, at(0));
        legacy.record(LegacyOutcome::Failed, at(1));
        assert!(legacy.allow_request(at(1)), "two failures may be chance");
        legacy.record(LegacyOutcome::Failed, at(2));
        assert!(!legacy.allow_request(at(2)));
        legacy.record(LegacyOutcome::CircuitOpen, at(3));
        legacy.record(LegacyOutcome::DeadlineTooShort, at(3));
        let later = at(2) + OPEN_FOR;
        assert!(legacy.allow_request(later));
        assert!(!legacy.allow_request(later), "one probe is enough");
        assert!(!legacy.allow_short_request());
        legacy.record(LegacyOutcome::NotFound, later);
        assert!(legacy.allow_request(later), "the server is back");
    }

    #[test]
    fn number_of_registrations_in_flight_is_bounded() {
        let legacy = CircuitBreaker::default();
        let mut permits: Vec<_> = (0..MAX_IN_FLIGHT)
            .filter_map(|_| legacy.try_acquire())
            .collect();
        assert_eq!(permits.len(), MAX_IN_FLIGHT as usize);
        assert!(legacy.try_acquire().is_none());
        permits.pop();
        assert!(legacy.try_acquire().is_some());
    }
}
