//! The command `dev`: a server for development, which follows changes of the code.

use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::thread;
use std::time::Duration;

use anyhow::{Context as _, Result};

use crate::command::{command, run};
use crate::tools;
use crate::worker_project::WorkerProject;

/// Serves a Worker with wrangler until interrupted. wrangler builds it first, and again whenever
/// a file changes.
pub(crate) fn run_server(worker: &WorkerProject, port: u16, ttl: Option<u32>) -> Result<()> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port))
        .with_context(|| format!("port {port} is in use: choose another with --port"))?;
    tools::install()?;
    if *worker == WorkerProject::service() {
        thread::spawn(move || print_examples_when_ready(port));
    }
    let mut wrangler = command("wrangler")?;
    wrangler
        .current_dir(&worker.out_dir)
        // The environment at the top of wrangler.toml.
        .args(["dev", "--env", ""])
        .args(["--ip", "127.0.0.1", "--port", &port.to_string()])
        .args(["--persist-to", ".wrangler/state"])
        // Its status bar would overwrite the log.
        .arg("--show-interactive-dev-session=false")
        .env("WRANGLER_SEND_METRICS", "false");
    if let Some(ttl) = ttl {
        wrangler.args(["--var", &format!("DEFAULT_TTL_SECONDS:{ttl}")]);
    }
    run(&mut wrangler)
}

/// Prints commands to try, after the output of the first build, which takes minutes.
fn print_examples_when_ready(port: u16) {
    while TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_err() {
        thread::sleep(Duration::from_millis(500));
    }
    println!(
        r#"
coral-discovery listens on http://127.0.0.1:{port}. Try:

  curl -H 'Content-Type: application/json' \
    -d '{{"mesh_id":"my-mesh","pubkey":"my-key","endpoints":["192.0.2.1:51820"]}}' \
    http://127.0.0.1:{port}/coral.discovery.v1.DiscoveryService/RegisterColony

  go -C tests/go run ./cmd/example -url http://127.0.0.1:{port}
"#
    );
}
