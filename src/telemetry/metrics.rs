//! Data points for Analytics Engine: one for each request, where the host collects them.
//!
//! `docs/queries.md` has the queries for operators; they name the columns by their order here.

use super::{LegacyWriteEntry, RequestEntry};

/// A data point: its index, by which the platform samples, its texts and its numbers.
#[derive(Clone, Debug, PartialEq)]
pub struct DataPoint<'a> {
    /// The index. A busy method does not crowd out the others.
    pub index: &'a str,
    /// The texts, `blob1` and on.
    pub blobs: [&'a str; 9],
    /// The numbers, `double1` and on.
    pub doubles: Vec<f64>,
}

impl<'a> DataPoint<'a> {
    /// Returns the data point of a request.
    #[must_use]
    pub fn of_request(entry: &'a RequestEntry) -> Self {
        Self {
            index: entry.method,
            blobs: [
                entry.method,
                entry.code,
                entry.codec,
                entry.lookup_source,
                &entry.country,
                &entry.colo,
                &entry.version,
                &entry.mesh_hash,
                entry.legacy_outcome,
            ],
            doubles: vec![
                number(entry.duration_ms),
                number(entry.object_ms),
                number(entry.bytes_in),
                number(entry.bytes_out),
                f64::from(entry.status),
            ],
        }
    }

    /// Returns the data point of a write to the legacy server after the response: under the index
    /// `LegacyWrite`, with the columns of requests as far as it has them.
    #[must_use]
    pub fn of_legacy_write(entry: &'a LegacyWriteEntry, version: &'a str) -> Self {
        Self {
            index: "LegacyWrite",
            blobs: [
                entry.metric,
                "",
                "",
                "",
                "",
                "",
                version,
                &entry.mesh_hash,
                entry.legacy_outcome,
            ],
            doubles: vec![number(entry.duration_ms)],
        }
    }
}

/// Returns a count as Analytics Engine stores it.
fn number<N: TryInto<u32>>(number: N) -> f64 {
    number.try_into().map_or(f64::from(u32::MAX), f64::from)
}
