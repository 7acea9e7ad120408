//! The usage of one request, and the source of its response, recorded on the way for the log.

use std::cell::{Cell, RefCell};

use crate::migration::LegacyOutcome;

/// The counts of a request's usage.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct UsageCounts {
    /// Calls to objects.
    pub object_requests: u32,
    /// Milliseconds spent waiting for them.
    pub object_ms: i64,
    /// Rows that the objects read.
    pub rows_read: i64,
    /// Rows that the objects wrote, alarms included.
    pub rows_written: i64,
    /// Values read from KV.
    pub kv_reads: u32,
    /// Values written to KV.
    pub kv_writes: u32,
    /// The source of a lookup's response.
    pub lookup_source: Option<LookupSource>,
    /// The outcome of a call to the legacy server.
    pub legacy: Option<LegacyOutcome>,
    /// Milliseconds spent waiting for it.
    pub legacy_ms: i64,
}

/// The source of a lookup's response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LookupSource {
    /// The memory cache.
    Memory,
    /// The KV cache.
    Kv,
    /// The object that holds the lease.
    Object,
    /// The legacy server.
    Legacy,
}

impl LookupSource {
    /// Returns the name in the log.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Memory => "memory",
            Self::Kv => "kv",
            Self::Object => "object",
            Self::Legacy => "legacy",
        }
    }
}

/// The usage of one request.
#[derive(Debug, Default)]
pub struct RequestUsage {
    counts: Cell<UsageCounts>,
    mesh_id: RefCell<String>,
    target: RefCell<String>,
}

impl RequestUsage {
    /// Returns the counts so far.
    #[must_use]
    pub fn counts(&self) -> UsageCounts {
        self.counts.get()
    }

    /// Changes the counts.
    pub fn update(&self, change: impl FnOnce(&mut UsageCounts)) {
        let mut counts = self.counts.get();
        change(&mut counts);
        self.counts.set(counts);
    }

    /// Records the source of a lookup's response.
    pub fn set_lookup_source(&self, source: LookupSource) {
        self.update(|counts| counts.lookup_source = Some(source));
    }

    /// Records the mesh of the request.
    pub fn set_mesh(&self, mesh_id: &str) {
        mesh_id.clone_into(&mut self.mesh_id.borrow_mut());
    }

    /// Records the lease that an admin changes: its kind and its id, separated by a space.
    pub fn set_target(&self, target: &str) {
        target.clone_into(&mut self.target.borrow_mut());
    }

    /// Returns the lease that an admin changes; empty for none.
    #[must_use]
    pub fn target(&self) -> String {
        self.target.borrow().clone()
    }

    /// Returns the mesh of the request; empty if it named none.
    #[must_use]
    pub fn mesh_id(&self) -> String {
        self.mesh_id.borrow().clone()
    }
}
