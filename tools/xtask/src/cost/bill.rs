//! What a month costs.

use super::prices::{Meter, PLAN, POINTS_DOLLARS, POINTS_INCLUDED, PRICES, Price};
use super::usage::{DAYS, Usage};

/// What is beyond the included amount, in dollars.
fn beyond(price: &Price, used: f64) -> f64 {
    let units = (used - price.included).max(0.0) / price.unit;
    price.dollars * if price.is_whole { units.ceil() } else { units }
}

/// A line of the bill.
pub(super) struct Line {
    pub(super) name: &'static str,
    pub(super) used: f64,
    pub(super) included: f64,
    /// How much is sold at a time, and for what.
    pub(super) price: (f64, f64),
    pub(super) free_a_day: Option<f64>,
    pub(super) dollars: f64,
}

/// All lines but the plan's own.
pub(super) fn lines(usage: &Usage) -> Vec<Line> {
    let line = |price: &Price| {
        let used = usage.of(price.meter);
        Line {
            name: price.name,
            used,
            included: price.included,
            price: (price.unit, price.dollars),
            free_a_day: price.free_a_day,
            dollars: beyond(price, used),
        }
    };
    PRICES.iter().map(line).collect()
}

/// In all, in dollars.
pub(super) fn total(usage: &Usage) -> f64 {
    PLAN + lines(usage).iter().map(|line| line.dollars).sum::<f64>()
}

/// What data points would cost, once they are billed: one for each call.
pub(super) fn points(usage: &Usage) -> f64 {
    let points = usage.of(Meter::Requests);
    (points - POINTS_INCLUDED).max(0.0) / 1e6 * POINTS_DOLLARS
}

/// What of the free plan is used up first: its name, and how many times over. Calls are spread evenly over days.
pub(super) fn free_plan(usage: &Usage) -> (&'static str, f64) {
    let parts = PRICES.iter().filter_map(|price| {
        let part = usage.of(price.meter) / DAYS / price.free_a_day?;
        Some((price.name, part))
    });
    parts.fold(
        ("nothing", 0.0),
        |most, part| if part.1 > most.1 { part } else { most },
    )
}

/// What a month costs, in dollars: nothing as long as the free plan lasts.
pub(super) fn month(usage: &Usage) -> f64 {
    let (_, part) = free_plan(usage);
    if part <= 1.0 { 0.0 } else { total(usage) }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn usage(meter: Meter, used: f64) -> Usage {
        Usage {
            activities: Vec::new(),
            meters: BTreeMap::from([(meter, used)]),
        }
    }

    /// The examples of Cloudflare's own pages.
    #[test]
    fn bills_are_those_of_the_examples() {
        for (meter, used, dollars) in [
            (Meter::Requests, 10e6, 0.0),
            (Meter::Requests, 100e6, 27.0),
            (Meter::CpuMs, 129.6e6, 1.992),
            (Meter::ObjectRequests, 1.5e6, 0.15),
            (Meter::ObjectGbS, 552_960.0, 12.50),
            (Meter::RowsWritten, 50e6, 0.0),
            (Meter::RowsWritten, 51e6, 1.0),
            (Meter::KvWrites, 2e6, 5.0),
        ] {
            let total = total(&usage(meter, used));
            assert!(
                (total - PLAN - dollars).abs() < 0.001,
                "{meter:?} {used}: {total}"
            );
        }
    }

    #[test]
    fn the_free_plan_ends_where_the_first_of_its_limits_does() {
        let (name, part) = free_plan(&usage(Meter::RowsWritten, 30.0 * 200_000.0));
        assert_eq!((name, part), ("rows written", 2.0));
    }
}
