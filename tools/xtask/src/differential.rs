//! The command `differential`: compares the codecs with Go's.

use std::env;

use anyhow::Result;

use crate::command::{cargo, command, run};
use crate::{conformance, go_tools, tools, workspace};

/// Number of cases by default.
pub(crate) const CASES: u64 = 20_000;
/// Seed of the random cases by default.
pub(crate) const SEED: u64 = 1;

/// Compares the results of both codecs for random messages, mutated JSON and damaged binary.
pub(crate) fn compare(cases: u64, seed: u64) -> Result<()> {
    go_tools::check_installed()?;
    tools::install()?;
    let proto = conformance::proto()?;
    let image = workspace::root().join("target/conformance.binpb");
    run(command("buf")?
        .arg("build")
        .arg(&proto)
        .arg("--output")
        .arg(&image))?;
    // With the profile `dev`, overflows are detected, and tests have compiled most of it already.
    let profile = if cases > CASES { "release" } else { "dev" };
    run(
        cargo(&["build", "--package", "differential", "--profile", profile])?
            .env(conformance::PROTO, proto),
    )?;
    // cargo puts it beside this program, or into the folder beside.
    let debug = env::current_exe()?;
    let peer = match profile {
        "release" => debug.with_file_name("../release/differential"),
        _ => debug.with_file_name("differential"),
    };
    run(go_tools::go(&["run", "./cmd/differential"])?
        .args(["-cases", &cases.to_string(), "-seed", &seed.to_string()])
        .arg("-peer")
        .arg(peer)
        .arg("-image")
        .arg(image))
}
