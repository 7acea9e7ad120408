//! The command `bless`: rewrites the files that tests compare with.

use anyhow::Result;

use crate::command::{cargo, command, run};
use crate::{go_tools, tools};

/// Variable with which tests rewrite the files that they compare with.
pub(crate) const BLESS: &str = "BLESS";

/// Generated files that people review.
const REVIEWED: [&str; 2] = [
    "codegen/tests/golden",
    "codegen/tests/awkward/tests/handlers",
];

/// Rewrites generated files and golden files, and shows the difference.
pub(crate) fn bless() -> Result<()> {
    tools::install()?;
    let golden = ["test", "--package=connect-codegen", "--test=golden"];
    run(cargo(&golden)?.env(BLESS, "1"))?;
    let handlers = ["test", "--package=awkward", "--test=handlers"];
    run(cargo(&handlers)?.env("TRYBUILD", "overwrite"))?;
    go_tools::generate_clients()?;
    let diff = ["--no-pager", "diff", "HEAD"];
    run(command("git")?.args(diff).arg("--").args(REVIEWED))?;
    run(command("git")?
        .args(diff)
        .args(["--stat", "--", "tests/go/gen"]))
}
