//! Tables of the documentation that the model fills in, each between two marks.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};

use crate::marks::section;
use crate::operations::OperationTable;
use crate::tables;

/// A file, the mark of a table in it, and the function that renders the table.
type Table = (&'static str, &'static str, fn(&OperationTable) -> String);

const TABLES: [Table; 5] = [
    ("docs/cost.md", "cost", tables::summary),
    ("docs/cost.md", "lines", tables::bill),
    ("docs/cost.md", "rfd", tables::corrected_plan),
    ("docs/cost.md", "scenarios", tables::scenarios),
    ("docs/cost.md", "legacy-servers", tables::legacy_servers),
];

/// Rewrites the tables in the documentation of the checkout in `root`.
///
/// # Errors
/// Fails when a file cannot be read or written, or lacks the marks of its table.
pub fn update_documentation(root: &Path) -> Result<()> {
    let operations = OperationTable::read(root)?;
    for (file, mark, render) in TABLES {
        let path = root.join(file);
        let text = fs::read_to_string(&path).context(file)?;
        let (before, _, after) = section(&text, mark).context(file)?;
        fs::write(&path, format!("{before}\n{}{after}", render(&operations))).context(file)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documentation_tables_are_current() {
        let root = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."));
        let operations = OperationTable::read(root).unwrap();
        for (file, mark, render) in TABLES {
            let text = fs::read_to_string(root.join(file)).unwrap();
            let (_, written, _) = section(&text, mark).unwrap();
            assert_eq!(
                written.trim(),
                render(&operations).trim(),
                "{file}, table {mark}: run `cargo xtask cost --bless`"
            );
        }
    }
}
