//! `cargo xtask <command>`: sets up the pinned tools, then builds, serves and tests the Worker.

mod audit;
mod buf;
mod ci;
mod command;
mod conformance;
mod cost;
mod dev;
mod differential;
mod docs;
mod fuzz;
mod go_tools;
mod keygen;
mod preflight;
mod serve;
mod summary;
mod tools;
mod wasm_build;
mod workspace;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};
use cost_model::Workload;

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
    Build(Worker),
    /// Serves the Worker on 127.0.0.1 with storage that lasts, and rebuilds it as files change
    Dev {
        /// The port to serve on
        #[arg(long, default_value_t = 8787)]
        port: u16,
        /// For how many seconds a lease lives
        #[arg(long, value_parser = clap::value_parser!(u32).range(1..=86_400))]
        ttl: Option<u32>,
        #[command(flatten)]
        worker: Worker,
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
    /// Measures processor time and latency beside the platform's floors: a few minutes
    Bench(Program),
    /// Bursts, a hot key, growth and hostile clients, with what they cost others: some minutes
    Load(Program),
    /// A million calls of all kinds, with what they leave behind: some minutes
    Soak(Program),
    /// Compares what clients see while workerd is killed again and again with the rules of leases
    Linearizability(Program),
    /// Looks at a deployment with real clients: `--url URL`; half a minute, and minutes more with `--expiry`
    Smoke(Program),
    /// Builds the Worker with its feature `broken` into target/broken-worker, for tests that must notice
    #[command(hide = true)]
    BuildBroken,
    /// What the conformance runner starts as a server
    #[command(hide = true)]
    ConformancePeer,
    /// Tells the conformance runner the server's port
    #[command(hide = true)]
    ConformanceReport,
    /// Writes the files that tests compare with anew, and shows the diff: look at it before committing it
    Bless,
    /// Measures what each call costs in requests to objects, rows and KV operations, and prints the table
    Costs {
        /// Write it into the README instead
        #[arg(long)]
        bless: bool,
    },
    /// A month's bill, from what calls were measured to use and Cloudflare's prices
    Cost {
        #[command(flatten)]
        workload: Workload,
        /// Which server's
        #[arg(long, value_enum, default_value = "this")]
        server: cost::Server,
        /// Write the tables of the documentation anew instead
        #[arg(long)]
        bless: bool,
    },
    /// Checks that the proto breaks no client in the field
    Breaking {
        /// The revision whose proto they speak; by default that of the branch main
        #[arg(long)]
        against: Option<String>,
    },
    /// Checks the links of the documentation, and builds its site
    Docs,
    /// Looks at licences, sources and known vulnerabilities of all that is depended on
    Audit {
        /// Fail where what is known cannot be asked for, as on a machine without a network
        #[arg(long)]
        required: bool,
    },
    /// Says what is missing before a deployment
    Preflight {
        /// The environment of wrangler.toml: staging or production
        environment: String,
        /// Only what the file tells, without an account
        #[arg(long)]
        offline: bool,
    },
    /// Prints a new key for tickets, as DISCOVERY_SIGNING_KEY has it
    Keygen,
    /// Serves the built Worker on plain workerd, without Cloudflare; the first line of its output tells the port
    Serve {
        /// The port to serve on; 0 takes a free one
        #[arg(long, default_value_t = 8080)]
        port: u16,
        /// The folder in which objects are kept
        #[arg(long, default_value = ".workerd")]
        storage: PathBuf,
        /// A variable, as the environment could give it
        #[arg(long = "var", value_name = "NAME=VALUE")]
        vars: Vec<String>,
        /// Serve what is in build/, however old it is
        #[arg(long)]
        no_build: bool,
        #[command(flatten)]
        worker: Worker,
    },
}

/// A program with arguments of its own.
#[derive(Args)]
struct Program {
    /// Its arguments: `-help` lists them
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    arguments: Vec<String>,
}

#[derive(Args)]
struct Worker {
    /// The folder of another Worker than the service, such as examples/greeter
    #[arg(long, value_name = "FOLDER")]
    worker: Option<PathBuf>,
}

impl Worker {
    fn folder(&self) -> PathBuf {
        let folder = self.worker.as_deref().unwrap_or(Path::new(""));
        // As joining an empty path would end it with a slash.
        workspace::root().join(folder).components().collect()
    }
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
        Command::Build(worker) => wasm_build::build(&worker.folder()),
        Command::Dev { port, ttl, worker } => dev::run_server(&worker.folder(), port, ttl),
        Command::Test => ci::run_all(),
        Command::Conformance => conformance::run_suite(),
        Command::Differential { cases, seed } => differential::compare(cases, seed),
        Command::Fuzz { seconds, target } => fuzz::run_all(seconds, target.as_deref()),
        Command::Bench(it) => go_tools::program("bench", &it.arguments),
        Command::Load(it) => go_tools::program("loadtest", &it.arguments),
        Command::Soak(it) => go_tools::program("soak", &it.arguments),
        Command::Linearizability(it) => go_tools::program("linearizability", &it.arguments),
        Command::Smoke(it) => go_tools::program(go_tools::SMOKE, &it.arguments),
        Command::BuildBroken => wasm_build::build_broken(),
        Command::ConformancePeer => conformance::peer(),
        Command::ConformanceReport => conformance::report(),
        Command::Bless => ci::bless(),
        Command::Costs { bless } => ci::costs(bless),
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
            audit::crates()?;
            audit::advisories(required)
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
            buf::breaking(against.as_deref())
        }
        Command::Serve {
            port,
            storage,
            vars,
            no_build,
            worker,
        } => {
            if !no_build {
                wasm_build::build(&worker.folder())?;
            }
            serve::exec(&worker.folder(), port, &storage, &vars)
        }
    }
}
