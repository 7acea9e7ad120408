//! Connect's own conformance suite against the generated router and codecs.

use std::env;
use std::io::{self, BufRead as _, Read as _, Write as _};
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, ensure};
use prost::Message;
use serde::Deserialize;

use crate::command::{command, run};
use crate::{serve, tools, wasm_build, workspace};

/// The suite and its proto.
const MODULE: &str = "connectrpc.com/conformance";
const VERSION: &str = "v1.0.7";

/// Where the service is that the suite calls.
const FOLDER: &str = "tests/conformance";

/// Builds the service and runs the suite against it in workerd.
pub(crate) fn run_suite() -> Result<()> {
    tools::install()?;
    let runner = runner()?;
    let folder = workspace::root().join(FOLDER);
    wasm_build::build_with(&folder, &[("CONFORMANCE_PROTO", &proto()?)])?;
    run(command(runner)?
        .args(["--mode", "server", "-v", "--conf"])
        .arg(folder.join("unary.yaml"))
        .arg("--")
        .arg(env::current_exe()?)
        .arg("conformance-peer"))
}

/// The program that the runner starts: takes the runner's request, and becomes workerd, so that
/// the runner's signals reach it. A child tells the runner the port, which workerd knows first.
pub(crate) fn peer() -> Result<()> {
    let request = read_message(&mut io::stdin())?;
    ensure!(!request.is_empty(), "the runner asked for nothing");
    let mut reporter = Command::new(env::current_exe()?)
        .arg("conformance-report")
        .stdin(Stdio::piped())
        .spawn()?;
    let output = reporter.stdin.take().context("the reporter has no input")?;
    let storage = workspace::root().join("target/conformance");
    let error = serve::command(&workspace::root().join(FOLDER), 0, &storage)?
        .stdout(Stdio::from(output))
        .exec();
    Err(error).context("workerd")
}

/// Reads workerd's output, and tells the runner the port that it names.
pub(crate) fn report() -> Result<()> {
    #[derive(Deserialize)]
    struct Event {
        port: u32,
    }
    for line in io::stdin().lock().lines() {
        let line = line?;
        if let Ok(Event { port }) = serde_json::from_str(&line) {
            let response = ServerCompatResponse {
                host: "127.0.0.1".to_owned(),
                port,
            };
            let response = response.encode_to_vec();
            let size = u32::try_from(response.len())?.to_be_bytes();
            let mut out = io::stdout().lock();
            out.write_all(&size)?;
            out.write_all(&response)?;
            out.flush()?;
        } else {
            eprintln!("{line}");
        }
    }
    Ok(())
}

/// `connectrpc.conformance.v1.ServerCompatResponse`, as far as a server without TLS fills it.
#[derive(Message)]
struct ServerCompatResponse {
    #[prost(string, tag = "1")]
    host: String,
    #[prost(uint32, tag = "2")]
    port: u32,
}

/// Reads a message as the runner frames it: four bytes of size, then the message.
fn read_message(input: &mut impl io::Read) -> Result<Vec<u8>> {
    let mut size = [0; 4];
    input.read_exact(&mut size)?;
    let mut message = Vec::new();
    let size = u64::from(u32::from_be_bytes(size));
    input.take(size).read_to_end(&mut message)?;
    Ok(message)
}

/// The runner, installed once for this user.
fn runner() -> Result<PathBuf> {
    let folder = tools::cache()?.join(format!("connectconformance-{VERSION}"));
    let installed = folder.join("connectconformance");
    if !installed.is_file() {
        let package = format!("{MODULE}/cmd/connectconformance@{VERSION}");
        run(command("go")?
            .args(["install", &package])
            .env("GOBIN", &folder))?;
    }
    Ok(installed)
}

/// The suite's proto files, from its Go module.
pub(crate) fn proto() -> Result<PathBuf> {
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Download {
        dir: PathBuf,
    }
    let module = format!("{MODULE}@{VERSION}");
    let output = command("go")?
        .args(["mod", "download", "-json", &module])
        .output()?;
    let download: Download = serde_json::from_slice(&output.stdout)
        .with_context(|| String::from_utf8_lossy(&output.stderr).into_owned())?;
    Ok(download.dir.join("proto"))
}
