//! Changes of a workload, whose effect on the bill is reported.

use crate::workload::Workload;

/// A change of a workload, with a name for people.
#[derive(Clone, Copy, Debug)]
pub struct Scenario {
    /// Name for people.
    pub name: &'static str,
    change: fn(&mut Workload),
}

impl Scenario {
    const fn new(name: &'static str, change: fn(&mut Workload)) -> Self {
        Self { name, change }
    }

    /// Returns the workload with the change.
    #[must_use]
    pub fn apply(&self, workload: &Workload) -> Workload {
        let mut changed = *workload;
        (self.change)(&mut changed);
        changed
    }
}

/// Scenarios that the documentation compares.
pub const SCENARIOS: [Scenario; 12] = [
    Scenario::new("no change", |_| {}),
    Scenario::new("heartbeat every 30 s", |it| it.heartbeat = 30.0),
    Scenario::new("heartbeat every 120 s", |it| it.heartbeat = 120.0),
    Scenario::new("heartbeat every 240 s, TTL 1,200 s", |it| {
        it.heartbeat = 240.0;
        it.ttl = 1_200.0;
    }),
    Scenario::new("TTL 900 s", |it| it.ttl = 900.0),
    Scenario::new("colonies do not poll", |it| it.poll = 0.0),
    Scenario::new("1 billion more lookups", |it| it.lookups = 1e9),
    Scenario::new("1 billion more lookups, all from the KV cache", |it| {
        it.lookups = 1e9;
        it.kv = 1.0;
    }),
    Scenario::new("1 billion more lookups, all from the memory cache", |it| {
        it.lookups = 1e9;
        it.memory = 1.0;
    }),
    Scenario::new("twice the CPU time", |it| it.cpu_ms *= 2.0),
    Scenario::new("a tenth of calls logged", |it| it.logged = 0.1),
    Scenario::new("every call logged", |it| it.logged = 1.0),
];
