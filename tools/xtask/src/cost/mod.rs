//! `cargo xtask cost`: a month's bill, from what each call was measured to use and from Cloudflare's prices.

mod bill;
mod counts;
mod numbers;
mod prices;
mod reports;
mod tables;
mod usage;

use std::fs;

use anyhow::{Context as _, Result, ensure};
use clap::{Args, ValueEnum};

use self::counts::Counts;
use crate::project;

/// What is deployed, and how it is used.
#[derive(Args, Clone, Copy, Debug)]
pub(crate) struct Site {
    /// How many colonies there are
    #[arg(long, default_value_t = 1_000.0, value_parser = at_least_0)]
    colonies: f64,
    /// How many agents there are
    #[arg(long, default_value_t = 10_000.0, value_parser = at_least_0)]
    agents: f64,
    /// Seconds between two heartbeats of a colony, each of which is a Health and a RegisterColony
    #[arg(long, default_value_t = 60.0, value_parser = above_0)]
    heartbeat: f64,
    /// Seconds that a lease lives: DEFAULT_TTL_SECONDS
    #[arg(long, default_value_t = 300.0, value_parser = above_0)]
    ttl: f64,
    /// Seconds that a poll for messages waits; 0 for colonies that do not poll
    #[arg(long, default_value_t = 25.0, value_parser = at_least_0)]
    poll: f64,
    /// How often an agent starts in a month: it looks its colony up, registers, and is looked up
    #[arg(long, default_value_t = 30.0, value_parser = at_least_0)]
    starts: f64,
    /// How many of an agent's starts in a month are its first: it gets a ticket and leaves a message
    #[arg(long, default_value_t = 0.0, value_parser = at_least_0)]
    bootstraps: f64,
    /// How many more lookups of colonies there are in a month
    #[arg(long, default_value_t = 0.0, value_parser = at_least_0)]
    lookups: f64,
    /// Which part of all lookups of colonies is answered from isolates' memory, 0 to 1
    #[arg(long, default_value_t = 0.0, value_parser = part)]
    memory: f64,
    /// Which part of all lookups of colonies is answered from KV, 0 to 1
    #[arg(long, default_value_t = 0.0, value_parser = part)]
    kv: f64,
    /// Processor time of a call in the Worker, in milliseconds
    #[arg(long, default_value_t = 1.0, value_parser = at_least_0)]
    cpu_ms: f64,
    /// How long an object is busy with a request, in milliseconds
    #[arg(long, default_value_t = 10.0, value_parser = at_least_0)]
    object_ms: f64,
    /// How many isolates serve at a time: each asks for the number of colonies twice a minute
    #[arg(long, default_value_t = 20.0, value_parser = at_least_0)]
    isolates: f64,
    /// Which part of all calls has a line in the log, 0 to 1; none with LOG_LEVEL=warn
    #[arg(long, default_value_t = 0.0, value_parser = part)]
    logged: f64,
}

/// Which server's bill it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Server {
    /// This service
    This,
    /// The TypeScript worker that it replaces
    Typescript,
}

fn number(text: &str, is_fit: impl Fn(f64) -> bool, must: &str) -> Result<f64, String> {
    let number = text
        .parse()
        .map_err(|_| format!("must be a number {must}"))?;
    let is_one = is_fit(number) && f64::is_finite(number);
    is_one.then_some(number).ok_or(format!("must be {must}"))
}

fn at_least_0(text: &str) -> Result<f64, String> {
    number(text, |number| number >= 0.0, "of at least 0")
}

fn above_0(text: &str) -> Result<f64, String> {
    number(text, |number| number > 0.0, "above 0")
}

fn part(text: &str) -> Result<f64, String> {
    number(
        text,
        |number| (0.0..=1.0).contains(&number),
        "between 0 and 1",
    )
}

/// A file, the mark of a table in it, and what makes it.
type Table = (&'static str, &'static str, fn(&Counts) -> String);

/// The tables of the documentation, each between two marks.
const TABLES: [Table; 5] = [
    ("README.md", "cost", tables::summary),
    ("docs/cost.md", "lines", tables::lines),
    ("docs/cost.md", "rfd", tables::corrected_plan),
    ("docs/cost.md", "levers", tables::levers),
    ("docs/cost.md", "predecessors", tables::predecessors),
];

/// Prints the bill of a site, or writes the tables of the documentation anew.
pub(crate) fn print(site: &Site, server: Server, blesses: bool) -> Result<()> {
    ensure!(
        site.memory + site.kv <= 1.0,
        "--memory and --kv are parts of all lookups: together at most 1"
    );
    let counts = Counts::read()?;
    if blesses {
        return bless(&counts);
    }
    let usage = match server {
        Server::This => usage::of_this(site, &counts),
        Server::Typescript => usage::of_typescript(site),
    };
    println!("{}", reports::of_site(site, &usage));
    if server == Server::This {
        println!("{}", reports::sensitivity(site, &counts));
    }
    Ok(())
}

fn bless(counts: &Counts) -> Result<()> {
    for (file, mark, table) in TABLES {
        let path = project::root().join(file);
        let text = fs::read_to_string(&path)?;
        let (before, _, after) = parts(&text, mark).with_context(|| file.to_owned())?;
        fs::write(&path, format!("{before}\n{}{after}", table(counts)))?;
    }
    Ok(())
}

/// A text up to a mark, between it and its end, and from there.
fn parts<'t>(text: &'t str, mark: &str) -> Result<(&'t str, &'t str, &'t str)> {
    let (start, end) = (format!("<!-- {mark} -->"), format!("<!-- /{mark} -->"));
    let from = text.find(&start).with_context(|| start.clone())? + start.len();
    let to = text.find(&end).with_context(|| end.clone())?;
    Ok((
        text.get(..from).unwrap_or_default(),
        text.get(from..to).unwrap_or_default(),
        text.get(to..).unwrap_or_default(),
    ))
}

impl Default for Site {
    /// That of RFD 046: as the arguments say.
    fn default() -> Self {
        Self {
            colonies: 1_000.0,
            agents: 10_000.0,
            heartbeat: 60.0,
            ttl: 300.0,
            poll: 25.0,
            starts: 30.0,
            bootstraps: 0.0,
            lookups: 0.0,
            memory: 0.0,
            kv: 0.0,
            cpu_ms: 1.0,
            object_ms: 10.0,
            isolates: 20.0,
            logged: 0.0,
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Arguments {
        #[command(flatten)]
        site: Site,
    }

    #[test]
    fn the_tables_of_the_documentation_are_current() {
        let counts = Counts::read().unwrap();
        for (file, mark, table) in TABLES {
            let text = fs::read_to_string(project::root().join(file)).unwrap();
            let (_, written, _) = parts(&text, mark).unwrap();
            let hint = "run `cargo xtask cost --bless`";
            assert_eq!(written.trim(), table(&counts).trim(), "{file}: {hint}");
        }
    }

    #[test]
    fn arguments_that_are_left_out_are_the_site_of_the_plan() {
        let site = Arguments::parse_from(["cost"]).site;
        assert_eq!(format!("{site:?}"), format!("{:?}", Site::default()));
        for wrong in ["--heartbeat=0", "--kv=2", "--colonies=-1", "--agents=x"] {
            assert!(
                Arguments::try_parse_from(["cost", wrong]).is_err(),
                "{wrong}"
            );
        }
    }
}
