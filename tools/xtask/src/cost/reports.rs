//! What is printed of a site.

use std::fmt::Write as _;

use super::counts::Counts;
use super::numbers::{dollars, short};
use super::prices::{DATE, PLAN};
use super::usage::{Usage, of_this};
use super::{Site, bill};

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
pub(super) type Lever = (&'static str, fn(&mut Site));

/// What would change the bill.
pub(super) const LEVERS: [Lever; 12] = [
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
