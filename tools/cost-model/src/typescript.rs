//! Usage of the TypeScript worker that this service replaces.

use crate::operations::Operations;
use crate::usage::{Activity, SECONDS, Usage};
use crate::workload::Workload;

/// Seconds after which colonies poll again, as the TypeScript worker has no mailboxes to wait at.
const POLL_AGAIN: f64 = 2.0;
/// Seconds between two alarms of an object.
const ALARM: f64 = 300.0;

/// Returns the usage of the TypeScript worker, counted by reading its code.
///
/// It has an object for each mesh, and one more that counts every call. A heartbeat's row has
/// an index on its expiry, so that it writes two rows.
#[must_use]
pub fn typescript_usage(workload: &Workload) -> Usage {
    let heartbeats = workload.colonies * SECONDS / workload.heartbeat;
    let polls = match workload.poll {
        0.0 => 0.0,
        _ => workload.colonies * SECONDS / POLL_AGAIN,
    };
    let starts = workload.agents * workload.starts;
    let activities = vec![
        Activity::call("heartbeats: Health", heartbeats, operations(2.0, 0.0)),
        Activity::call(
            "heartbeats: RegisterColony",
            heartbeats,
            operations(2.0, 2.0),
        ),
        // An alarm always sets the next one, and reports to the object that counts.
        Activity::background(
            "alarms",
            workload.colonies * SECONDS / ALARM,
            operations(2.0, 1.0),
        ),
        Activity::call("polls that fail", polls, operations(1.0, 0.0)),
        Activity::call(
            "LookupColony",
            starts + workload.lookups,
            operations(2.0, 0.0),
        ),
        Activity::call("agent starts: RegisterAgent", starts, operations(2.0, 3.0)),
        Activity::call("agent starts: LookupAgent", starts, operations(2.0, 0.0)),
    ];
    Usage::new(workload, activities, workload.colonies)
}

/// Operations of a call: each object request reads one row.
fn operations(object_requests: f64, rows_written: f64) -> Operations {
    Operations {
        object_requests,
        rows_read: object_requests,
        rows_written,
        ..Operations::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::prices::Meter;

    #[test]
    fn every_call_requests_two_objects_except_polls() {
        let workload = Workload {
            agents: 0.0,
            poll: 0.0,
            ..Workload::RFD_046
        };
        let usage = typescript_usage(&workload);
        let alarms = 1_000.0 * SECONDS / ALARM;
        let expected = 2.0 * (usage.quantity(Meter::Requests) + alarms);
        assert_eq!(usage.quantity(Meter::ObjectRequests), expected);
    }
}
