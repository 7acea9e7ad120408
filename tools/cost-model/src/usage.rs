//! Usage of a month: how often each activity happens, and the quantities that it adds up to.

use std::collections::BTreeMap;

use crate::operations::{OperationTable, Operations, row};
use crate::prices::{LOG_BYTES, LOG_DAYS, Meter, OBJECT_GB};
use crate::workload::Workload;

/// Days of a month, as in RFD 046.
pub(crate) const DAYS: f64 = 30.0;
/// Seconds of a month.
pub(crate) const SECONDS: f64 = DAYS * 24.0 * 60.0 * 60.0;

/// Age in seconds at which an isolate refreshes its colony count: COLONY_COUNT_MAX_AGE_MS.
const COUNT_MAX_AGE: f64 = 30.0;

/// Seconds for which the census batches reports. Each of its objects passes on at most one
/// in that time.
const BATCH: f64 = 2.0;
/// Objects of the census: sixteen shards and the total.
const CENSUS_OBJECTS: f64 = 17.0;

/// Storage of an object with one lease, in bytes: an empty SQLite database and one page.
const OBJECT_BYTES: f64 = 16_384.0;

/// One kind of call or background work.
#[derive(Clone, Debug)]
pub struct Activity {
    /// Name for people.
    pub name: &'static str,
    /// Number of times in the month.
    pub times: f64,
    /// Requests to the Worker each time: 1 for calls, 0 for background work.
    pub requests: f64,
    /// Operations each time.
    pub operations: Operations,
}

/// Activities of a month and the quantities that they use.
#[derive(Clone, Debug)]
pub struct Usage {
    /// Activities that happen at least once.
    pub activities: Vec<Activity>,
    pub(crate) quantities: BTreeMap<Meter, f64>,
}

impl Usage {
    /// Returns the quantity that the month uses of a meter.
    #[must_use]
    pub fn quantity(&self, meter: Meter) -> f64 {
        self.quantities.get(&meter).copied().unwrap_or_default()
    }

    /// Adds up the activities of a month during which `objects` objects are stored.
    pub(crate) fn new(workload: &Workload, activities: Vec<Activity>, objects: f64) -> Self {
        let activities: Vec<_> = activities
            .into_iter()
            .filter(|activity| activity.times > 0.0)
            .collect();
        let sum = |per_time: fn(&Activity) -> f64| -> f64 {
            activities
                .iter()
                .map(|activity| activity.times * per_time(activity))
                .sum()
        };
        let requests = sum(|activity| activity.requests);
        let object_requests = sum(|activity| activity.operations.object_requests);
        let object_seconds = object_requests * workload.object_ms / 1e3;
        let logged = requests * workload.logged * LOG_BYTES / 1e9;
        let quantities = BTreeMap::from([
            (Meter::Requests, requests),
            (Meter::CpuMs, requests * workload.cpu_ms),
            (Meter::ObjectRequests, object_requests),
            (Meter::ObjectGbS, object_seconds * OBJECT_GB),
            (
                Meter::RowsRead,
                sum(|activity| activity.operations.rows_read),
            ),
            (
                Meter::RowsWritten,
                sum(|activity| activity.operations.rows_written),
            ),
            (Meter::Stored, objects * OBJECT_BYTES / 1e9),
            (Meter::KvReads, sum(|activity| activity.operations.kv_reads)),
            (
                Meter::KvWrites,
                sum(|activity| activity.operations.kv_writes),
            ),
            (Meter::LogsIngested, logged),
            (Meter::LogsStored, logged * LOG_DAYS / DAYS),
        ]);
        Self {
            activities,
            quantities,
        }
    }
}

impl Activity {
    /// Calls: each is a request to the Worker.
    pub(crate) const fn call(name: &'static str, times: f64, operations: Operations) -> Self {
        Self {
            name,
            times,
            requests: 1.0,
            operations,
        }
    }

    /// Work that is no request to the Worker, such as alarms.
    pub(crate) const fn background(name: &'static str, times: f64, operations: Operations) -> Self {
        Self {
            name,
            times,
            requests: 0.0,
            operations,
        }
    }
}

/// Adds the read with which an evicted object loads its state, to each of its requests.
fn cold_start(mut operations: Operations) -> Operations {
    operations.rows_read += operations.object_requests;
    operations
}

/// Returns the usage of this service, with one object for each lease. Objects are evicted between
/// two calls.
#[must_use]
pub fn usage(workload: &Workload, table: &OperationTable) -> Usage {
    let heartbeats = workload.colonies * SECONDS / workload.heartbeat;
    let polls = match workload.poll {
        0.0 => 0.0,
        wait => workload.colonies * SECONDS / wait,
    };
    let starts = workload.agents * workload.starts;
    let bootstraps = workload.agents * workload.bootstraps;
    let lookups = starts + workload.lookups;
    let from_kv = lookups * workload.kv;
    let from_memory = lookups * workload.memory;
    let from_objects = lookups - from_kv - from_memory;
    // Each colony registers anew once a month.
    let registrations = workload.colonies;

    let call = |name, times, row| Activity::call(name, times, cold_start(table.get(row)));
    let alarm = |name, times, row| Activity::background(name, times, cold_start(table.get(row)));
    let no_operations = Operations::default();
    // An agent's expiry is a colony's without the report to the census.
    let mut agent_expiry = table.get(row::EXPIRY);
    agent_expiry.object_requests -= 1.0;
    // Only isolates that find no count in KV call the census. Here the census has published one.
    let mut count_refresh = table.get(row::COUNT_REFRESH);
    count_refresh.object_requests = 0.0;
    let count_refreshes = workload.isolates * SECONDS / COUNT_MAX_AGE;
    // A change of the colony count: the report to the census, and its publication in KV.
    let census_report = Operations {
        object_requests: 2.0,
        rows_read: 2.0,
        rows_written: 2.0,
        kv_reads: 0.0,
        kv_writes: 1.0,
    };
    let census_reports = (2.0 * registrations).min(CENSUS_OBJECTS * SECONDS / BATCH);

    let activities = vec![
        Activity::call("heartbeats: Health", heartbeats, no_operations),
        call("heartbeats: RegisterColony", heartbeats, row::HEARTBEAT),
        alarm(
            "alarms of renewed leases",
            workload.colonies * SECONDS / workload.ttl,
            row::ALARM,
        ),
        call("polls of empty mailboxes", polls, row::EMPTY_POLL),
        call(
            "LookupColony, from objects",
            from_objects,
            row::LOOKUP_COLONY,
        ),
        call(
            "LookupColony, from the KV cache",
            from_kv,
            row::LOOKUP_FROM_KV,
        ),
        Activity::call(
            "LookupColony, from the memory cache",
            from_memory,
            no_operations,
        ),
        call("agent starts: RegisterAgent", starts, row::REGISTER_AGENT),
        Activity::background("expirations of agents", starts, cold_start(agent_expiry)),
        call("agent starts: LookupAgent", starts, row::LOOKUP_AGENT),
        call(
            "bootstrap: tokens created",
            bootstraps,
            row::BOOTSTRAP_TOKEN,
        ),
        call("bootstrap: records published", bootstraps, row::PUBLISH),
        call("bootstrap: records polled", bootstraps, row::POLL),
        call(
            "bootstrap: records acknowledged",
            bootstraps,
            row::ACKNOWLEDGE,
        ),
        call(
            "new colonies: RegisterColony",
            registrations,
            row::FIRST_REGISTRATION,
        ),
        alarm(
            "new colonies: first alarms",
            registrations,
            row::FIRST_ALARM,
        ),
        alarm("expirations of colonies", registrations, row::EXPIRY),
        Activity::background("census reports", census_reports, census_report),
        Activity::background(
            "refreshes of the colony count",
            count_refreshes,
            count_refresh,
        ),
    ];
    // An agent's object exists for one TTL after each start.
    let agents = starts * workload.ttl / SECONDS;
    Usage::new(workload, activities, workload.colonies + agents)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn usage_of(workload: &Workload) -> Usage {
        let root = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."));
        usage(workload, &OperationTable::read(root).unwrap())
    }

    #[test]
    fn thousand_colonies_at_a_heartbeat_a_minute_make_43_million_registrations() {
        let workload = Workload {
            poll: 0.0,
            ..Workload::RFD_046
        };
        let usage = usage_of(&workload);
        let heartbeats = usage
            .activities
            .iter()
            .find(|activity| activity.name == "heartbeats: RegisterColony");
        assert_eq!(
            heartbeats.map(|activity| activity.times),
            Some(43_200_000.0)
        );
        // Each comes with a Health, and each of an agent's 30 starts with three calls.
        let first_registrations = 1_000.0;
        let expected = 2.0 * 43_200_000.0 + 3.0 * 300_000.0 + first_registrations;
        assert!((usage.quantity(Meter::Requests) - expected).abs() < 1.0);
    }

    #[test]
    fn heartbeat_writes_one_row_and_the_alarm_one_per_ttl() {
        let workload = Workload {
            agents: 0.0,
            poll: 0.0,
            ..Workload::RFD_046
        };
        let rows = usage_of(&workload).quantity(Meter::RowsWritten);
        let expected = 43_200_000.0 * (1.0 + 60.0 / 300.0);
        assert!(
            (rows / expected - 1.0).abs() < 0.001,
            "{rows} of {expected}"
        );
    }

    #[test]
    fn slower_heartbeat_writes_fewer_rows() {
        let slower = Workload {
            heartbeat: 120.0,
            ..Workload::RFD_046
        };
        let [slower, now] =
            [slower, Workload::RFD_046].map(|it| usage_of(&it).quantity(Meter::RowsWritten));
        assert!(slower < now * 0.6, "{slower} of {now}");
    }

    #[test]
    fn cached_lookups_request_no_object() {
        let cached = Workload {
            memory: 0.5,
            kv: 0.5,
            ..Workload::RFD_046
        };
        let [cached, now] =
            [cached, Workload::RFD_046].map(|it| usage_of(&it).quantity(Meter::ObjectRequests));
        let saved = now - cached;
        assert!((saved - 300_000.0).abs() < 1.0, "{saved}");
    }
}
