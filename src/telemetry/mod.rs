//! Structured logs and metrics: one entry per request and per sweep, plus warnings for failures
//! that do not change a response.
//!
//! Entries hold no key, no metadata and no address, and of ids only a hash. Only calls of the admin
//! service are logged with the caller's address.

mod admin_entry;
mod legacy_write_entry;
mod log;
mod metrics;
mod request_entry;
mod sweep_entry;
mod usage;

pub use admin_entry::AdminEntry;
pub use legacy_write_entry::LegacyWriteEntry;
pub use log::{Log, LogFormat, LogLevel, Sink};
pub use metrics::DataPoint;
pub use request_entry::RequestEntry;
pub use sweep_entry::log_sweep;
pub use usage::{LookupSource, RequestUsage, UsageCounts};

use sha2::{Digest as _, Sha256};

/// Returns the first 64 bits of an id's hash: enough to distinguish meshes. A reader of the log can
/// recognise an id that they know, but cannot learn an unknown one.
fn id_hash(id: &str) -> String {
    if id.is_empty() {
        return String::new();
    }
    let digest = format!("{:x}", Sha256::digest(id));
    digest.chars().take(16).collect()
}
