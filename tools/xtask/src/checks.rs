//! The command `check`: checks whose tools neither builds nor tests use.

use std::fs;

use anyhow::Result;

use crate::command::run;
use crate::go_tools::{self, go};
use crate::summary::Summary;
use crate::{audit, dist, docs, tools, workspace};

/// Linter of GitHub workflows.
const ACTIONLINT: &str = "github.com/rhysd/actionlint/cmd/actionlint@v1.7.12";

/// Runs all checks, and prints the counts. With `needs_advisories`, fails if the databases of
/// advisories are unavailable.
pub(crate) fn run_all(needs_advisories: bool) -> Result<()> {
    go_tools::check_installed()?;
    tools::install()?;
    let mut summary = Summary::default();
    summary.check("licences and sources of dependencies", audit::check_crates);
    summary.check("advisories on dependencies", || {
        audit::check_advisories(needs_advisories)
    });
    summary.check("GitHub workflows", check_workflows);
    summary.check("site of the documentation", || docs::build_site().map(drop));
    summary.check("bundle for deployments", dist::check);
    summary.finish()
}

/// Lints the workflows of GitHub Actions.
fn check_workflows() -> Result<()> {
    let mut actionlint = go(&["run", ACTIONLINT])?;
    for file in fs::read_dir(workspace::root().join(".github/workflows"))? {
        actionlint.arg(file?.path());
    }
    run(&mut actionlint)
}
