//! The command `dev`: a server for development, which follows changes of the code.

use std::io::{self, Read as _, Write as _};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;
use std::{env, thread};

use anyhow::{Context as _, Result};

use crate::command::{BUILD_FOR_DEV, command};
use crate::process_group::{Interruption, ProcessGroup};
use crate::worker_project::{Profile, WorkerProject};
use crate::{progress, wasm_build};

/// Bound on a response to the question whether the server is ready.
const RESPONSE_TIMEOUT: Duration = Duration::from_secs(2);

/// Returns the profile that `BUILD_FOR_DEV` chooses.
pub(crate) fn build_profile() -> Profile {
    match env::var_os(BUILD_FOR_DEV) {
        Some(value) if !value.is_empty() => Profile::Dev,
        _ => Profile::Release,
    }
}

/// Serves a Worker with wrangler until interrupted. wrangler builds it anew whenever a file
/// changes, and keeps its data in the folder `storage`.
pub(crate) fn run_server(
    worker: &WorkerProject,
    port: u16,
    storage: &Path,
    ttl: Option<u32>,
) -> Result<()> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port))
        .with_context(|| format!("port {port} is in use: choose another with --port"))?;
    let interruption = Interruption::catch()?;
    wasm_build::build(worker, Profile::Dev)?;
    progress::step("starting wrangler");
    let example = (*worker == WorkerProject::service()).then(|| example(port));
    thread::spawn(move || print_when_ready(port, example.as_deref()));
    let mut wrangler = command("wrangler")?;
    wrangler
        .current_dir(&worker.out_dir)
        .arg("dev")
        .arg(worker.build_dir(Profile::Dev).join("index.js"))
        // The environment at the top of wrangler.toml.
        .args(["--env", ""])
        .args(["--ip", "127.0.0.1", "--port", &port.to_string()])
        .arg("--persist-to")
        .arg(storage)
        // Its status bar would overwrite the log.
        .arg("--show-interactive-dev-session=false")
        .env(BUILD_FOR_DEV, "1")
        .env("WRANGLER_SEND_METRICS", "false")
        // Without the network, wrangler would warn that it cannot ask Cloudflare where it runs.
        .env("CLOUDFLARE_CF_FETCH_ENABLED", "false")
        .stdin(Stdio::null());
    if let Some(ttl) = ttl {
        wrangler.args(["--var", &format!("DEFAULT_TTL_SECONDS:{ttl}")]);
    }
    // Before wrangler starts, so that no signal is missed.
    interruption.defer();
    ProcessGroup::spawn(&mut wrangler)?.wait_or_end_on(&interruption)
}

/// Prints that the server is ready, and commands to try.
fn print_when_ready(port: u16, example: Option<&str>) {
    while !responds(port) {
        thread::sleep(Duration::from_millis(100));
    }
    progress::step(&format!("ready on http://127.0.0.1:{port}"));
    if let Some(example) = example {
        eprintln!("{example}");
    }
}

/// Returns whether a Worker responds. wrangler listens before it has started the Worker, and
/// responds with 500 or more then. The path may be unknown to the Worker.
pub(crate) fn responds(port: u16) -> bool {
    let request = || -> io::Result<String> {
        let mut connection = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
        connection.set_read_timeout(Some(RESPONSE_TIMEOUT))?;
        connection.write_all(b"GET /health HTTP/1.0\r\nHost: localhost\r\n\r\n")?;
        let mut response = String::new();
        connection.read_to_string(&mut response)?;
        Ok(response)
    };
    let response = request().unwrap_or_default();
    let status = response
        .split(' ')
        .nth(1)
        .and_then(|status| status.parse().ok());
    status.is_some_and(|status: u16| status < 500)
}

fn example(port: u16) -> String {
    format!(
        r#"
Try, in another terminal:

  curl -H 'Content-Type: application/json' \
    -d '{{"mesh_id":"my-mesh","pubkey":"my-key","endpoints":["192.0.2.1:51820"]}}' \
    http://127.0.0.1:{port}/coral.discovery.v1.DiscoveryService/RegisterColony

  go -C tests/go run ./cmd/example -url http://127.0.0.1:{port}
"#
    )
}
