//! Our codecs against Go's.

use anyhow::Result;

use crate::command::{command, run};
use crate::{conformance, tools, workspace};

/// How many cases the test command compares, and from which seed.
pub(crate) const CASES: u64 = 20_000;
/// See [`CASES`].
pub(crate) const SEED: u64 = 1;

/// Compares what both make of random messages, of mutated JSON and of damaged binary.
pub(crate) fn compare(cases: u64, seed: u64) -> Result<()> {
    tools::install()?;
    let proto = conformance::proto()?;
    let image = workspace::root().join("target/conformance.binpb");
    run(command("buf")?
        .arg("build")
        .arg(&proto)
        .arg("--output")
        .arg(&image))?;
    run(command("cargo")?
        .args(["build", "--release", "--package", "differential"])
        .env("CONFORMANCE_PROTO", proto))?;
    run(command("go")?
        .args(["-C", "tests/go", "run", "./differential"])
        .args(["-cases", &cases.to_string(), "-seed", &seed.to_string()])
        .arg("-peer")
        .arg(workspace::root().join("target/release/differential"))
        .arg("-image")
        .arg(image))
}
