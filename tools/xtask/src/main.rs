//! `cargo xtask <command>`: sets up the pinned tools, then builds, serves and tests the Worker.

mod audit;
mod bindings;
mod bless;
mod buf;
mod checks;
mod command;
mod conformance;
mod cost;
mod dev;
mod differential;
mod dist;
mod docs;
mod fuzz;
mod go_tools;
mod keygen;
mod layers;
mod lint;
mod node;
mod npm;
mod operations;
mod preflight;
mod process_group;
mod progress;
mod sbom;
mod serve;
#[cfg(test)]
mod style;
mod summary;
mod test_groups;
mod tools;
mod user_cache;
mod wasm_build;
mod wasm_compile;
mod worker_project;
mod workspace;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};
use cost_model::Workload;

use crate::test_groups::Selection;
use crate::worker_project::{Profile, WorkerProject};

#[derive(Parser)]
#[command(about, bin_name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Installs missing tools
    Setup,
    /// Builds the Worker for release into build/
    Build(WorkerArguments),
    /// Serves the Worker on 127.0.0.1 with persistent storage, and rebuilds it when files change
    Dev {
        /// Port to listen on
        #[arg(long, default_value_t = 8787)]
        port: u16,
        /// Folder of the data, from that of wrangler.toml
        #[arg(long, default_value = ".wrangler/state")]
        storage: PathBuf,
        /// Seconds until a lease expires
        #[arg(long, value_parser = clap::value_parser!(u32).range(1..=86_400))]
        ttl: Option<u32>,
        #[command(flatten)]
        worker: WorkerArguments,
    },
    /// Runs all tests, or some of them
    Test {
        /// Run only unit and golden tests, and a smoke test end to end: within a minute
        #[arg(long)]
        quick: bool,
        /// Groups to run (lint, unit, conformance, wasm, docs, e2e), or `e2e` with options of go
        /// test, as in `e2e -run TestLookup`
        #[arg(
            value_name = "GROUP",
            trailing_var_arg = true,
            allow_hyphen_values = true
        )]
        groups: Vec<String>,
    },
    /// Runs checks that need more tools: dependencies, workflows, the site, the bundle
    Check {
        /// Fail if advisories are unavailable, as without a network
        #[arg(long)]
        required: bool,
    },
    /// Makes the bundle that is deployed without Rust, in target/dist
    Dist,
    /// Runs Connect's conformance suite against the generated code in workerd
    Conformance,
    /// Compares the codecs with Go's on random messages, mutated JSON and damaged binary
    Differential {
        /// Number of messages
        #[arg(long, default_value_t = differential::CASES)]
        cases: u64,
        /// Seed of the random messages
        #[arg(long, default_value_t = differential::SEED)]
        seed: u64,
    },
    /// Fuzzes the service and the codecs with nightly Rust
    Fuzz {
        /// Seconds on each target
        #[arg(long, default_value_t = 60)]
        seconds: u32,
        /// The only target to fuzz
        #[arg(long, value_parser = fuzz::TARGETS)]
        target: Option<String>,
    },
    /// Measures CPU time and latency of calls beside those of minimal Workers, in a few minutes
    Bench(ProgramArguments),
    /// Measures bursts, a hot key, growth and hostile clients, in some minutes
    Load(ProgramArguments),
    /// Makes a million calls of all kinds, then checks memory, log and storage; in some minutes
    Soak(ProgramArguments),
    /// Compares clients' histories with the rules of leases while workerd is killed repeatedly
    Linearizability(ProgramArguments),
    /// Tests a deployment with real clients: `--url URL`; in half a minute, with `--expiry` in some
    Smoke(ProgramArguments),
    /// Serves the conformance Worker for the conformance runner
    #[command(hide = true)]
    ConformancePeer,
    /// Reports the port of the conformance Worker to the conformance runner
    #[command(hide = true)]
    ConformanceReport,
    /// Rewrites generated files and golden files, and shows the difference: review it
    Bless,
    /// Measures the operations of each call (object requests, rows, KV) and prints the table
    Operations {
        /// Write the table into docs/operations.md instead
        #[arg(long)]
        bless: bool,
    },
    /// Prints the bill of a month, from measured operations and Cloudflare's prices
    Cost {
        #[command(flatten)]
        workload: Workload,
        /// Server whose bill is printed
        #[arg(long, value_enum, default_value = "this")]
        server: cost::Server,
        /// Rewrite the tables of the documentation instead
        #[arg(long)]
        bless: bool,
    },
    /// Checks that the proto is compatible with existing clients
    Breaking {
        /// Revision that the clients were generated from, by default that of the branch main
        #[arg(long)]
        against: Option<String>,
    },
    /// Checks the links of the documentation and builds its site
    Docs,
    /// Checks licences, sources and known vulnerabilities of dependencies
    Audit {
        /// Fail if advisories are unavailable, as without a network
        #[arg(long)]
        required: bool,
    },
    /// Checks that an environment is ready to be deployed
    Preflight {
        /// Environment of wrangler.toml: staging or production
        environment: String,
        /// Check only the file, without an account
        #[arg(long)]
        offline: bool,
    },
    /// Prints a new signing key for bootstrap tokens, in the format of DISCOVERY_SIGNING_KEY
    Keygen,
    /// Serves the built Worker on plain workerd, without Cloudflare; first prints the port
    Serve {
        /// Port to listen on; 0 chooses a free one
        #[arg(long, default_value_t = 8080)]
        port: u16,
        /// Folder that stores the objects
        #[arg(long, default_value = ".workerd")]
        storage: PathBuf,
        /// Variable for the Worker, in addition to those of the environment
        #[arg(long = "var", value_name = "NAME=VALUE")]
        vars: Vec<String>,
        /// Serve the build for development
        #[arg(long)]
        dev: bool,
        /// Serve the existing build without building first
        #[arg(long)]
        no_build: bool,
        #[command(flatten)]
        worker: WorkerArguments,
    },
}

#[derive(Args)]
struct ProgramArguments {
    /// Arguments of the program: `-help` lists them
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    arguments: Vec<String>,
}

#[derive(Args)]
struct WorkerArguments {
    /// Folder of a Worker other than the service, such as examples/greeter
    #[arg(long, value_name = "FOLDER")]
    worker: Option<PathBuf>,
}

impl WorkerArguments {
    fn project(&self) -> WorkerProject {
        match &self.worker {
            None => WorkerProject::service(),
            Some(folder) => WorkerProject::in_folder(folder),
        }
    }
}

fn main() -> ExitCode {
    progress::start();
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
        Command::Build(worker) => wasm_build::build(&worker.project(), dev::build_profile()),
        Command::Dev {
            port,
            storage,
            ttl,
            worker,
        } => dev::run_server(&worker.project(), port, &storage, ttl),
        Command::Test { quick, groups } => {
            test_groups::run_selection(&Selection::parse(quick, &groups)?)
        }
        Command::Check { required } => checks::run_all(required),
        Command::Dist => dist::make().map(drop),
        Command::Conformance => conformance::run_suite(),
        Command::Differential { cases, seed } => differential::compare(cases, seed),
        Command::Fuzz { seconds, target } => fuzz::run_all(seconds, target.as_deref()),
        Command::Bench(program) => go_tools::run_program("bench", &program.arguments),
        Command::Load(program) => go_tools::run_program("loadtest", &program.arguments),
        Command::Soak(program) => go_tools::run_program("soak", &program.arguments),
        Command::Linearizability(program) => {
            go_tools::run_program("linearizability", &program.arguments)
        }
        Command::Smoke(program) => go_tools::run_program(go_tools::SMOKE, &program.arguments),
        Command::ConformancePeer => conformance::peer(),
        Command::ConformanceReport => conformance::report(),
        Command::Bless => bless::bless(),
        Command::Operations { bless } => operations::measure(bless),
        Command::Cost {
            workload,
            server,
            bless,
        } => cost::print(&workload, server, bless),
        Command::Docs => {
            tools::install()?;
            docs::check_links()?;
            println!("{}", docs::build_site()?.join("index.html").display());
            Ok(())
        }
        Command::Audit { required } => {
            audit::check_crates()?;
            audit::check_advisories(required)
        }
        Command::Preflight {
            environment,
            offline,
        } => {
            tools::install()?;
            preflight::check(&environment, offline)
        }
        Command::Keygen => keygen::print(),
        Command::Breaking { against } => {
            tools::install()?;
            buf::check_breaking(against.as_deref())
        }
        Command::Serve {
            port,
            storage,
            vars,
            dev,
            no_build,
            worker,
        } => {
            let project = worker.project();
            let profile = if dev {
                Profile::Dev
            } else {
                dev::build_profile()
            };
            if !no_build {
                wasm_build::build(&project, profile)?;
            }
            serve::exec(&project, profile, port, &storage, &vars)
        }
    }
}
