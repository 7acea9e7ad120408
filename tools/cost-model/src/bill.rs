//! The bill: prices applied to the usage of a month.

use crate::prices::{Meter, PLAN, POINTS_DOLLARS, POINTS_INCLUDED, PRICES, Price};
use crate::usage::{DAYS, Usage};

/// Bill of a month.
#[derive(Clone, Debug)]
pub struct Bill {
    /// Lines of the bill, except the base price of the plan.
    pub lines: Vec<Line>,
    calls: f64,
}

/// Line of a bill.
#[derive(Clone, Debug)]
pub struct Line {
    /// Name of the billed quantity.
    pub name: &'static str,
    /// Quantity that the month used.
    pub used: f64,
    /// Quantity that the paid plan includes.
    pub included: f64,
    /// Quantity of one unit.
    pub unit: f64,
    /// Price of one unit, in dollars.
    pub unit_dollars: f64,
    /// Quantity that the free plan allows in a day.
    pub free_per_day: Option<f64>,
    /// Amount to pay, in dollars.
    pub dollars: f64,
}

impl Line {
    fn new(price: &Price, usage: &Usage) -> Self {
        let used = usage.quantity(price.meter);
        let units = (used - price.included).max(0.0) / price.unit;
        let units = if price.rounds_up { units.ceil() } else { units };
        Self {
            name: price.name,
            used,
            included: price.included,
            unit: price.unit,
            unit_dollars: price.dollars,
            free_per_day: price.free_per_day,
            dollars: price.dollars * units,
        }
    }

    /// Returns the fraction of the free plan's daily limit that an average day needs.
    fn fraction_of_free_plan(&self) -> Option<f64> {
        Some(self.used / DAYS / self.free_per_day?)
    }
}

impl Bill {
    /// Applies the prices to a month's usage.
    #[must_use]
    pub fn new(usage: &Usage) -> Self {
        let lines = PRICES.iter().map(|price| Line::new(price, usage));
        Self {
            lines: lines.collect(),
            calls: usage.quantity(Meter::Requests),
        }
    }

    /// Returns the total on the paid plan, in dollars.
    #[must_use]
    pub fn total(&self) -> f64 {
        PLAN + self.lines.iter().map(|line| line.dollars).sum::<f64>()
    }

    /// Returns the price of data points once they are billed, one for each call, in dollars.
    #[must_use]
    pub fn data_points(&self) -> f64 {
        (self.calls - POINTS_INCLUDED).max(0.0) / 1e6 * POINTS_DOLLARS
    }

    /// Returns the daily limit of the free plan that is reached first: its name, and the fraction
    /// of it that an average day needs. Calls are spread evenly over the month.
    #[must_use]
    pub fn tightest_free_limit(&self) -> (&'static str, f64) {
        let limits = self
            .lines
            .iter()
            .filter_map(|line| Some((line.name, line.fraction_of_free_plan()?)));
        limits.fold(("nothing", 0.0), |most, limit| {
            if limit.1 > most.1 { limit } else { most }
        })
    }

    /// Returns the price of the month on the cheapest plan that suffices: 0 on the free plan.
    #[must_use]
    pub fn cheapest(&self) -> f64 {
        let (_, fraction) = self.tightest_free_limit();
        if fraction <= 1.0 { 0.0 } else { self.total() }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn bill(meter: Meter, used: f64) -> Bill {
        Bill::new(&Usage {
            activities: Vec::new(),
            quantities: BTreeMap::from([(meter, used)]),
        })
    }

    #[test]
    fn bills_equal_the_examples_in_cloudflares_documentation() {
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
            let total = bill(meter, used).total();
            assert!(
                (total - PLAN - dollars).abs() < 0.001,
                "{meter:?} {used}: {total}"
            );
        }
    }

    #[test]
    fn tightest_limit_decides_about_the_free_plan() {
        let bill = bill(Meter::RowsWritten, 30.0 * 200_000.0);
        assert_eq!(bill.tightest_free_limit(), ("rows written", 2.0));
        assert_eq!(bill.cheapest(), bill.total());
    }
}
