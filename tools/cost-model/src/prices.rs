//! Prices in US dollars, each with its source and the date on which that page was current.

/// A quantity that is billed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Meter {
    /// Requests to the Worker.
    Requests,
    /// CPU time of the Worker, in milliseconds.
    CpuMs,
    /// Requests to Durable Objects.
    ObjectRequests,
    /// Duration of Durable Objects, in GB-seconds.
    ObjectGbS,
    /// Rows that objects read.
    RowsRead,
    /// Rows that objects write.
    RowsWritten,
    /// Storage of objects, in GB-months.
    Stored,
    /// Reads from KV.
    KvReads,
    /// Writes to KV.
    KvWrites,
    /// Log written, in GB.
    LogsIngested,
    /// Log retained, in GB-months.
    LogsStored,
}

/// Price of one meter.
pub(crate) struct Price {
    pub(crate) meter: Meter,
    /// Name on the bill.
    pub(crate) name: &'static str,
    /// Quantity that a month of the paid plan includes.
    pub(crate) included: f64,
    /// Quantity that is sold as one unit.
    pub(crate) unit: f64,
    /// Price of one unit.
    pub(crate) dollars: f64,
    /// A unit that is begun is billed as a whole one.
    pub(crate) rounds_up: bool,
    /// Quantity that the free plan allows in a day; calls beyond it fail.
    pub(crate) free_per_day: Option<f64>,
}

const MILLION: f64 = 1e6;

/// Base price of the paid plan for a month.
/// <https://developers.cloudflare.com/workers/platform/pricing/>, 2026-07-07
pub(crate) const PLAN: f64 = 5.0;

/// Date on which the prices were gathered, from pages of up to October 2026.
pub(crate) const DATE: &str = "2026-11-25";

/// Memory that is billed for an active object, in GB. Same page as the price of its duration.
pub(crate) const OBJECT_GB: f64 = 0.128;

/// Average size of a log entry in bytes, including the fields that Cloudflare adds.
/// <https://developers.cloudflare.com/observability/logs/datasets/>, October 2026
pub(crate) const LOG_BYTES: f64 = 4_840.0;

/// Retention of the log in days. The log stored at a time is this fraction of a month's.
pub(crate) const LOG_DAYS: f64 = 7.0;

/// Prices of all meters.
pub(crate) const PRICES: [Price; 11] = [
    // https://developers.cloudflare.com/workers/platform/pricing/, 2026-07-07
    Price {
        meter: Meter::Requests,
        name: "Worker requests",
        included: 10.0 * MILLION,
        unit: MILLION,
        dollars: 0.30,
        rounds_up: false,
        free_per_day: Some(100_000.0),
    },
    Price {
        meter: Meter::CpuMs,
        name: "Worker CPU, ms",
        included: 30.0 * MILLION,
        unit: MILLION,
        dollars: 0.02,
        rounds_up: false,
        free_per_day: None,
    },
    // https://developers.cloudflare.com/durable-objects/platform/pricing/, 2026-08-25.
    // Requests and duration are rounded up to whole millions since 2026-08-04.
    Price {
        meter: Meter::ObjectRequests,
        name: "object requests",
        included: MILLION,
        unit: MILLION,
        dollars: 0.15,
        rounds_up: true,
        free_per_day: Some(100_000.0),
    },
    Price {
        meter: Meter::ObjectGbS,
        name: "object duration, GB-s",
        included: 400_000.0,
        unit: MILLION,
        dollars: 12.50,
        rounds_up: true,
        free_per_day: Some(13_000.0),
    },
    Price {
        meter: Meter::RowsRead,
        name: "rows read",
        included: 25_000.0 * MILLION,
        unit: MILLION,
        dollars: 0.001,
        rounds_up: false,
        free_per_day: Some(5.0 * MILLION),
    },
    Price {
        meter: Meter::RowsWritten,
        name: "rows written",
        included: 50.0 * MILLION,
        unit: MILLION,
        dollars: 1.00,
        rounds_up: false,
        free_per_day: Some(100_000.0),
    },
    // The free plan has no limit for a day: it allows 5 GB in total.
    Price {
        meter: Meter::Stored,
        name: "object storage, GB-months",
        included: 5.0,
        unit: 1.0,
        dollars: 0.20,
        rounds_up: false,
        free_per_day: None,
    },
    // https://developers.cloudflare.com/kv/platform/pricing/, 2026-07-07
    Price {
        meter: Meter::KvReads,
        name: "KV reads",
        included: 10.0 * MILLION,
        unit: MILLION,
        dollars: 0.50,
        rounds_up: false,
        free_per_day: Some(100_000.0),
    },
    Price {
        meter: Meter::KvWrites,
        name: "KV writes",
        included: MILLION,
        unit: MILLION,
        dollars: 5.00,
        rounds_up: false,
        free_per_day: Some(1_000.0),
    },
    // https://developers.cloudflare.com/observability/pricing/, 2026-10-05, for months from
    // December 2026 on. Until then a million entries beyond the first 20 million cost $0.60.
    Price {
        meter: Meter::LogsIngested,
        name: "log written, GB",
        included: 50.0,
        unit: 1.0,
        dollars: 0.25,
        rounds_up: false,
        free_per_day: Some(0.5),
    },
    Price {
        meter: Meter::LogsStored,
        name: "log retained, GB-months",
        included: 12.0,
        unit: 1.0,
        dollars: 0.10,
        rounds_up: false,
        free_per_day: None,
    },
];

/// Data points that a month includes. Each call writes one. Listed, but not billed yet.
/// <https://developers.cloudflare.com/analytics/analytics-engine/pricing/>, 2026
pub(crate) const POINTS_INCLUDED: f64 = 10.0 * MILLION;
/// Listed price of a million data points beyond [`POINTS_INCLUDED`].
pub(crate) const POINTS_DOLLARS: f64 = 0.25;

/// Monthly cost of machines for a self-hosted Go server, smallest first. The server holds all
/// state in memory: the number of regions matters, the size of a machine hardly does.
pub(crate) const SELF_HOSTED: [(&str, f64); 4] = [
    // https://www.digitalocean.com/pricing/droplets, 1 GB and one core, June to August 2026
    ("one small VPS", 6.0),
    // Same page, 2 GB and two cores
    ("one VPS with two cores", 18.0),
    // The four of RFD 046 with 4 GB and two cores, whose $20 of 2022 are $24 now
    ("four VPS in four regions", 96.0),
    // Four times a load balancer ($16.43), two public addresses for it ($7.30), two t4g.small
    // ($24.53) and 16 GB of disk ($1.28); us-east-1, read 2026-09-20 to 2026-10-02
    ("AWS in four regions", 198.0),
];
