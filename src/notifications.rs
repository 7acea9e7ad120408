//! Batched notifications: reports that the service sends to objects after its responses, registered
//! colonies to the census and agents to their meshes.
//!
//! Notifications are batched, so that a burst makes few reports. A report may be lost: the alarm
//! of a colony's own object then reports the colony, and an agent is reported again with a later
//! renewal.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use connect::{Error, UnixMillis};
use coral_registry::proto::{CensusEntry, Member};

use crate::ports::{Registry, Runtime};
use crate::telemetry::Log;

/// Maximum number of entries in a batch. Further entries are dropped until the batch is sent.
const MAX_ENTRIES: usize = 20_000;

/// The time after which the task that should send a batch counts as lost: Workers ends background
/// tasks that run that long after a response.
const LOST_AFTER: Duration = Duration::from_secs(30);

/// Entries that were not sent yet.
#[derive(Debug)]
struct Batch<T> {
    entries: Vec<T>,
    since: UnixMillis,
}

impl<T> Default for Batch<T> {
    fn default() -> Self {
        Self {
            entries: Vec::new(),
            since: UnixMillis::EPOCH,
        }
    }
}

impl<T> Batch<T> {
    /// Adds an entry. Returns whether the caller must send the batch, as no other task will.
    fn add(&mut self, entry: T, now: UnixMillis) -> bool {
        let is_first = self.entries.is_empty();
        if self.entries.len() < MAX_ENTRIES {
            self.entries.push(entry);
        }
        let must_send = is_first || now.duration_since(self.since) > LOST_AFTER;
        if must_send {
            self.since = now;
        }
        must_send
    }

    /// Takes all entries, to be sent.
    fn take(&mut self) -> Vec<T> {
        std::mem::take(&mut self.entries)
    }
}

/// The batches of a host. They outlive the requests that add to them.
#[derive(Debug, Default)]
pub struct Batches {
    /// Registered colonies that the census does not know of yet.
    colonies: RefCell<Batch<CensusEntry>>,
    /// Agents that their meshes do not know of yet, each with its mesh id.
    members: RefCell<Batch<(String, Member)>>,
}

/// Sends notifications in background tasks.
#[derive(Debug)]
pub struct Notifier<'a, R, G> {
    /// The executor of the background tasks.
    pub runtime: &'a R,
    /// The receiver of the reports.
    pub registry: &'a G,
    /// The batches.
    pub batches: &'a Rc<Batches>,
    /// The log of failures.
    pub log: &'a Rc<Log>,
    /// The time from the first entry of a batch until it is sent.
    pub delay: Duration,
}

impl<R: Runtime, G: Registry> Notifier<'_, R, G> {
    /// Reports a registered colony to the census, together with others.
    pub fn colony_registered(&self, entry: CensusEntry) {
        let must_send = self
            .batches
            .colonies
            .borrow_mut()
            .add(entry, self.runtime.now());
        if must_send {
            let (registry, batches) = (self.registry.unmetered(), Rc::clone(self.batches));
            self.send(
                "registrations were not reported to the census; alarms will report them",
                async move {
                    let registered = batches.colonies.borrow_mut().take();
                    registry.report_colonies(&registered, &[]).await
                },
            );
        }
    }

    /// Reports an agent to its mesh, together with others.
    pub fn agent_registered(&self, mesh_id: String, member: Member) {
        let must_send = self
            .batches
            .members
            .borrow_mut()
            .add((mesh_id, member), self.runtime.now());
        if must_send {
            let (registry, batches) = (self.registry.unmetered(), Rc::clone(self.batches));
            self.send("agents were not reported to their meshes", async move {
                let members = batches.members.borrow_mut().take();
                registry.report_members(members).await
            });
        }
    }

    /// Sends a batch once its time is over.
    fn send(
        &self,
        failure: &'static str,
        report: impl Future<Output = Result<(), Error>> + 'static,
    ) {
        let (runtime, log, delay) = (self.runtime.clone(), Rc::clone(self.log), self.delay);
        self.runtime.spawn(async move {
            runtime.sleep(delay).await;
            if let Err(error) = report.await {
                log.warn_error(failure, &error, runtime.now());
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn at(millis: i64) -> UnixMillis {
        UnixMillis::from_millis(millis)
    }

    #[test]
    fn one_task_sends_the_batch_of_all() {
        let mut batch = Batch::default();
        assert_eq!(
            ["a", "b", "c"].map(|entry| batch.add(entry, at(5))),
            [true, false, false]
        );
        assert_eq!(batch.take(), ["a", "b", "c"]);
        assert!(batch.add("d", at(6)));
    }

    #[test]
    fn another_task_sends_when_the_first_is_lost_and_a_batch_is_bounded() {
        let mut batch = Batch::default();
        let must_send = (0..=MAX_ENTRIES).filter(|_| batch.add((), at(0)));
        assert_eq!(must_send.count(), 1);
        assert!(!batch.add((), at(30_000)));
        assert!(batch.add((), at(30_001)));
        assert!(!batch.add((), at(30_002)));
        assert_eq!(batch.take().len(), MAX_ENTRIES);
    }
}
