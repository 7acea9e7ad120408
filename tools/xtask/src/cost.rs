//! The command `cost`: prints the bill of a month.

use anyhow::Result;
use clap::ValueEnum;
use cost_model::{OperationTable, Workload, report, sensitivity, typescript_usage, usage};

use crate::workspace;

/// Server whose bill is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Server {
    /// This service
    This,
    /// The TypeScript worker that it replaces
    Typescript,
}

/// Prints the bill of a workload, or rewrites the tables of the documentation if `bless` is set.
pub(crate) fn print(workload: &Workload, server: Server, bless: bool) -> Result<()> {
    if bless {
        return cost_model::update_documentation(workspace::root());
    }
    workload.validate()?;
    match server {
        Server::This => {
            let operations = OperationTable::read(workspace::root())?;
            println!("{}", report(workload, &usage(workload, &operations)));
            println!("{}", sensitivity(workload, &operations));
        }
        Server::Typescript => println!("{}", report(workload, &typescript_usage(workload))),
    }
    Ok(())
}
