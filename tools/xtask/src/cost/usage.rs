//! What a month uses.

use std::collections::BTreeMap;

use super::Site;
use super::counts::{Count, Counts, rows};
use super::prices::{LOG_BYTES, LOG_DAYS, Meter, OBJECT_GB};

/// Days of a month, as in the plan.
pub(super) const DAYS: f64 = 30.0;
const SECONDS: f64 = DAYS * 24.0 * 60.0 * 60.0;

/// An isolate's memory of the number of colonies, in seconds: COLONY_COUNT_MAX_AGE_MS.
const REFRESH: f64 = 30.0;

/// How long a report to the census is gathered, in seconds: at most one for each of its parts in that time.
const GATHERED: f64 = 2.0;
/// Sixteen parts, and the sum.
const PARTS: f64 = 17.0;

/// What an object takes in storage that holds one lease, in bytes: SQLite's empty database, and a page.
const OBJECT_BYTES: f64 = 16_384.0;

/// One kind of what happens.
#[derive(Clone, Debug)]
pub(super) struct Activity {
    pub(super) name: &'static str,
    /// How often in a month.
    pub(super) times: f64,
    /// Requests to the Worker each time.
    pub(super) requests: f64,
    /// What each uses beside.
    pub(super) count: Count,
}

/// All that happens in a month, and what it uses.
#[derive(Clone, Debug)]
pub(super) struct Usage {
    pub(super) activities: Vec<Activity>,
    pub(super) meters: BTreeMap<Meter, f64>,
}

impl Usage {
    /// How much of something a month uses.
    pub(super) fn of(&self, meter: Meter) -> f64 {
        self.meters.get(&meter).copied().unwrap_or_default()
    }

    fn new(site: &Site, activities: Vec<Activity>, objects: f64) -> Self {
        let sum = |of: fn(&Activity) -> f64| -> f64 {
            activities
                .iter()
                .map(|activity| activity.times * of(activity))
                .sum()
        };
        let requests = sum(|activity| activity.requests);
        let object_requests = sum(|activity| activity.count.object_requests);
        let logged = requests * site.logged * LOG_BYTES / 1e9;
        let meters = BTreeMap::from([
            (Meter::Requests, requests),
            (Meter::CpuMs, requests * site.cpu_ms),
            (Meter::ObjectRequests, object_requests),
            (
                Meter::ObjectGbS,
                object_requests * site.object_ms / 1e3 * OBJECT_GB,
            ),
            (Meter::RowsRead, sum(|activity| activity.count.rows_read)),
            (
                Meter::RowsWritten,
                sum(|activity| activity.count.rows_written),
            ),
            (Meter::Stored, objects * OBJECT_BYTES / 1e9),
            (Meter::KvReads, sum(|activity| activity.count.kv_reads)),
            (Meter::KvWrites, sum(|activity| activity.count.kv_writes)),
            (Meter::LogsIngested, logged),
            (Meter::LogsStored, logged * LOG_DAYS / DAYS),
        ]);
        Self { activities, meters }
    }
}

/// A call, or what else happens, of which each is a request to the Worker if `is_call`.
fn activity(name: &'static str, times: f64, is_call: bool, count: Count) -> Activity {
    Activity {
        name,
        times,
        requests: if is_call { 1.0 } else { 0.0 },
        count,
    }
}

/// An object that sleeps between two calls reads what it holds anew.
fn awakened(mut count: Count) -> Count {
    count.rows_read += count.object_requests;
    count
}

/// This service, one object for each lease.
pub(super) fn of_this(site: &Site, counts: &Counts) -> Usage {
    let heartbeats = site.colonies * SECONDS / site.heartbeat;
    let polls = match site.poll {
        0.0 => 0.0,
        wait => site.colonies * SECONDS / wait,
    };
    let starts = site.agents * site.starts;
    let bootstraps = site.agents * site.bootstraps;
    let lookups = starts + site.lookups;
    let from_kv = lookups * site.kv;
    let from_memory = lookups * site.memory;
    let call = |name, times, row| activity(name, times, true, awakened(counts.of(row)));
    let behind = |name, times, row| activity(name, times, false, awakened(counts.of(row)));
    // An agent's death is a colony's without the census.
    let mut agent_death = counts.of(rows::DEATH);
    agent_death.object_requests -= 1.0;
    let refreshes = site.isolates * SECONDS / REFRESH;
    // What the census publishes when the number of colonies has changed, and the reports that make it.
    let births = site.colonies;
    let reports = (2.0 * births).min(PARTS * SECONDS / GATHERED);
    let report = Count {
        object_requests: 2.0,
        rows_read: 2.0,
        rows_written: 2.0,
        kv_reads: 0.0,
        kv_writes: 1.0,
    };
    let mut refresh = counts.of(rows::REFRESH);
    // The number is published.
    refresh.object_requests = 0.0;
    let activities = vec![
        activity(
            "Health, before each heartbeat",
            heartbeats,
            true,
            Count::default(),
        ),
        call("heartbeats: RegisterColony", heartbeats, rows::HEARTBEAT),
        behind(
            "alarms of leases that are renewed",
            site.colonies * SECONDS / site.ttl,
            rows::ALARM,
        ),
        call("polls for messages", polls, rows::POLL),
        call(
            "LookupColony, by agents that start and others",
            lookups - from_kv - from_memory,
            rows::LOOKUP,
        ),
        call("LookupColony from KV", from_kv, rows::CACHED),
        activity(
            "LookupColony from memory",
            from_memory,
            true,
            Count::default(),
        ),
        call("agents' starts: RegisterAgent", starts, rows::AGENT),
        activity(
            "agents' leases that lapse",
            starts,
            false,
            awakened(agent_death),
        ),
        call("agents' starts: LookupAgent", starts, rows::LOOKUP_AGENT),
        call("first starts: tickets", bootstraps, rows::TICKET),
        call("first starts: messages left", bootstraps, rows::PUBLISH),
        call("first starts: messages found", bootstraps, rows::POLL_FINDS),
        call("first starts: messages acknowledged", bootstraps, rows::ACK),
        call("colonies' births, one a month each", births, rows::BIRTH),
        behind("their first alarms", births, rows::FIRST_ALARM),
        behind("their deaths", births, rows::DEATH),
        activity("the census", reports, false, report),
        activity(
            "the number of colonies, in each isolate",
            refreshes,
            false,
            refresh,
        ),
    ];
    let used = activities
        .into_iter()
        .filter(|activity| activity.times > 0.0);
    // Those of agents live for the time of a lease after each start.
    let agents = starts * site.ttl / SECONDS;
    Usage::new(site, used.collect(), site.colonies + agents)
}

/// The TypeScript worker, as its code has it: an object for each mesh, and one for all that counts each call. A heartbeat's row has an index
/// on its end; it knows of no messages, so that colonies which poll ask again every two seconds.
pub(super) fn of_typescript(site: &Site) -> Usage {
    const POLL_AGAIN: f64 = 2.0;
    const ALARM: f64 = 300.0;
    let object = |object_requests, rows_written| Count {
        object_requests,
        rows_read: object_requests,
        rows_written,
        ..Count::default()
    };
    let heartbeats = site.colonies * SECONDS / site.heartbeat;
    let polls = match site.poll {
        0.0 => 0.0,
        _ => site.colonies * SECONDS / POLL_AGAIN,
    };
    let starts = site.agents * site.starts;
    let activities = vec![
        activity(
            "Health, before each heartbeat",
            heartbeats,
            true,
            object(2.0, 0.0),
        ),
        activity(
            "heartbeats: RegisterColony",
            heartbeats,
            true,
            object(2.0, 2.0),
        ),
        // It sets itself again for ever, and reports.
        activity(
            "alarms",
            site.colonies * SECONDS / ALARM,
            false,
            object(2.0, 1.0),
        ),
        activity("polls for messages, in vain", polls, true, object(1.0, 0.0)),
        activity(
            "LookupColony, by agents that start and others",
            starts + site.lookups,
            true,
            object(2.0, 0.0),
        ),
        activity(
            "agents' starts: RegisterAgent",
            starts,
            true,
            object(2.0, 3.0),
        ),
        activity(
            "agents' starts: LookupAgent",
            starts,
            true,
            object(2.0, 0.0),
        ),
    ];
    let used = activities
        .into_iter()
        .filter(|activity| activity.times > 0.0);
    Usage::new(site, used.collect(), site.colonies)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn usage(site: &Site) -> Usage {
        of_this(site, &Counts::read().unwrap())
    }

    #[test]
    fn a_thousand_colonies_at_a_call_a_minute_are_43_million_calls() {
        let site = Site {
            poll: 0.0,
            ..Site::default()
        };
        let usage = usage(&site);
        let heartbeats = usage
            .activities
            .iter()
            .find(|activity| activity.name.starts_with("heartbeats"));
        assert_eq!(
            heartbeats.map(|activity| activity.times),
            Some(43_200_000.0)
        );
        // And as many Health before them, and three calls for each of an agent's 30 starts.
        let births = 1_000.0;
        let expected = 2.0 * 43_200_000.0 + 3.0 * 300_000.0 + births;
        assert!((usage.of(Meter::Requests) - expected).abs() < 1.0);
    }

    #[test]
    fn a_heartbeat_writes_a_row_and_an_alarm_one_in_each_time_to_live() {
        let site = Site {
            agents: 0.0,
            poll: 0.0,
            ..Site::default()
        };
        let rows = usage(&site).of(Meter::RowsWritten);
        let expected = 43_200_000.0 * (1.0 + 60.0 / 300.0);
        assert!(
            (rows / expected - 1.0).abs() < 0.001,
            "{rows} of {expected}"
        );
    }

    #[test]
    fn a_slower_heartbeat_and_the_cache_use_less() {
        let site = Site::default();
        let slower = Site {
            heartbeat: 120.0,
            ..site
        };
        assert!(usage(&slower).of(Meter::RowsWritten) < usage(&site).of(Meter::RowsWritten) * 0.6);
        let cached = Site {
            memory: 0.5,
            kv: 0.5,
            ..site
        };
        let saved =
            usage(&site).of(Meter::ObjectRequests) - usage(&cached).of(Meter::ObjectRequests);
        assert!((saved - 300_000.0).abs() < 1.0, "{saved}");
    }
}
