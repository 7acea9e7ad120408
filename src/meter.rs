//! What a request uses and where its answer comes from, noted on the way for the log.

use std::cell::{Cell, RefCell};

use crate::migration::Outcome;

/// What a request has used so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// Calls into objects.
    pub object_requests: u32,
    /// Milliseconds spent waiting for them.
    pub object_ms: i64,
    /// Rows that those read.
    pub rows_read: u64,
    /// Rows that those wrote, alarms included.
    pub rows_written: u64,
    /// Values asked of KV.
    pub kv_reads: u32,
    /// Values written to KV.
    pub kv_writes: u32,
    /// Where a lookup's answer came from.
    pub answered_by: Option<AnsweredBy>,
    /// What became of a call to the old server.
    pub legacy: Option<Outcome>,
    /// Milliseconds spent waiting for it.
    pub legacy_ms: i64,
}

/// Where a lookup's answer came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AnsweredBy {
    /// The isolate's own memory.
    Memo,
    /// KV.
    Kv,
    /// The object that holds the lease.
    Object,
    /// The old server.
    Legacy,
}

impl AnsweredBy {
    /// Its name in the log.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Memo => "memo",
            Self::Kv => "kv",
            Self::Object => "object",
            Self::Legacy => "legacy",
        }
    }
}

/// The notes on one request.
#[derive(Debug, Default)]
pub struct Meter {
    usage: Cell<Usage>,
    mesh_id: RefCell<String>,
    target: RefCell<String>,
}

impl Meter {
    /// What was used so far.
    #[must_use]
    pub fn usage(&self) -> Usage {
        self.usage.get()
    }

    /// Notes that something was used.
    pub fn note(&self, add: impl FnOnce(&mut Usage)) {
        let mut usage = self.usage.get();
        add(&mut usage);
        self.usage.set(usage);
    }

    /// Notes which mesh the request is about.
    pub fn note_mesh(&self, mesh_id: &str) {
        mesh_id.clone_into(&mut self.mesh_id.borrow_mut());
    }

    /// Notes what an operator changes of the mesh: the kind of lease, and its id.
    pub fn note_target(&self, target: &str) {
        target.clone_into(&mut self.target.borrow_mut());
    }

    /// What an operator changes, beside the mesh; empty if nothing.
    #[must_use]
    pub fn target(&self) -> String {
        self.target.borrow().clone()
    }

    /// Which mesh the request is about; empty if it did not say.
    #[must_use]
    pub fn mesh_id(&self) -> String {
        self.mesh_id.borrow().clone()
    }
}
