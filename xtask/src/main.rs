//! `cargo xtask <command>`: sets up the pinned tools, then builds, serves and tests the Worker.

mod conformance;
mod dev;
mod differential;
mod fuzz;
mod process;
mod project;
mod serve;
mod suite;
mod tally;
mod tools;
mod worker;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(about, bin_name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Installs the tools that are missing and does no more
    Setup,
    /// Builds the Worker for release into build/
    Build,
    /// Serves the Worker on 127.0.0.1 with storage that lasts, and rebuilds it as files change
    Dev {
        /// The port to serve on
        #[arg(long, default_value_t = 8787)]
        port: u16,
        /// For how many seconds a lease lives
        #[arg(long, value_parser = clap::value_parser!(u32).range(1..=86_400))]
        ttl: Option<u32>,
    },
    /// Runs every check and every test
    Test,
    /// Runs Connect's conformance suite against the generated code in workerd
    Conformance,
    /// Compares our codecs with Go's on random messages and mutated JSON
    Differential {
        /// How many messages
        #[arg(long, default_value_t = differential::CASES)]
        cases: u64,
        /// Where randomness starts
        #[arg(long, default_value_t = differential::SEED)]
        seed: u64,
    },
    /// Fuzzes the service and the codecs, on nightly Rust
    Fuzz {
        /// For how long, on each target
        #[arg(long, default_value_t = 60)]
        seconds: u32,
        /// Only this one: request, get, gzip, json or binary
        #[arg(long)]
        target: Option<String>,
    },
    /// What the conformance runner starts as a server
    #[command(hide = true)]
    ConformancePeer,
    /// Tells the conformance runner the server's port
    #[command(hide = true)]
    ConformanceReport,
    /// Writes the files that tests compare with anew: look at the diff before committing it
    Bless,
    /// Serves what is in build/ on plain workerd; the first line of its output tells the port
    Serve {
        /// The port to serve on; 0 takes a free one
        #[arg(long, default_value_t = 0)]
        port: u16,
        /// Where objects are kept
        #[arg(long)]
        storage: PathBuf,
        /// A variable, in place of the one in wrangler.toml
        #[arg(long = "var", value_name = "NAME=VALUE")]
        vars: Vec<String>,
    },
}

fn main() -> ExitCode {
    match run(Arguments::parse().command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(command: Command) -> anyhow::Result<()> {
    match command {
        Command::Setup => tools::install(),
        Command::Build => worker::build(),
        Command::Dev { port, ttl } => dev::run_server(port, ttl),
        Command::Test => suite::run_all(),
        Command::Conformance => conformance::run_suite(),
        Command::Differential { cases, seed } => differential::compare(cases, seed),
        Command::Fuzz { seconds, target } => fuzz::run_all(seconds, target.as_deref()),
        Command::ConformancePeer => conformance::peer(),
        Command::ConformanceReport => conformance::report(),
        Command::Bless => suite::bless(),
        Command::Serve {
            port,
            storage,
            vars,
        } => serve::exec(port, &storage, &vars),
    }
}
