//! The command `test`: all checks and tests, the cheapest first.

use std::fs;

use anyhow::Result;

use crate::command::{cargo, run};
use crate::go_tools::{self, go, go_test};
use crate::summary::Summary;
use crate::worker_project::WorkerProject;
use crate::{audit, buf, conformance, differential, docs, preflight, tools, wasm_build, workspace};

/// Linter of GitHub workflows.
const ACTIONLINT: &str = "github.com/rhysd/actionlint/cmd/actionlint@v1.7.12";

/// Worker that serves another proto with the same crates.
const EXAMPLE: &str = "examples/greeter";

/// Crates that are compiled to wasm32.
const WASM_PACKAGES: [&str; 5] = [
    "--package=coral-discovery-worker",
    "--package=coral-discovery",
    "--package=coral-registry",
    "--package=connect-worker",
    "--package=greeter",
];

/// Crates of generated code, and those that it names: it must compile under a user's own lints.
const GENERATED_PACKAGES: [&str; 4] = [
    "--package=awkward",
    "--package=connect",
    "--package=connect-worker",
    "--package=greeter",
];

const DENY_WARNINGS: [&str; 3] = ["--", "-D", "warnings"];

/// Number of objects that share all leases in the second end-to-end run.
const SHARDS: &str = "64";

/// Runs all checks and tests, and prints the counts.
pub(crate) fn run_all() -> Result<()> {
    tools::install()?;
    let mut summary = Summary::default();
    check_rust(&mut summary);
    check_proto(&mut summary);
    summary.cargo_test(
        "unit, property and golden tests",
        cargo(&["test", "--workspace", "--no-fail-fast"]),
    );
    check_documentation(&mut summary);
    summary.check("GitHub workflows", check_workflows);
    check_go(&mut summary);
    summary.check("codecs compared with Go", || {
        differential::compare(differential::CASES, differential::SEED)
    });
    summary.check("licences and sources of dependencies", audit::check_crates);
    summary.check("advisories on dependencies", || {
        audit::check_advisories(false)
    });
    summary.check("conformance", conformance::run_suite);
    let is_built = build_workers(&mut summary);
    for environment in preflight::ENVIRONMENTS {
        summary.check(&format!("deployment to {environment}, dry run"), || {
            preflight::dry_run(environment)
        });
    }
    if is_built {
        test_end_to_end(&mut summary);
    }
    summary.finish()
}

fn check_rust(summary: &mut Summary) {
    summary.check_command("format", cargo(&["fmt", "--all", "--check"]));
    summary.check("lint for the host", || {
        run(cargo(&["clippy", "--workspace", "--all-targets"])?.args(DENY_WARNINGS))
    });
    summary.check("lint for wasm32", || {
        run(cargo(&["clippy", "--target", tools::WASM_TARGET])?
            .args(WASM_PACKAGES)
            .args(DENY_WARNINGS))
    });
    summary.check("pedantic lint of generated code", || {
        run(cargo(&["clippy"])?
            .args(GENERATED_PACKAGES)
            .args(DENY_WARNINGS)
            .args(["-D", "clippy::pedantic"]))
    });
}

fn check_proto(summary: &mut Summary) {
    summary.check("proto style", buf::lint);
    summary.check("proto is compatible with main", || {
        buf::check_breaking(None)
    });
    summary.check(
        "incompatible proto changes are detected",
        buf::check_that_breaking_is_detected,
    );
}

fn check_documentation(summary: &mut Summary) {
    summary.check("documentation of the crates", || {
        let mut rustdoc = cargo(&["doc", "--workspace", "--no-deps"])?;
        run(rustdoc.env("RUSTDOCFLAGS", "-D warnings"))
    });
    summary.check("links of the documentation", docs::check_links);
    summary.check("site of the documentation", || docs::build_site().map(drop));
}

fn check_go(summary: &mut Summary) {
    summary.check("generated Go clients", go_tools::check_clients);
    summary.check("format of Go code", go_tools::check_format);
    summary.check_command("vet of Go code", go(&["vet", "./..."]));
}

/// Lints the workflows of GitHub Actions.
fn check_workflows() -> Result<()> {
    let mut actionlint = go(&["run", ACTIONLINT])?;
    for file in fs::read_dir(workspace::root().join(".github/workflows"))? {
        actionlint.arg(file?.path());
    }
    run(&mut actionlint)
}

/// Builds the Workers that the end-to-end tests start. Returns whether all are built.
fn build_workers(summary: &mut Summary) -> bool {
    let service = summary.check("build of the service", || {
        wasm_build::build(&WorkerProject::service())
    });
    let example = summary.check("build of the example", || {
        wasm_build::build(&WorkerProject::in_folder(EXAMPLE))
    });
    service && example
}

fn test_end_to_end(summary: &mut Summary) {
    let with_events = ["-json", "-timeout=20m"];
    let all = go_test(&with_events).map(|mut test| {
        test.arg("./...");
        test
    });
    summary.go_test("end to end", all);
    // Once more with all leases in a few objects, as self-hosted servers have them.
    let sharded = go_test(&with_events).map(|mut test| {
        test.args(["-skip=^(TestOnCloudflare|TestExample)", "./e2e"])
            .env("E2E_REGISTRY_SHARDS", SHARDS);
        test
    });
    summary.go_test("end to end, self-hosted", sharded);
}
