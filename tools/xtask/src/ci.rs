//! The command `test`: all checks and tests, in groups that CI runs in parallel.

use std::fs;
use std::process::Command;

use anyhow::Result;
use clap::ValueEnum;

use crate::command::{cargo, run};
use crate::go_tools::{self, go, go_test};
use crate::summary::Summary;
use crate::worker_project::WorkerProject;
use crate::{
    audit, buf, conformance, differential, docs, layers, preflight, tools, wasm_build, workspace,
};

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

/// Go package that tests the commands and examples in the documentation.
const DOCS_PACKAGE: &str = "./docs";

/// Checks that one job of CI runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Group {
    /// Formats, lints, protos, workflows and generated Go clients
    Lint,
    /// Unit, property, golden and compile tests
    Unit,
    /// Licences, sources, duplicates and advisories of dependencies
    Audit,
    /// Connect's conformance suite, and the comparison of the codecs with Go's
    Conformance,
    /// Builds of the Workers, and dry runs of their deployments
    Wasm,
    /// Documentation of the crates, links, site, commands and examples
    Docs,
    /// End-to-end tests against the built Workers
    E2e,
}

/// The cases of a property test. By itself, `cargo test` runs a fifth, so that it takes seconds.
const PROPTEST_CASES: &str = "1280";

/// Runs the checks of some groups, or of all if `only` is empty, and prints the counts.
pub(crate) fn run_groups(only: &[Group]) -> Result<()> {
    let includes = |group| only.is_empty() || only.contains(&group);
    tools::install()?;
    let mut summary = Summary::default();
    if includes(Group::Lint) {
        lint(&mut summary);
    }
    if includes(Group::Unit) {
        let test = cargo(&["test", "--workspace", "--no-fail-fast"]).map(|mut test| {
            test.env("PROPTEST_CASES", PROPTEST_CASES);
            test
        });
        summary.cargo_test("unit, property, golden and compile tests", test);
    }
    if includes(Group::Audit) {
        summary.check("licences and sources of dependencies", audit::check_crates);
        summary.check("advisories on dependencies", || {
            audit::check_advisories(false)
        });
    }
    if includes(Group::Conformance) {
        summary.check("conformance", conformance::run_suite);
        summary.check("codecs compared with Go", || {
            differential::compare(differential::CASES, differential::SEED)
        });
    }
    // Tests of other groups start the Workers, too.
    let needs_workers = [Group::Wasm, Group::Docs, Group::E2e]
        .into_iter()
        .any(includes);
    let is_built = needs_workers && build_workers(&mut summary);
    if includes(Group::Wasm) {
        for environment in preflight::ENVIRONMENTS {
            summary.check(&format!("deployment to {environment}, dry run"), || {
                preflight::dry_run(environment)
            });
        }
    }
    if includes(Group::Docs) {
        check_documentation(&mut summary);
        if is_built {
            summary.go_test(
                "commands and examples of the documentation",
                end_to_end(&[DOCS_PACKAGE.to_owned()]),
            );
        }
    }
    if includes(Group::E2e) && is_built {
        test_end_to_end(&mut summary);
    }
    summary.finish()
}

fn lint(summary: &mut Summary) {
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
    summary.check(
        "the service has no platform crate",
        layers::check_dependencies,
    );
    summary.check("proto style", buf::lint);
    summary.check("proto is compatible with main", || {
        buf::check_breaking(None)
    });
    summary.check(
        "incompatible proto changes are detected",
        buf::check_that_breaking_is_detected,
    );
    summary.check("GitHub workflows", check_workflows);
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

fn check_documentation(summary: &mut Summary) {
    summary.check("documentation of the crates", || {
        let mut rustdoc = cargo(&["doc", "--workspace", "--no-deps"])?;
        run(rustdoc.env("RUSTDOCFLAGS", "-D warnings"))
    });
    summary.check("links of the documentation", docs::check_links);
    summary.check("site of the documentation", || docs::build_site().map(drop));
}

/// Builds the Workers that tests start. Returns whether all are built.
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
    let packages = go_tools::packages_except(DOCS_PACKAGE);
    summary.go_test(
        "end to end",
        packages.and_then(|packages| end_to_end(&packages)),
    );
    // Once more with all leases in a few objects, as self-hosted servers have them.
    let skip = "-skip=^(TestOnCloudflare|TestExample)".to_owned();
    let sharded = end_to_end(&[skip, "./e2e".to_owned()]).map(|mut test| {
        test.env("E2E_REGISTRY_SHARDS", SHARDS);
        test
    });
    summary.go_test("end to end, self-hosted", sharded);
}

/// Builds a `go test` whose output [`Summary::go_test`] can count.
fn end_to_end(arguments: &[String]) -> Result<Command> {
    let mut test = go_test(&["-json", "-timeout=20m"])?;
    test.args(arguments);
    Ok(test)
}
