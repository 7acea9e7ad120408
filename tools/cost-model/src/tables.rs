//! Tables of the documentation, as Markdown.

use std::fmt::Write as _;

use crate::bill::Bill;
use crate::format::{dollars, short};
use crate::operations::OperationTable;
use crate::prices::{Meter, PLAN, SELF_HOSTED};
use crate::scenario::SCENARIOS;
use crate::typescript::typescript_usage;
use crate::usage::{Usage, usage};
use crate::workload::Workload;

/// Numbers of colonies and agents that the tables compare: those of RFD 046, and others.
const SIZES: [(f64, f64); 5] = [
    (10.0, 100.0),
    (100.0, 1_000.0),
    (1_000.0, 10_000.0),
    (10_000.0, 100_000.0),
    (100_000.0, 1_000_000.0),
];

/// Formats the price of a month on the cheapest plan that suffices.
fn cheapest(usage: &Usage) -> String {
    match Bill::new(usage).cheapest() {
        0.0 => "free".to_owned(),
        amount => dollars(amount),
    }
}

/// Renders the bills of deployments of different sizes.
pub(crate) fn summary(operations: &OperationTable) -> String {
    let mut text =
        "| colonies | agents | calls a month | object requests | rows written | a month \
                    | heartbeat of 240 s | without polls |\n\
                    |---|---|---|---|---|---|---|---|\n"
            .to_owned();
    for (colonies, agents) in SIZES {
        let workload = Workload::with_clients(colonies, agents);
        let slower = Workload {
            heartbeat: 240.0,
            ttl: 1_200.0,
            ..workload
        };
        let without_polls = Workload {
            poll: 0.0,
            ..workload
        };
        let used = usage(&workload, operations);
        let _ = writeln!(
            text,
            "| {} | {} | {} | {} | {} | **{}** | {} | {} |",
            short(colonies),
            short(agents),
            short(used.quantity(Meter::Requests)),
            short(used.quantity(Meter::ObjectRequests)),
            short(used.quantity(Meter::RowsWritten)),
            cheapest(&used),
            cheapest(&usage(&slower, operations)),
            cheapest(&usage(&without_polls, operations))
        );
    }
    text
}

/// A row of a table in RFD 046: its name, requests and price, as printed there.
type Planned = (&'static str, &'static str, &'static str);

/// Tables of RFD 046, each with its numbers of colonies and agents.
const PLANNED: [(f64, f64, [Planned; 5]); 2] = [
    (
        1_000.0,
        10_000.0,
        [
            ("colony registration", "432 K", "free"),
            ("agent lookups", "300 K", "free"),
            ("agent registration, and its lookup", "", ""),
            ("health checks", "100 K", "free"),
            ("total", "832 K", "$0"),
        ],
    ),
    (
        100_000.0,
        1_000_000.0,
        [
            ("colony registration", "43 M", "$21.50"),
            ("agent lookups", "30 M", "$15.00"),
            ("agent registration, and its lookup", "", ""),
            ("health checks", "10 M", "$5.00"),
            ("total, with 50 M reads of objects at $10", "83 M", "$51"),
        ],
    ),
];

/// Renders RFD 046's tables beside the requests that the same deployments make. No colony polled
/// when RFD 046 was written.
pub(crate) fn corrected_plan(operations: &OperationTable) -> String {
    let mut text = String::new();
    for (colonies, agents, planned) in PLANNED {
        let workload = Workload {
            poll: 0.0,
            ..Workload::with_clients(colonies, agents)
        };
        let usage = usage(&workload, operations);
        let times = |name: &str| -> f64 {
            let activities = usage.activities.iter();
            activities
                .filter(|activity| activity.name.starts_with(name))
                .map(|activity| activity.times)
                .sum()
        };
        let requests = [
            times("heartbeats: RegisterColony"),
            times("LookupColony"),
            times("agent starts:"),
            times("heartbeats: Health"),
            usage.quantity(Meter::Requests),
        ];
        let _ = writeln!(
            text,
            "| {} colonies, {} agents | RFD 046: requests | cost | requests | cost |\n\
             |---|---|---|---|---|",
            short(colonies),
            short(agents)
        );
        for ((name, planned_requests, planned_cost), requests) in planned.into_iter().zip(requests)
        {
            let cost = if name.starts_with("total") {
                format!("**{}**", dollars(Bill::new(&usage).total()))
            } else {
                String::new()
            };
            let _ = writeln!(
                text,
                "| {name} | {planned_requests} | {planned_cost} | {} | {cost} |",
                short(requests)
            );
        }
        text.push('\n');
    }
    text
}

/// Renders the bill of RFD 046's first deployment, line by line.
pub(crate) fn bill(operations: &OperationTable) -> String {
    let bill = Bill::new(&usage(&Workload::RFD_046, operations));
    let mut text = "| billed | used | included | price beyond | a month | free plan, a day |\n\
                    |---|---|---|---|---|---|\n"
        .to_owned();
    let _ = writeln!(text, "| paid plan | | | | {} | |", dollars(PLAN));
    for line in &bill.lines {
        let unit = if line.unit > 1.0 {
            format!(" for {}", short(line.unit))
        } else {
            String::new()
        };
        let _ = writeln!(
            text,
            "| {} | {} | {} | ${}{unit} | {} | {} |",
            line.name,
            short(line.used),
            short(line.included),
            line.unit_dollars,
            dollars(line.dollars),
            line.free_per_day.map(short).unwrap_or_default()
        );
    }
    let _ = writeln!(text, "| total | | | | **{}** | |", dollars(bill.total()));
    text
}

/// Renders the total of each scenario for RFD 046's two deployments.
pub(crate) fn scenarios(operations: &OperationTable) -> String {
    let mut text = "| 1,000 colonies and 10,000 agents | a month | 100,000 and 1,000,000 |\n\
                    |---|---|---|\n"
        .to_owned();
    for scenario in SCENARIOS {
        let [small, large] = [(1e3, 1e4), (1e5, 1e6)].map(|(colonies, agents)| {
            let workload = scenario.apply(&Workload::with_clients(colonies, agents));
            dollars(Bill::new(&usage(&workload, operations)).total())
        });
        let _ = writeln!(text, "| {} | {small} | {large} |", scenario.name);
    }
    text
}

/// Renders the number of colonies from which each legacy server is cheaper, with ten agents for
/// each colony.
pub(crate) fn legacy_servers(operations: &OperationTable) -> String {
    let mut text = "| the Go server on | a month | cheaper from, colonies | without polls |\n\
                    |---|---|---|---|\n"
        .to_owned();
    for (name, price) in SELF_HOSTED {
        let [with_polls, without_polls] = [25.0, 0.0].map(|poll| {
            let cheapest = |colonies: f64| {
                let workload = Workload {
                    poll,
                    ..Workload::with_clients(colonies, 10.0 * colonies)
                };
                Bill::new(&usage(&workload, operations)).cheapest()
            };
            (1..=1_000_000).find(|colonies| cheapest(f64::from(*colonies)) > price)
        });
        let from = |colonies: Option<i32>| colonies.map_or("never".to_owned(), |n| n.to_string());
        let _ = writeln!(
            text,
            "| {name} | {} | {} | {} |",
            dollars(price),
            from(with_polls),
            from(without_polls)
        );
    }
    text.push_str("\n| the TypeScript worker | a month | this service |\n|---|---|---|\n");
    for (colonies, agents) in SIZES {
        for (polls, poll) in [("with polls", 25.0), ("without polls", 0.0)] {
            let workload = Workload {
                poll,
                ..Workload::with_clients(colonies, agents)
            };
            let _ = writeln!(
                text,
                "| {} colonies {polls} | {} | {} |",
                short(colonies),
                cheapest(&typescript_usage(&workload)),
                cheapest(&usage(&workload, operations))
            );
        }
    }
    text
}
