//! The command `differential`: compares the codecs with Go's.

use anyhow::Result;

use crate::command::{cargo, command, run};
use crate::{conformance, go_tools, tools, workspace};

/// Number of cases by default.
pub(crate) const CASES: u64 = 20_000;
/// Seed of the random cases by default.
pub(crate) const SEED: u64 = 1;

/// Compares the results of both codecs for random messages, mutated JSON and damaged binary.
pub(crate) fn compare(cases: u64, seed: u64) -> Result<()> {
    tools::install()?;
    let proto = conformance::proto()?;
    let image = workspace::root().join("target/conformance.binpb");
    run(command("buf")?
        .arg("build")
        .arg(&proto)
        .arg("--output")
        .arg(&image))?;
    run(cargo(&["build", "--release", "--package", "differential"])?
        .env("CONFORMANCE_PROTO", proto))?;
    run(go_tools::go(&["run", "./cmd/differential"])?
        .args(["-cases", &cases.to_string(), "-seed", &seed.to_string()])
        .arg("-peer")
        .arg(workspace::root().join("target/release/differential"))
        .arg("-image")
        .arg(image))
}
