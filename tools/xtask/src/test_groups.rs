//! The command `test`: all tests, in groups that CI runs in parallel.

use std::process::Command;

use anyhow::{Result, bail, ensure};
use clap::ValueEnum;

use crate::command::{BUILD_FOR_DEV, cargo, run};
use crate::go_tools;
use crate::summary::Summary;
use crate::worker_project::{Profile, WorkerProject};
use crate::{conformance, differential, docs, lint, preflight, tools, wasm_build};

/// Worker that serves another proto with the same crates.
const EXAMPLE: &str = "examples/greeter";

/// Go package that tests the commands and examples in the documentation.
const DOCS_PACKAGE: &str = "./docs";

/// Number of objects that share all leases in the second end-to-end run.
const SHARDS: &str = "64";

/// Tests that need an object for each lease.
const UNSHARDED_TESTS: &str = "-skip=^(TestOnCloudflare|TestExample|TestDev)";

/// Tests that run at once in one package. They wait most of the time: for leases to expire, for
/// servers to start.
const PARALLEL_TESTS: &str = "-parallel=8";

/// Bound on the tests of one Go package, as `go test` takes it.
const GO_TIMEOUT: &str = "-timeout=20m";

/// End-to-end test of the quick run: 45 checks of all RPCs by Connect clients in both codecs.
const SMOKE_TEST: &str = "-run=^TestSmokeJSONReport$";

/// Cases of a property test. By itself, `cargo test` runs a fifth, so that it takes seconds.
const PROPTEST_CASES: &str = "1280";

/// Tests that one job of CI runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Group {
    /// Formats, lints, protos and generated Go clients
    Lint,
    /// Unit, property, golden and compile tests
    Unit,
    /// Connect's conformance suite, and the comparison of the codecs with Go's
    Conformance,
    /// Builds of the Workers, and dry runs of their deployments
    Wasm,
    /// Documentation of the crates, links, commands and examples
    Docs,
    /// End-to-end tests against the built Workers
    E2e,
}

/// Tests that the command line selects.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Selection {
    /// Unit and golden tests, and a smoke test end to end.
    Quick,
    /// These groups, or all if there is none.
    Groups(Vec<Group>),
    /// The end-to-end tests that these options of `go test` select.
    EndToEnd(Vec<String>),
}

impl Selection {
    /// Parses the words of the command line: groups, or `e2e` with options of `go test`.
    pub(crate) fn parse(is_quick: bool, words: &[String]) -> Result<Self> {
        if is_quick {
            ensure!(words.is_empty(), "--quick selects its tests itself");
            return Ok(Self::Quick);
        }
        let count = words
            .iter()
            .take_while(|word| !word.starts_with('-'))
            .count();
        let (names, options) = words.split_at(count);
        let groups = names
            .iter()
            .map(|name| Group::from_str(name, false).map_err(|error| unknown_group(name, &error)))
            .collect::<Result<Vec<_>>>()?;
        match groups.as_slice() {
            _ if options.is_empty() => Ok(Self::Groups(groups)),
            [Group::E2e] => Ok(Self::EndToEnd(options.to_vec())),
            _ => bail!(
                "only the group e2e takes options of go test: {}",
                options.join(" ")
            ),
        }
    }
}

fn unknown_group(name: &str, error: &str) -> anyhow::Error {
    let groups = Group::value_variants().iter();
    let names = groups.filter_map(|group| Some(group.to_possible_value()?.get_name().to_owned()));
    anyhow::anyhow!(
        "there is no group {name} ({error}): choose from {}",
        names.collect::<Vec<_>>().join(", ")
    )
}

/// Runs tests, and prints the counts.
pub(crate) fn run_selection(selection: &Selection) -> Result<()> {
    go_tools::check_installed()?;
    tools::install()?;
    let mut summary = Summary::default();
    match selection {
        Selection::Quick => run_quick(&mut summary),
        Selection::Groups(groups) => run_groups(&mut summary, groups),
        Selection::EndToEnd(options) => run_end_to_end(&mut summary, options),
    }
    summary.finish()
}

/// Runs unit and golden tests, and the smoke test against the build for development.
fn run_quick(summary: &mut Summary) {
    summary.cargo_test(
        "unit, property and golden tests",
        cargo(&["test", "--workspace", "--lib", "--bins"]).map(|mut test| {
            test.args(["--test=golden", "--test=wire_contract", "--no-fail-fast"]);
            test
        }),
    );
    run_end_to_end(summary, &[SMOKE_TEST.to_owned()]);
}

/// Runs some end-to-end tests against the build for development.
fn run_end_to_end(summary: &mut Summary, options: &[String]) {
    if build_workers(summary, Profile::Dev) {
        let test = end_to_end(&[&["./e2e".to_owned()], options].concat()).map(|mut test| {
            test.env(BUILD_FOR_DEV, "1");
            test
        });
        summary.go_test("end to end", test);
    }
}

/// Runs some groups, or all if there is none.
fn run_groups(summary: &mut Summary, groups: &[Group]) {
    let includes = |group| groups.is_empty() || groups.contains(&group);
    if includes(Group::Lint) {
        lint::run_all(summary);
    }
    if includes(Group::Unit) {
        let test = cargo(&["test", "--workspace", "--no-fail-fast"])
            .and_then(conformance::with_proto)
            .map(|mut test| {
                test.env("PROPTEST_CASES", PROPTEST_CASES);
                test
            });
        summary.cargo_test("unit, property, golden and compile tests", test);
    }
    // Tests of other groups start the Workers, too.
    let needs_workers = [Group::Wasm, Group::Docs, Group::E2e]
        .into_iter()
        .any(includes);
    let is_built = needs_workers && build_workers(summary, Profile::Release);
    if includes(Group::Conformance) {
        summary.check("conformance", conformance::run_suite);
        summary.check("codecs compared with Go", || {
            differential::compare(differential::CASES, differential::SEED)
        });
    }
    if includes(Group::Wasm) {
        summary.check("the service is the same when it is built alone", || {
            wasm_build::check_built_alone()
        });
        for environment in preflight::ENVIRONMENTS {
            summary.check(&format!("deployment to {environment}, dry run"), || {
                preflight::dry_run(environment)
            });
        }
    }
    if includes(Group::Docs) {
        check_documentation(summary);
    }
    if is_built {
        test_end_to_end(summary, includes(Group::E2e), includes(Group::Docs));
    }
}

fn check_documentation(summary: &mut Summary) {
    summary.check("documentation of the crates", || {
        let mut rustdoc = conformance::with_proto(cargo(&["doc", "--workspace", "--no-deps"])?)?;
        run(rustdoc.env("RUSTDOCFLAGS", "-D warnings"))
    });
    summary.check("links of the documentation", docs::check_links);
}

/// Builds the Workers that tests start. Returns whether they are built.
fn build_workers(summary: &mut Summary, profile: Profile) -> bool {
    summary.check("build of the Workers", || {
        wasm_build::build_all(
            &[WorkerProject::service(), WorkerProject::in_folder(EXAMPLE)],
            profile,
            &[],
        )
    })
}

/// Tests the built Workers by all Go packages, or by those of the documentation alone.
fn test_end_to_end(summary: &mut Summary, has_clients: bool, has_documents: bool) {
    let packages = match (has_clients, has_documents) {
        (true, true) => Ok(vec!["./...".to_owned()]),
        (true, false) => go_tools::packages_except(DOCS_PACKAGE),
        (false, true) => Ok(vec![DOCS_PACKAGE.to_owned()]),
        (false, false) => return,
    };
    summary.go_test(
        "end to end",
        packages.and_then(|packages| end_to_end(&packages)),
    );
    if !has_clients {
        return;
    }
    // Once more with all leases in a few objects, as self-hosted servers have them.
    let sharded = end_to_end(&[UNSHARDED_TESTS.to_owned(), "./e2e".to_owned()]).map(|mut test| {
        test.env("E2E_REGISTRY_SHARDS", SHARDS);
        test
    });
    summary.go_test("end to end, self-hosted", sharded);
}

/// Builds a run of Go tests whose output [`Summary::go_test`] can count.
fn end_to_end(arguments: &[String]) -> Result<Command> {
    let mut test = go_tools::go_test_summary()?;
    test.args([GO_TIMEOUT, PARALLEL_TESTS]).args(arguments);
    Ok(test)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(words: &[&str]) -> Result<Selection> {
        let words = words
            .iter()
            .map(|&word| word.to_owned())
            .collect::<Vec<_>>();
        Selection::parse(false, &words)
    }

    #[test]
    fn words_are_groups_until_the_first_option() {
        assert_eq!(parse(&[]).unwrap(), Selection::Groups(vec![]));
        assert_eq!(
            parse(&["lint", "unit"]).unwrap(),
            Selection::Groups(vec![Group::Lint, Group::Unit])
        );
        assert_eq!(
            parse(&["e2e", "-run", "TestLookup"]).unwrap(),
            Selection::EndToEnd(vec!["-run".to_owned(), "TestLookup".to_owned()])
        );
    }

    #[test]
    fn other_words_are_refused() {
        let error = parse(&["speed"]).unwrap_err().to_string();
        assert!(
            error.contains("speed") && error.contains("lint, unit"),
            "{error}"
        );
        let error = parse(&["unit", "-run", "x"]).unwrap_err().to_string();
        assert!(error.contains("e2e"), "{error}");
        assert!(Selection::parse(true, &["unit".to_owned()]).is_err());
    }
}
