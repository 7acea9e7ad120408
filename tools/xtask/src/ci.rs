//! All checks and tests, from the cheapest to the dearest.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Result, bail, ensure};

use crate::command::{command, run};
use crate::summary::Summary;
use crate::{audit, buf, conformance, differential, docs, preflight, tools, wasm_build, workspace};

/// Set for tests that compare with a checked-in file: they write it anew instead.
const BLESS: &str = "BLESS";

/// Checks workflows of GitHub's.
const ACTIONLINT: &str = "github.com/rhysd/actionlint/cmd/actionlint@v1.7.12";

/// A Worker of the same code for another proto.
const EXAMPLE: &str = "examples/greeter";

/// Generated files that people review.
const REVIEWED: [&str; 2] = [
    "codegen/tests/golden",
    "codegen/tests/awkward/tests/handlers",
];

/// Runs everything and closes with one line of counts.
pub(crate) fn run_all() -> Result<()> {
    tools::install()?;
    let mut summary = Summary::default();
    summary.check_command("format", cargo(&["fmt", "--all", "--check"]));
    summary.check_command(
        "lint for the host",
        cargo(&[
            "clippy",
            "--workspace",
            "--all-targets",
            "--",
            "-D",
            "warnings",
        ]),
    );
    summary.check_command(
        "lint for wasm32",
        cargo(&[
            "clippy",
            "--package=coral-discovery",
            "--package=connect-worker",
            "--package=greeter",
            "--target=wasm32-unknown-unknown",
            "--",
            "-D",
            "warnings",
        ]),
    );
    summary.check_command(
        "generated code under pedantic lints",
        cargo(&[
            "clippy",
            "--package=awkward",
            "--package=connect",
            "--package=connect-worker",
            "--package=greeter",
            "--",
            "-D",
            "warnings",
            "-D",
            "clippy::pedantic",
        ]),
    );
    summary.check("proto style", buf::lint);
    summary.check("no client breaks", || buf::breaking(None));
    summary.check(
        "a change that breaks clients is noticed",
        buf::breaking_is_noticed,
    );
    summary.cargo_test(
        "unit, property and golden tests",
        cargo(&["test", "--workspace", "--no-fail-fast"]),
    );
    summary.check("documentation", || {
        let mut rustdoc = cargo(&["doc", "--workspace", "--no-deps"])?;
        run(rustdoc.env("RUSTDOCFLAGS", "-D warnings"))
    });
    summary.check("links of the documentation", docs::check_links);
    summary.check("site of the documentation", || docs::build_site().map(drop));
    summary.check("workflows", || {
        run(go(&["run", ACTIONLINT])?.args(workflows()?))
    });
    summary.check("Go clients are those of the proto", go_is_current);
    summary.check("format of the Go clients", go_is_formatted);
    summary.check_command("vet the Go clients", go(&["vet", "./..."]));
    summary.check("codecs against Go's", || {
        differential::compare(differential::CASES, differential::SEED)
    });
    summary.check("licences and sources of dependencies", audit::crates);
    summary.check("advisories on dependencies", || audit::advisories(false));
    summary.check("conformance", conformance::run_suite);
    let example = workspace::root().join(EXAMPLE);
    let is_built = summary.check("build", || wasm_build::build(workspace::root()))
        & summary.check("build the example", || wasm_build::build(&example));
    summary.check("build the broken Worker", wasm_build::build_broken);
    for environment in preflight::ENVIRONMENTS {
        summary.check(
            &format!("deploy to {environment}, but for the last step"),
            || preflight::deploy_dry(environment),
        );
    }
    if is_built {
        summary.go_test("end to end", go_test(&["./..."]));
        // Once more with all leases in few objects: what both forms have in common.
        let mut own_machine = go_test(&["-skip=^(TestOnCloudflare|TestExample)", "./e2e"]);
        if let Ok(own_machine) = &mut own_machine {
            own_machine.env("E2E_REGISTRY_SHARDS", "64");
        }
        summary.go_test("end to end on a machine of one's own", own_machine);
    }
    summary.close()
}

/// Writes the files anew that tests compare with, and shows what that changed.
pub(crate) fn bless() -> Result<()> {
    tools::install()?;
    let golden = ["test", "--package=connect-codegen", "--test=golden"];
    run(cargo(&golden)?.env(BLESS, "1"))?;
    run(cargo(&["test", "--package=awkward", "--test=handlers"])?.env("TRYBUILD", "overwrite"))?;
    generate_go()?;
    let diff = ["--no-pager", "diff", "HEAD"];
    run(command("git")?.args(diff).arg("--").args(REVIEWED))?;
    run(command("git")?
        .args(diff)
        .args(["--stat", "--", "tests/go/gen"]))
}

/// Measures what each call costs, and prints the table or writes it into the README.
pub(crate) fn costs(writes: bool) -> Result<()> {
    tools::install()?;
    wasm_build::build(workspace::root())?;
    let test = [
        "test",
        "-count=1",
        "-run=TestOnCloudflareCostOfEachCall$",
        "./e2e",
    ];
    run(go(&test)?
        .env(if writes { BLESS } else { "COSTS" }, "1")
        .env("XTASK", std::env::current_exe()?))
}

/// Generates the Go clients.
fn generate_go() -> Result<()> {
    run(buf(&["generate"])?.current_dir(workspace::root().join("tests/go")))
}

fn go_is_current() -> Result<()> {
    let folder = workspace::root().join("tests/go/gen");
    let before = contents(&folder)?;
    generate_go()?;
    if contents(&folder)? != before {
        bail!("tests/go/gen was not what the proto says; it is now: commit it");
    }
    Ok(())
}

/// All files below a folder.
fn contents(folder: &Path) -> Result<BTreeMap<PathBuf, Vec<u8>>> {
    let mut files = BTreeMap::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            files.extend(contents(&path)?);
        } else {
            files.insert(path.clone(), fs::read(path)?);
        }
    }
    Ok(files)
}

/// The workflows, wherever they are called from.
fn workflows() -> Result<Vec<PathBuf>> {
    let files = fs::read_dir(workspace::root().join(".github/workflows"))?;
    files.map(|file| Ok(file?.path())).collect()
}

/// gofmt lists what it would change, and does not fail.
fn go_is_formatted() -> Result<()> {
    let mut gofmt = command("gofmt")?;
    let listed = gofmt.args(["-l", "tests/go"]).output()?;
    let listed = String::from_utf8_lossy(&listed.stdout);
    ensure!(listed.is_empty(), "run gofmt -w on\n{listed}");
    Ok(())
}

fn cargo(arguments: &[&str]) -> Result<Command> {
    with(command("cargo")?, arguments)
}

fn go(arguments: &[&str]) -> Result<Command> {
    let mut go = command("go")?;
    go.args(["-C", "tests/go"]);
    with(go, arguments)
}

/// The Go tests, told what they start: servers through this very program, with no cargo in between.
fn go_test(arguments: &[&str]) -> Result<Command> {
    let mut test = go(&["test", "-json", "-count=1", "-timeout=20m"])?;
    test.args(arguments)
        .env("XTASK", std::env::current_exe()?)
        .env("BROKEN_WORKER", wasm_build::broken_folder());
    Ok(test)
}

fn buf(arguments: &[&str]) -> Result<Command> {
    with(command("buf")?, arguments)
}

fn with(mut command: Command, arguments: &[&str]) -> Result<Command> {
    command.args(arguments);
    Ok(command)
}
