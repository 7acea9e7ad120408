//! Reports for the terminal.

use std::fmt::Write as _;

use crate::bill::Bill;
use crate::format::{dollars, short};
use crate::operations::OperationTable;
use crate::prices::{DATE, PLAN};
use crate::scenario::SCENARIOS;
use crate::usage::{Usage, usage};
use crate::workload::Workload;

/// Renders the activities, the bill and the total of a month.
#[must_use]
pub fn report(workload: &Workload, usage: &Usage) -> String {
    let mut text = format!(
        "A month of {} colonies (heartbeat {} s, TTL {} s) and {} agents, prices of {DATE}\n\n",
        short(workload.colonies),
        workload.heartbeat,
        workload.ttl,
        short(workload.agents)
    );
    let _ = writeln!(
        text,
        "{:<42}{:>10}{:>12}{:>14}{:>14}",
        "activity", "times", "calls", "object req.", "rows written"
    );
    for activity in &usage.activities {
        let times = activity.times;
        let _ = writeln!(
            text,
            "{:<42}{:>10}{:>12}{:>14}{:>14}",
            activity.name,
            short(times),
            short(times * activity.requests),
            short(times * activity.operations.object_requests),
            short(times * activity.operations.rows_written)
        );
    }
    let bill = Bill::new(usage);
    text.push('\n');
    let mut row = |name: &str, used: &str, included: &str, amount: &str| {
        let _ = writeln!(text, "{name:<42}{used:>10}{included:>12}{amount:>12}");
    };
    row("billed", "used", "included", "");
    row("paid plan", "", "", &dollars(PLAN));
    for line in &bill.lines {
        row(
            line.name,
            &short(line.used),
            &short(line.included),
            &dollars(line.dollars),
        );
    }
    row("total", "", "", &dollars(bill.total()));
    let _ = writeln!(
        text,
        "\nNot billed yet: data points, {} at the listed price.",
        dollars(bill.data_points())
    );
    let (name, fraction) = bill.tightest_free_limit();
    let suffices = if fraction <= 1.0 {
        "suffices"
    } else {
        "does not suffice"
    };
    let _ = write!(
        text,
        "The free plan {suffices}: an average day needs {:.0} % of its limit of {name}.",
        fraction * 100.0
    );
    text
}

/// Renders the total of each scenario and its difference from the workload's own.
#[must_use]
pub fn sensitivity(workload: &Workload, operations: &OperationTable) -> String {
    let total = |workload: &Workload| Bill::new(&usage(workload, operations)).total();
    let unchanged = total(workload);
    let mut text = format!("\n{:<50}{:>12}{:>10}\n", "scenario", "total", "change");
    for scenario in SCENARIOS {
        let changed = total(&scenario.apply(workload));
        let percent = (changed / unchanged - 1.0) * 100.0;
        let _ = writeln!(
            text,
            "{:<50}{:>12}{percent:>+9.0}%",
            scenario.name,
            dollars(changed)
        );
    }
    text.trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn report_names_every_activity_and_every_line_of_the_bill() {
        let root = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."));
        let operations = OperationTable::read(root).unwrap();
        let usage = usage(&Workload::RFD_046, &operations);
        let text = report(&Workload::RFD_046, &usage);
        for activity in &usage.activities {
            assert!(text.contains(activity.name), "{}", activity.name);
        }
        for line in Bill::new(&usage).lines {
            assert!(text.contains(line.name), "{}", line.name);
        }
    }
}
