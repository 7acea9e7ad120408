//! The command `conformance`: Connect's conformance suite against the generated router and codecs.

use std::env;
use std::io::{self, BufRead as _, Read as _};
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::slice;

use anyhow::{Context as _, Result, ensure};
use prost::Message;
use serde::Deserialize;

use crate::command::{command, run};
use crate::worker_project::{Profile, WorkerProject};
use crate::{go_tools, serve, tools, user_cache, wasm_build, workspace};

/// Go module of the suite and its proto.
const MODULE: &str = "connectrpc.com/conformance";
const VERSION: &str = "v1.0.7";

/// Worker that implements the suite's service.
const FOLDER: &str = "tests/conformance";

/// Builds the service and runs the suite against it in workerd.
pub(crate) fn run_suite() -> Result<()> {
    go_tools::check_installed()?;
    tools::install()?;
    let runner = runner()?;
    let worker = WorkerProject::in_folder(FOLDER);
    wasm_build::build_all(
        slice::from_ref(&worker),
        Profile::Release,
        &[(PROTO, &proto()?)],
    )?;
    run(command(runner)?
        .args(["--mode", "server", "-v", "--conf"])
        .arg(worker.out_dir.join("unary.yaml"))
        .arg("--")
        .arg(env::current_exe()?)
        .arg("conformance-peer"))
}

/// Serves the Worker for the runner, which starts this command.
///
/// Reads the runner's request and becomes workerd, so that the runner's signals reach workerd.
/// A child process reads the port from workerd's output and reports it to the runner.
pub(crate) fn peer() -> Result<()> {
    let request = read_message(&mut io::stdin())?;
    ensure!(!request.is_empty(), "the runner sent an empty request");
    let mut reporter = Command::new(env::current_exe()?)
        .arg("conformance-report")
        .stdin(Stdio::piped())
        .spawn()?;
    let output = reporter.stdin.take().context("the input is not piped")?;
    let storage = workspace::root().join("target/conformance");
    let worker = WorkerProject::in_folder(FOLDER);
    let error = serve::workerd(&worker, Profile::Release, 0, &storage)?
        .stdout(Stdio::from(output))
        .exec();
    Err(error).context("workerd")
}

/// Reads workerd's output and reports the port in it to the runner.
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
            write_message(&mut io::stdout().lock(), &response.encode_to_vec())?;
        } else {
            eprintln!("{line}");
        }
    }
    Ok(())
}

/// `connectrpc.conformance.v1.ServerCompatResponse`, with the fields of a server without TLS.
#[derive(Message)]
struct ServerCompatResponse {
    #[prost(string, tag = "1")]
    host: String,
    #[prost(uint32, tag = "2")]
    port: u32,
}

/// Reads a message in the runner's framing: four bytes of size, then the message.
fn read_message(input: &mut impl io::Read) -> Result<Vec<u8>> {
    let mut size = [0; 4];
    input.read_exact(&mut size)?;
    let mut message = Vec::new();
    let size = u64::from(u32::from_be_bytes(size));
    input.take(size).read_to_end(&mut message)?;
    Ok(message)
}

/// Writes a message in the runner's framing.
fn write_message(output: &mut impl io::Write, message: &[u8]) -> Result<()> {
    output.write_all(&u32::try_from(message.len())?.to_be_bytes())?;
    output.write_all(message)?;
    Ok(output.flush()?)
}

/// Installs the runner, once for this user. Returns its path.
fn runner() -> Result<PathBuf> {
    let folder = user_cache::folder()?.join(format!("connectconformance-{VERSION}"));
    let installed = folder.join("connectconformance");
    if !installed.is_file() {
        let package = format!("{MODULE}/cmd/connectconformance@{VERSION}");
        run(command("go")?
            .args(["install", &package])
            .env("GOBIN", &folder))?;
    }
    Ok(installed)
}

/// Variable that names the folder of the suite's proto files for build scripts.
pub(crate) const PROTO: &str = "CONFORMANCE_PROTO";

/// Lets cargo compile the code that is generated for Connect's conformance suite as well. With and
/// without it in turns, cargo would compile those crates each time.
pub(crate) fn with_proto(mut cargo: Command) -> Result<Command> {
    cargo.env(PROTO, proto()?);
    Ok(cargo)
}

/// Downloads the suite's Go module. Returns the folder of its proto files.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_framed_with_their_size() {
        let mut framed = Vec::new();
        write_message(&mut framed, b"abc").unwrap();
        assert_eq!(framed, *b"\0\0\0\x03abc");
        assert_eq!(read_message(&mut framed.as_slice()).unwrap(), b"abc");
    }
}
