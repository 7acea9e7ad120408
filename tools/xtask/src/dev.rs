//! The server for people.

use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::Path;
use std::thread;
use std::time::Duration;

use anyhow::{Context as _, Result};

use crate::command::{command, run};
use crate::{tools, workspace};

/// Serves until interrupted. wrangler builds the Worker first, and again when a file changes.
pub(crate) fn run_server(folder: &Path, port: u16, ttl: Option<u32>) -> Result<()> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port))
        .with_context(|| format!("port {port} is not free: choose another with --port"))?;
    tools::install()?;
    if folder == workspace::root() {
        thread::spawn(move || greet_when_ready(port));
    }
    let mut wrangler = command("wrangler")?;
    wrangler
        .current_dir(folder)
        // The one at the top of wrangler.toml.
        .args([
            "dev",
            "--env",
            "",
            "--ip",
            "127.0.0.1",
            "--port",
            &port.to_string(),
        ])
        .args(["--persist-to", ".wrangler/state"])
        // Its keys would hide the log.
        .arg("--show-interactive-dev-session=false")
        .env("WRANGLER_SEND_METRICS", "false");
    if let Some(ttl) = ttl {
        wrangler.args(["--var", &format!("DEFAULT_TTL_SECONDS:{ttl}")]);
    }
    run(&mut wrangler)
}

/// The first build takes minutes and writes much: what to try comes after it.
fn greet_when_ready(port: u16) {
    while TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_err() {
        thread::sleep(Duration::from_millis(500));
    }
    println!(
        r#"
coral-discovery answers on http://127.0.0.1:{port}. To try it:

  curl -H 'Content-Type: application/json' \
    -d '{{"mesh_id":"my-mesh","pubkey":"my-key","endpoints":["192.0.2.1:51820"]}}' \
    http://127.0.0.1:{port}/coral.discovery.v1.DiscoveryService/RegisterColony

  go -C tests/go run ./example -url http://127.0.0.1:{port}
"#
    );
}
