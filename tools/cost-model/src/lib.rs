//! Cost model of the service on Cloudflare: the bill of a month for a given workload.
//!
//! A [`Workload`] says how many clients there are and how often they call. [`usage()`] multiplies
//! it with the operations of each call, which the end-to-end tests measure. [`Bill::new`] applies
//! Cloudflare's listed prices.
//!
//! ```
//! use cost_model::{Bill, OperationTable, Workload, usage};
//! # fn main() -> anyhow::Result<()> {
//! # let root = std::path::Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."));
//! let operations = OperationTable::read(root)?;
//! let workload = Workload {
//!     colonies: 100.0,
//!     ..Workload::RFD_046
//! };
//! let bill = Bill::new(&usage(&workload, &operations));
//! assert!(bill.total() > 5.0);
//! # Ok(())
//! # }
//! ```

mod bill;
mod documentation;
mod format;
mod marks;
mod operations;
mod prices;
mod report;
mod scenario;
mod tables;
mod typescript;
mod usage;
mod workload;

pub use self::bill::{Bill, Line};
pub use self::documentation::update_documentation;
pub use self::operations::{OperationTable, Operations};
pub use self::prices::Meter;
pub use self::report::{report, sensitivity};
pub use self::scenario::{SCENARIOS, Scenario};
pub use self::typescript::typescript_usage;
pub use self::usage::{Activity, Usage, usage};
pub use self::workload::Workload;
