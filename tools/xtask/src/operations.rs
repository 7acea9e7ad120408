//! The command `operations`: measures the operations of each call.

use anyhow::Result;

use crate::bless::BLESS;
use crate::command::run;
use crate::worker_project::{Profile, WorkerProject};
use crate::{go_tools, tools, wasm_build};

/// Test that measures, and compares with the table in `docs/operations.md`.
const TEST: &str = "-run=TestOnCloudflareCostOfEachCall$";

/// Variable with which [`TEST`] prints the table.
const PRINT: &str = "OPERATIONS";

/// Measures the operations of each call. Prints the table, or writes it into
/// `docs/operations.md` if `bless` is set.
pub(crate) fn measure(bless: bool) -> Result<()> {
    go_tools::check_installed()?;
    tools::install()?;
    wasm_build::build(&WorkerProject::service(), Profile::Release)?;
    let mut test = go_tools::go_test(&[TEST, "./e2e"])?;
    run(test.env(if bless { BLESS } else { PRINT }, "1"))
}
