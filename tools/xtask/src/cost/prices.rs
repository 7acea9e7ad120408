//! Prices, in US dollars, with where and when they were read. Cloudflare's billing documentation is in English and dated by page.

/// What is billed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Meter {
    Requests,
    CpuMs,
    ObjectRequests,
    ObjectGbS,
    RowsRead,
    RowsWritten,
    Stored,
    KvReads,
    KvWrites,
    LogsIngested,
    LogsStored,
}

/// A price.
pub(super) struct Price {
    pub(super) meter: Meter,
    /// What it is called on the bill.
    pub(super) name: &'static str,
    /// What a month of the paid plan includes.
    pub(super) included: f64,
    /// How many of it are sold at a time.
    pub(super) unit: f64,
    /// What those cost.
    pub(super) dollars: f64,
    /// Whether a unit that is begun is paid for as a whole.
    pub(super) is_whole: bool,
    /// What a day of the free plan allows; beyond, calls fail.
    pub(super) free_a_day: Option<f64>,
}

const MILLION: f64 = 1e6;

/// The paid plan itself, for a month. <https://developers.cloudflare.com/workers/platform/pricing/>, 2026-07-07
pub(super) const PLAN: f64 = 5.0;

/// When the prices below were gathered, from pages of up to October 2026.
pub(super) const DATE: &str = "2026-11-25";

/// Of what an object always has while it is busy, in GB. Same page as its prices.
pub(super) const OBJECT_GB: f64 = 0.128;

/// What a line in the log has on average, in bytes, with all that Cloudflare adds to it.
/// <https://developers.cloudflare.com/observability/logs/datasets/>, October 2026
pub(super) const LOG_BYTES: f64 = 4_840.0;

/// For how many days it is kept: what is stored at a time is that part of a month's.
pub(super) const LOG_DAYS: f64 = 7.0;

/// All that is billed.
pub(super) const PRICES: [Price; 11] = [
    // https://developers.cloudflare.com/workers/platform/pricing/, 2026-07-07
    Price {
        meter: Meter::Requests,
        name: "Worker requests",
        included: 10.0 * MILLION,
        unit: MILLION,
        dollars: 0.30,
        is_whole: false,
        free_a_day: Some(100_000.0),
    },
    Price {
        meter: Meter::CpuMs,
        name: "Worker CPU, ms",
        included: 30.0 * MILLION,
        unit: MILLION,
        dollars: 0.02,
        is_whole: false,
        free_a_day: None,
    },
    // https://developers.cloudflare.com/durable-objects/platform/pricing/, 2026-08-25. Requests and duration are rounded up
    // to whole millions since 2026-08-04.
    Price {
        meter: Meter::ObjectRequests,
        name: "object requests",
        included: MILLION,
        unit: MILLION,
        dollars: 0.15,
        is_whole: true,
        free_a_day: Some(100_000.0),
    },
    Price {
        meter: Meter::ObjectGbS,
        name: "object duration, GB-s",
        included: 400_000.0,
        unit: MILLION,
        dollars: 12.50,
        is_whole: true,
        free_a_day: Some(13_000.0),
    },
    Price {
        meter: Meter::RowsRead,
        name: "rows read",
        included: 25_000.0 * MILLION,
        unit: MILLION,
        dollars: 0.001,
        is_whole: false,
        free_a_day: Some(5.0 * MILLION),
    },
    Price {
        meter: Meter::RowsWritten,
        name: "rows written",
        included: 50.0 * MILLION,
        unit: MILLION,
        dollars: 1.00,
        is_whole: false,
        free_a_day: Some(100_000.0),
    },
    // Nothing of it in a day: 5 GB in all.
    Price {
        meter: Meter::Stored,
        name: "stored by objects, GB-months",
        included: 5.0,
        unit: 1.0,
        dollars: 0.20,
        is_whole: false,
        free_a_day: None,
    },
    // https://developers.cloudflare.com/kv/platform/pricing/, 2026-07-07
    Price {
        meter: Meter::KvReads,
        name: "KV reads",
        included: 10.0 * MILLION,
        unit: MILLION,
        dollars: 0.50,
        is_whole: false,
        free_a_day: Some(100_000.0),
    },
    Price {
        meter: Meter::KvWrites,
        name: "KV writes",
        included: MILLION,
        unit: MILLION,
        dollars: 5.00,
        is_whole: false,
        free_a_day: Some(1_000.0),
    },
    // https://developers.cloudflare.com/observability/pricing/, 2026-10-05, for months from December 2026 on. Until then it is
    // $0.60 for a million lines beyond 20.
    Price {
        meter: Meter::LogsIngested,
        name: "logs written, GB",
        included: 50.0,
        unit: 1.0,
        dollars: 0.25,
        is_whole: false,
        free_a_day: Some(0.5),
    },
    Price {
        meter: Meter::LogsStored,
        name: "logs kept, GB-months",
        included: 12.0,
        unit: 1.0,
        dollars: 0.10,
        is_whole: false,
        free_a_day: None,
    },
];

/// A data point for each call: listed at this for a million beyond ten, and not billed yet.
/// <https://developers.cloudflare.com/analytics/analytics-engine/pricing/>, 2026
pub(super) const POINTS_INCLUDED: f64 = 10.0 * MILLION;
/// See [`POINTS_INCLUDED`].
pub(super) const POINTS_DOLLARS: f64 = 0.25;

/// What a Go server costs a month on machines of one's own, smallest first: it holds everything in memory, so that the machine hardly
/// matters and the number of places does.
pub(super) const SELF_HOSTED: [(&str, f64); 4] = [
    // https://www.digitalocean.com/pricing/droplets, 1 GB and one core, June to August 2026
    ("one small VPS", 6.0),
    // The same, 2 GB and two cores
    ("one VPS with two cores", 18.0),
    // The four of RFD 046, whose $20 of 2022 are $24 now: 4 GB and two cores
    ("four VPS in four regions", 96.0),
    // Four of: a load balancer ($16.43), two public addresses for it ($7.30), two t4g.small ($24.53), 16 GB of disk ($1.28);
    // us-east-1, read 2026-09-20 to 2026-10-02
    ("AWS in four regions", 198.0),
];
