//! The command `fuzz`: runs libFuzzer on each target.

use std::fs;

use anyhow::{Context as _, Result};

use crate::command::{command, run};
use crate::{tools, workspace};

/// Targets in `tests/fuzz/libfuzzer/targets`.
pub(crate) const TARGETS: [&str; 5] = ["request", "get", "gzip", "json", "binary"];

/// Stack size in KiB: instrumented code needs many times the stack of the Worker.
const STACK_KIB: &str = "262144";

/// Fuzzes each target for `seconds`, or only the target `only`.
///
/// The corpus is kept in `target/fuzz` for the next run. An input that fails ends the run.
pub(crate) fn run_all(seconds: u32, only: Option<&str>) -> Result<()> {
    let cargo_fuzz = tools::cargo_fuzz()?;
    let folder = workspace::root().join("tests/fuzz");
    let output = workspace::root().join("target/fuzz");
    for target in TARGETS {
        if only.is_some_and(|only| only != target) {
            continue;
        }
        let corpus = output.join("corpus").join(target);
        let artifacts = output.join("artifacts").join(target);
        fs::create_dir_all(&corpus)?;
        fs::create_dir_all(&artifacts)?;
        let mut fuzz = command("sh")?;
        fuzz.args(["-c", &format!("ulimit -s {STACK_KIB} && exec \"$@\""), "sh"])
            .arg(&cargo_fuzz)
            .arg("run")
            .arg("--fuzz-dir")
            .arg(folder.join("libfuzzer"))
            .arg("--target-dir")
            .arg(output.join("build"))
            .arg(target)
            .arg(&corpus)
            .arg(folder.join("seeds").join(target))
            .arg("--")
            .arg(format!("-max_total_time={seconds}"))
            .arg(format!("-dict={}", folder.join("words.dict").display()))
            .arg(format!("-artifact_prefix={}/", artifacts.display()))
            // Memory limits far above the service's needs for a message of 64 KiB.
            .args(["-rss_limit_mb=1024", "-malloc_limit_mb=256", "-timeout=10"])
            .args(["-print_final_stats=1", "-verbosity=0"])
            .env("RUSTUP_TOOLCHAIN", "nightly");
        run(&mut fuzz)
            .with_context(|| format!("{target} failed: its input is in {}", artifacts.display()))?;
    }
    println!("{seconds} seconds on each target, no failure");
    Ok(())
}
