//! What puts the built Worker under load: Go programs that start it and call it with real clients.

use std::env;

use anyhow::Result;

use crate::command::{command, run};
use crate::{wasm_build, workspace};

/// The core that programs run on, where servers have the first for themselves.
const CLIENT_CORES: &str = "1-";

/// What looks at a deployment alone.
pub(crate) const SMOKE: &str = "smoke";

/// Builds the Worker for release and runs the program of that name in `tests/go`, with its own arguments.
pub(crate) fn program(name: &str, arguments: &[String]) -> Result<()> {
    let is_elsewhere = arguments.iter().any(|argument| argument.contains("-url"));
    if name != SMOKE && !is_elsewhere {
        wasm_build::build(workspace::root())?;
    }
    let program = workspace::root().join("target").join(name);
    run(command("go")?
        .args(["-C", "tests/go", "build", "-o"])
        .arg(&program)
        .arg(format!("./{name}")))?;
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let mut started = if cores > 1 && name == "bench" {
        let mut pinned = command("taskset")?;
        pinned
            .args(["-c", &format!("{CLIENT_CORES}{}", cores - 1)])
            .arg(&program);
        pinned
    } else {
        command(&program)?
    };
    // The program starts servers through this one, from the folder of the Go tests.
    run(started
        .args(arguments)
        .env("XTASK", env::current_exe()?)
        .current_dir(workspace::root().join("tests/go")))
}
