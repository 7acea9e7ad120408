//! Whether the old server is worth asking.

use std::cell::Cell;
use std::rc::Rc;

use super::Outcome;

/// After how many failures in a row the old server is left in peace for a while.
const FAILURES: u32 = 3;

/// For how long, in milliseconds: a lookup that waits for a server that is down helps nobody.
const PEACE_MS: i64 = 5_000;

/// How many registrations of an isolate are under way to it at a time. Each is held until it is answered, which a server that
/// is down lets last.
const UNDER_WAY: u32 = 500;

/// What an isolate knows of the old server by its last answers.
#[derive(Debug, Default)]
pub struct Reachability {
    failures: Cell<u32>,
    peace_until_ms: Cell<i64>,
    under_way: Rc<Cell<u32>>,
}

/// A registration that is under way.
#[derive(Debug)]
pub struct UnderWay(Rc<Cell<u32>>);

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.set(self.0.get().saturating_sub(1));
    }
}

impl Reachability {
    /// Whether it is left in peace now.
    #[must_use]
    pub fn is_at_peace(&self, now_ms: i64) -> bool {
        now_ms < self.peace_until_ms.get()
    }

    /// Whether it is asked now. After some failures in a row one call in a while is, to find out whether it is back.
    #[must_use]
    pub fn is_asked(&self, now_ms: i64) -> bool {
        if self.is_at_peace(now_ms) {
            return false;
        }
        if self.failures.get() >= FAILURES {
            // The others wait for what becomes of this one.
            self.peace_until_ms.set(now_ms.saturating_add(PEACE_MS));
        }
        true
    }

    /// Whether it is asked on behalf of somebody in a hurry, who would not find out whether it is back.
    #[must_use]
    pub fn is_asked_in_a_hurry(&self) -> bool {
        self.failures.get() < FAILURES
    }

    /// Notes what became of a call. One in a hurry counts for nothing, else whoever is so on purpose could keep others from
    /// the server.
    pub fn note(&self, outcome: Outcome, now_ms: i64) {
        match outcome {
            Outcome::Skipped | Outcome::Hurried => {}
            Outcome::Failed => {
                let failures = self.failures.get().saturating_add(1);
                self.failures.set(failures);
                if failures >= FAILURES {
                    self.peace_until_ms.set(now_ms.saturating_add(PEACE_MS));
                }
            }
            _ => {
                self.failures.set(0);
                self.peace_until_ms.set(0);
            }
        }
    }

    /// Lets one more registration be under way, unless there are too many.
    #[must_use]
    pub fn set_out(&self) -> Option<UnderWay> {
        let under_way = self.under_way.get();
        if under_way >= UNDER_WAY {
            return None;
        }
        self.under_way.set(under_way + 1);
        Some(UnderWay(Rc::clone(&self.under_way)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_that_is_down_is_left_in_peace_and_one_call_finds_out_whether_it_is_back() {
        let legacy = Reachability::default();
        legacy.note(Outcome::Failed, 0);
        legacy.note(Outcome::Failed, 1);
        assert!(legacy.is_asked(1), "two failures may be chance");
        legacy.note(Outcome::Failed, 2);
        assert!(!legacy.is_asked(2));
        legacy.note(Outcome::Skipped, 3);
        legacy.note(Outcome::Hurried, 3);
        let later_ms = 2 + PEACE_MS;
        assert!(legacy.is_asked(later_ms));
        assert!(!legacy.is_asked(later_ms), "one is enough");
        assert!(!legacy.is_asked_in_a_hurry());
        legacy.note(Outcome::NotFound, later_ms + 1);
        assert!(legacy.is_asked(later_ms + 1), "it is back");
    }

    #[test]
    fn no_more_than_so_many_registrations_are_under_way() {
        let legacy = Reachability::default();
        let mut under_way: Vec<_> = (0..UNDER_WAY).filter_map(|_| legacy.set_out()).collect();
        assert_eq!(under_way.len(), UNDER_WAY as usize);
        assert!(legacy.set_out().is_none());
        under_way.pop();
        assert!(legacy.set_out().is_some());
    }
}
