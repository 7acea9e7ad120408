//! Tables for people.

use std::fmt::Write as _;

use super::counts::Counts;
use super::prices::{DATE, PLAN, SELF_HOSTED};
use super::usage::{Usage, of_this, of_typescript};
use super::{Site, bill};

/// A number as people read it: 43.2 M.
fn short(number: f64) -> String {
    match number {
        n if n >= 1e9 => format!("{:.2} G", n / 1e9),
        n if n >= 1e6 => format!("{:.1} M", n / 1e6),
        n if n >= 1e4 => format!("{:.0} k", n / 1e3),
        n if n >= 10.0 || n == 0.0 => format!("{n:.0}"),
        n => format!("{n:.2}"),
    }
}

fn dollars(amount: f64) -> String {
    if amount >= 1_000.0 {
        let whole = amount.round() as u64;
        return format!("${},{:03}", whole / 1_000, whole % 1_000);
    }
    format!("${amount:.2}")
}

/// A site's activities, bill and total.
pub(super) fn of_site(site: &Site, usage: &Usage) -> String {
    let mut text = format!(
        "A month of {} colonies (heartbeat {} s, leases of {} s) and {} agents, prices of {DATE}\n\n",
        short(site.colonies),
        site.heartbeat,
        site.ttl,
        short(site.agents)
    );
    let _ = writeln!(
        text,
        "{:<42}{:>10}{:>12}{:>12}{:>12}",
        "what happens", "times", "calls", "object req.", "rows written"
    );
    for activity in &usage.activities {
        let times = activity.times;
        let _ = writeln!(
            text,
            "{:<42}{:>10}{:>12}{:>12}{:>12}",
            activity.name,
            short(times),
            short(times * activity.requests),
            short(times * activity.count.object_requests),
            short(times * activity.count.rows_written)
        );
    }
    let _ = writeln!(
        text,
        "\n{:<42}{:>10}{:>12}{:>12}",
        "billed", "used", "included", ""
    );
    let _ = writeln!(
        text,
        "{:<42}{:>10}{:>12}{:>12}",
        "the paid plan",
        "",
        "",
        dollars(PLAN)
    );
    for line in bill::lines(usage) {
        let _ = writeln!(
            text,
            "{:<42}{:>10}{:>12}{:>12}",
            line.name,
            short(line.used),
            short(line.included),
            dollars(line.dollars)
        );
    }
    let total = dollars(bill::total(usage));
    let _ = writeln!(text, "{:<42}{:>10}{:>12}{total:>12}", "in all", "", "");
    let points = bill::points(usage);
    let _ = writeln!(
        text,
        "\nNot billed yet: data points, {} at the listed price.",
        dollars(points)
    );
    let (name, part) = bill::free_plan(usage);
    let fits = if part <= 1.0 { "fits" } else { "does not fit" };
    let _ = write!(
        text,
        "The free plan {fits}: of {name} it needs {:.0} % of what a day allows.",
        part * 100.0
    );
    text
}

/// A change of a site, with what it is called.
type Lever = (&'static str, fn(&mut Site));

const LEVERS: [Lever; 12] = [
    ("as it is", |_| {}),
    ("heartbeat every 30 s", |site| site.heartbeat = 30.0),
    ("heartbeat every 120 s", |site| site.heartbeat = 120.0),
    ("heartbeat every 240 s, leases of 1,200 s", |site| {
        site.heartbeat = 240.0;
        site.ttl = 1_200.0;
    }),
    ("leases of 900 s", |site| site.ttl = 900.0),
    ("colonies that do not poll", |site| site.poll = 0.0),
    ("a thousand million lookups more", |site| site.lookups = 1e9),
    ("the same, all from KV", |site| {
        site.lookups = 1e9;
        site.kv = 1.0;
    }),
    ("the same, all from memory", |site| {
        site.lookups = 1e9;
        site.memory = 1.0;
    }),
    ("twice the processor time", |site| site.cpu_ms *= 2.0),
    ("a line in the log for a tenth of calls", |site| {
        site.logged = 0.1
    }),
    ("a line in the log for each call", |site| site.logged = 1.0),
];

/// What changes a site's bill by how much.
pub(super) fn sensitivity(site: &Site, counts: &Counts) -> String {
    let mut text = format!("{:<44}{:>12}{:>10}\n", "\nwhat if", "in all", "change");
    let now = bill::total(&of_this(site, counts));
    for (name, change) in LEVERS {
        let mut changed = *site;
        change(&mut changed);
        let total = bill::total(&of_this(&changed, counts));
        let percent = (total / now - 1.0) * 100.0;
        let _ = writeln!(text, "{name:<43}{:>12}{percent:>+9.0}%", dollars(total));
    }
    text.trim_end().to_owned()
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
        let (_, part) = bill::free_plan(&usage);
        let total = dollars(bill::total(&usage));
        let _ = writeln!(
            text,
            "| {} | {} | {} | {} | {} | {} | {} | {} |",
            short(colonies),
            short(agents),
            short(usage.of(super::prices::Meter::Requests)),
            short(usage.of(super::prices::Meter::ObjectRequests)),
            short(usage.of(super::prices::Meter::RowsWritten)),
            if part <= 1.0 {
                "free".to_owned()
            } else {
                format!("**{total}**")
            },
            dollars(bill::total(&of_this(&slow, counts))),
            dollars(bill::total(&of_this(&silent, counts)))
        );
    }
    text
}

/// What RFD 046 has for an activity: its name, requests and dollars.
type Planned = (&'static str, &'static str, &'static str);

/// Its two tables, each with its site.
const PLANNED: [(f64, f64, [Planned; 4]); 2] = [
    (
        1_000.0,
        10_000.0,
        [
            ("colony registration", "432 K", "free"),
            ("agent lookups", "300 K", "free"),
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
            times("Health"),
            usage.of(super::prices::Meter::Requests),
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

/// What changes the plan's site's bill.
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
                let usage = of_this(&site, counts);
                // The free plan as long as it lasts.
                if bill::free_plan(&usage).1 <= 1.0 {
                    0.0
                } else {
                    bill::total(&usage)
                }
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
                dollars(bill::total(&of_typescript(&site))),
                dollars(bill::total(&of_this(&site, counts)))
            );
        }
    }
    text
}
