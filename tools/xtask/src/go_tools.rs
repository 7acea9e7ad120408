//! Go programs and tests in `tests/go`, and their generated clients.

use std::env;
use std::process::Command;

use anyhow::{Result, bail, ensure};

use crate::command::{command, run};
use crate::worker_project::{Profile, WorkerProject};
use crate::{wasm_build, workspace};

/// Folder of the Go module.
const FOLDER: &str = "tests/go";

/// First core of client programs. Servers under measurement have core 0 for themselves.
const FIRST_CLIENT_CORE: &str = "1-";

/// Program that tests a deployment, and so needs no build.
pub(crate) const SMOKE: &str = "smoke";

/// Builds the Worker, then runs the program `cmd/<name>` with its own arguments.
pub(crate) fn run_program(name: &str, arguments: &[String]) -> Result<()> {
    check_installed()?;
    let is_remote = arguments.iter().any(|argument| argument.contains("-url"));
    if name != SMOKE && !is_remote {
        wasm_build::build(&WorkerProject::service(), Profile::Release)?;
    }
    let program = workspace::root().join("target").join(name);
    run(go(&["build", "-o"])?
        .arg(&program)
        .arg(format!("./cmd/{name}")))?;
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let mut started = if cores > 1 && name == "bench" {
        let mut pinned = command("taskset")?;
        pinned
            .args(["-c", &format!("{FIRST_CLIENT_CORE}{}", cores - 1)])
            .arg(&program);
        pinned
    } else {
        command(&program)?
    };
    // The program starts servers with this executable, and expects to run in the Go module.
    run(started
        .args(arguments)
        .env("XTASK", env::current_exe()?)
        .current_dir(workspace::root().join(FOLDER)))
}

/// Builds a command of go that runs in the Go module.
pub(crate) fn go(arguments: &[&str]) -> Result<Command> {
    let mut go = command("go")?;
    go.args(["-C", FOLDER]).args(arguments);
    Ok(go)
}

/// Builds a `go test` whose tests start servers with this executable instead of cargo.
pub(crate) fn go_test(arguments: &[&str]) -> Result<Command> {
    let mut test = go(&["test", "-count=1"])?;
    test.args(arguments).env("XTASK", env::current_exe()?);
    Ok(test)
}

/// Builds a `go test` that gotestsum lists by name and counts. `go.mod` pins gotestsum.
pub(crate) fn go_test_summary() -> Result<Command> {
    let mut test = go(&["tool", "gotestsum", "--format=testname", "--", "-count=1"])?;
    test.env("XTASK", env::current_exe()?);
    Ok(test)
}

/// Checks that Go is installed. go itself checks its version against `go.mod`.
pub(crate) fn check_installed() -> Result<()> {
    let version = Command::new("go").arg("version").output();
    let is_installed = version.is_ok_and(|version| version.status.success());
    ensure!(
        is_installed,
        "Go is missing: install Go 1.26 or newer from https://go.dev/dl"
    );
    Ok(())
}

/// Lists the packages of the Go module, except one.
pub(crate) fn packages_except(excluded: &str) -> Result<Vec<String>> {
    let listed = go(&["list", "./..."])?.output()?;
    ensure!(
        listed.status.success(),
        "go list: {}",
        String::from_utf8_lossy(&listed.stderr)
    );
    let suffix = excluded.trim_start_matches('.');
    let listed = String::from_utf8(listed.stdout)?;
    let (found, kept): (Vec<_>, Vec<_>) = listed
        .lines()
        .map(str::to_owned)
        .partition(|package| package.ends_with(suffix));
    ensure!(!found.is_empty(), "{FOLDER} has no package {excluded}");
    Ok(kept)
}

/// Generates the Go clients.
pub(crate) fn generate_clients() -> Result<()> {
    let mut buf = command("buf")?;
    run(buf
        .arg("generate")
        .current_dir(workspace::root().join(FOLDER)))
}

/// Checks that the generated Go clients match the proto. Generates them anew otherwise.
pub(crate) fn check_clients() -> Result<()> {
    let folder = workspace::root().join(FOLDER).join("gen");
    let before = workspace::read_tree(&folder)?;
    generate_clients()?;
    if workspace::read_tree(&folder)? != before {
        bail!("{FOLDER}/gen did not match the proto: commit the files just generated");
    }
    Ok(())
}

/// Checks the format of Go code.
pub(crate) fn check_format() -> Result<()> {
    // gofmt lists the files that it would change, and succeeds.
    let listed = command("gofmt")?.args(["-l", FOLDER]).output()?;
    let listed = String::from_utf8_lossy(&listed.stdout);
    ensure!(
        listed.is_empty(),
        "not formatted: run `gofmt -w {FOLDER}`\n{listed}"
    );
    Ok(())
}
