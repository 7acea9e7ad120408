//! The fuzzer, for a while on each of its targets.

use std::fs;

use anyhow::{Context as _, Result};

use crate::command::{command, run};
use crate::{tools, workspace};

/// What is fuzzed, as `tests/fuzz` has it.
const TARGETS: [&str; 5] = ["request", "get", "gzip", "json", "binary"];

/// KiB of stack: what the fuzzer instruments takes many times what the Worker takes.
const STACK: &str = "262144";

/// Fuzzes each target for `seconds`, or only the one that is named. What is found out about the input stays below
/// `target/fuzz` for the next run; what breaks a promise ends it, and its input is told.
pub(crate) fn run_all(seconds: u32, only: Option<&str>) -> Result<()> {
    let cargo_fuzz = tools::cargo_fuzz()?;
    let folder = workspace::root().join("tests/fuzz");
    let found = workspace::root().join("target/fuzz");
    for target in TARGETS {
        if only.is_some_and(|only| only != target) {
            continue;
        }
        let corpus = found.join("corpus").join(target);
        let artifacts = found.join("artifacts").join(target);
        fs::create_dir_all(&corpus)?;
        fs::create_dir_all(&artifacts)?;
        let mut fuzz = command("sh")?;
        fuzz.args(["-c", &format!("ulimit -s {STACK} && exec \"$@\""), "sh"])
            .arg(&cargo_fuzz)
            .arg("run")
            .arg("--fuzz-dir")
            .arg(folder.join("libfuzzer"))
            .arg("--target-dir")
            .arg(found.join("build"))
            .arg(target)
            .arg(&corpus)
            .arg(folder.join("seeds").join(target))
            .arg("--")
            .arg(format!("-max_total_time={seconds}"))
            .arg(format!("-dict={}", folder.join("words.dict").display()))
            .arg(format!("-artifact_prefix={}/", artifacts.display()))
            // A message of 64 KiB must not make the service hold more than this.
            .args(["-rss_limit_mb=1024", "-malloc_limit_mb=256", "-timeout=10"])
            .args(["-print_final_stats=1", "-verbosity=0"])
            .env("RUSTUP_TOOLCHAIN", "nightly");
        run(&mut fuzz)
            .with_context(|| format!("{target}: the input is in {}", artifacts.display()))?;
    }
    println!("{seconds} seconds on each target, nothing found");
    Ok(())
}
