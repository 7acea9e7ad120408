//! The tables of the documentation.

use std::fmt::Write as _;

use super::counts::Counts;
use super::numbers::{dollars, short};
use super::prices::{Meter, PLAN, SELF_HOSTED};
use super::reports::LEVERS;
use super::usage::{Usage, of_this, of_typescript};
use super::{Site, bill};

/// What a month costs.
fn month(usage: &Usage) -> String {
    match bill::month(usage) {
        0.0 => "free".to_owned(),
        amount => dollars(amount),
    }
}

/// Sites that the tables of the documentation have: RFD 046's, and smaller ones.
const SITES: [(f64, f64); 5] = [
    (10.0, 100.0),
    (100.0, 1_000.0),
    (1_000.0, 10_000.0),
    (10_000.0, 100_000.0),
    (100_000.0, 1_000_000.0),
];

fn site(colonies: f64, agents: f64) -> Site {
    Site {
        colonies,
        agents,
        ..Site::default()
    }
}

/// For the README: what sites cost.
pub(super) fn summary(counts: &Counts) -> String {
    let mut text = "| colonies | agents | calls a month | object requests | rows written | a month | heartbeat of 240 s | without polls |\n\
                    |---|---|---|---|---|---|---|---|\n"
        .to_owned();
    for (colonies, agents) in SITES {
        let site = site(colonies, agents);
        let usage = of_this(&site, counts);
        let slow = Site {
            heartbeat: 240.0,
            ttl: 1_200.0,
            ..site
        };
        let silent = Site { poll: 0.0, ..site };
        let _ = writeln!(
            text,
            "| {} | {} | {} | {} | {} | **{}** | {} | {} |",
            short(colonies),
            short(agents),
            short(usage.of(Meter::Requests)),
            short(usage.of(Meter::ObjectRequests)),
            short(usage.of(Meter::RowsWritten)),
            month(&usage),
            month(&of_this(&slow, counts)),
            month(&of_this(&silent, counts))
        );
    }
    text
}

/// What RFD 046 has for an activity: its name, requests and dollars.
type Planned = (&'static str, &'static str, &'static str);

/// Its two tables, each with its site.
const PLANNED: [(f64, f64, [Planned; 5]); 2] = [
    (
        1_000.0,
        10_000.0,
        [
            ("colony registration", "432 K", "free"),
            ("agent lookups", "300 K", "free"),
            ("agents register, and are looked up", "", ""),
            ("health checks", "100 K", "free"),
            ("in all", "832 K", "$0"),
        ],
    ),
    (
        100_000.0,
        1_000_000.0,
        [
            ("colony registration", "43 M", "$21.50"),
            ("agent lookups", "30 M", "$15.00"),
            ("agents register, and are looked up", "", ""),
            ("health checks", "10 M", "$5.00"),
            ("in all, with 50 M reads of objects at $10", "83 M", "$51"),
        ],
    ),
];

/// RFD 046's tables beside what they should have been: no colony polled then.
pub(super) fn corrected_plan(counts: &Counts) -> String {
    let mut text = String::new();
    for (colonies, agents, planned) in PLANNED {
        let site = Site {
            poll: 0.0,
            ..site(colonies, agents)
        };
        let usage = of_this(&site, counts);
        let times = |name: &str| -> f64 {
            let activities = usage.activities.iter();
            activities
                .filter(|activity| activity.name.contains(name))
                .map(|activity| activity.times)
                .sum()
        };
        let real = [
            times("heartbeats: RegisterColony"),
            times("LookupColony"),
            times("starts:"),
            times("Health"),
            usage.of(Meter::Requests),
        ];
        let _ = writeln!(
            text,
            "| {} colonies, {} agents | RFD 046: requests | cost | requests | cost |\n|---|---|---|---|---|",
            short(colonies),
            short(agents)
        );
        for ((name, requests, cost), real) in planned.into_iter().zip(real) {
            let total = if name.starts_with("in all") {
                format!("**{}**", dollars(bill::total(&usage)))
            } else {
                String::new()
            };
            let _ = writeln!(
                text,
                "| {name} | {requests} | {cost} | {} | {total} |",
                short(real)
            );
        }
        text.push('\n');
    }
    text
}

/// The bill of RFD 046's first site, line by line.
pub(super) fn lines(counts: &Counts) -> String {
    let usage = of_this(&Site::default(), counts);
    let mut text = "| billed | used | included | beyond it | a month | free plan, a day |\n|---|---|---|---|---|---|\n".to_owned();
    let _ = writeln!(text, "| the paid plan | | | | {} | |", dollars(PLAN));
    for line in bill::lines(&usage) {
        let (unit, price) = line.price;
        let unit = if unit > 1.0 {
            format!(" for {}", short(unit))
        } else {
            String::new()
        };
        let _ = writeln!(
            text,
            "| {} | {} | {} | ${price}{unit} | {} | {} |",
            line.name,
            short(line.used),
            short(line.included),
            dollars(line.dollars),
            line.free_a_day.map(short).unwrap_or_default()
        );
    }
    let _ = writeln!(
        text,
        "| in all | | | | **{}** | |",
        dollars(bill::total(&usage))
    );
    text
}

/// What changes the bill of RFD 046's sites.
pub(super) fn levers(counts: &Counts) -> String {
    let mut text =
        "| 1,000 colonies and 10,000 agents | a month | 100,000 and 1,000,000 |\n|---|---|---|\n"
            .to_owned();
    for (name, change) in LEVERS {
        let [small, large] = [(1e3, 1e4), (1e5, 1e6)].map(|(colonies, agents)| {
            let mut site = site(colonies, agents);
            change(&mut site);
            dollars(bill::total(&of_this(&site, counts)))
        });
        let _ = writeln!(text, "| {name} | {small} | {large} |");
    }
    text
}

/// From how many colonies on each predecessor is cheaper; there are ten agents for each.
pub(super) fn predecessors(counts: &Counts) -> String {
    let mut text = "| the Go server on | a month | cheaper from, colonies | and if they do not poll |\n|---|---|---|---|\n".to_owned();
    for (name, price) in SELF_HOSTED {
        let [polling, silent] = [25.0, 0.0].map(|poll| {
            let total = |colonies: f64| {
                let site = Site {
                    poll,
                    ..site(colonies, 10.0 * colonies)
                };
                bill::month(&of_this(&site, counts))
            };
            (1..=1_000_000).find(|colonies| total(f64::from(*colonies)) > price)
        });
        let from = |colonies: Option<i32>| colonies.map_or("never".to_owned(), |n| n.to_string());
        let _ = writeln!(
            text,
            "| {name} | {} | {} | {} |",
            dollars(price),
            from(polling),
            from(silent)
        );
    }
    text.push_str("\n| the TypeScript worker | a month | this service |\n|---|---|---|\n");
    for (colonies, agents) in SITES {
        for (what, poll) in [("that poll", 25.0), ("that do not", 0.0)] {
            let site = Site {
                poll,
                ..site(colonies, agents)
            };
            let _ = writeln!(
                text,
                "| {} colonies {what} | {} | {} |",
                short(colonies),
                month(&of_typescript(&site)),
                month(&of_this(&site, counts))
            );
        }
    }
    text
}
