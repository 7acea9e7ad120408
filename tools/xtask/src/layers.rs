//! Layering rules of the workspace: crates and modules that must not know each other.

use anyhow::{Result, ensure};

use crate::command::cargo;

/// Crates that run on any host.
const HOST_INDEPENDENT: [&str; 3] = ["connect", "coral-discovery", "coral-registry"];

/// Crates that belong to a host.
const PLATFORM: [&str; 5] = ["js-sys", "tokio", "wasm-bindgen", "web-sys", "worker"];

/// Checks that no host-independent crate depends on a crate of a host.
pub(crate) fn check_dependencies() -> Result<()> {
    for package in HOST_INDEPENDENT {
        let output = cargo(&["tree", "--edges=normal", "--prefix=none", "--format={p}"])?
            .args(["--package", package])
            .output()?;
        ensure!(
            output.status.success(),
            "cargo tree: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        let found = platform_crates(&String::from_utf8(output.stdout)?);
        ensure!(
            found.is_empty(),
            "{package} depends on {}: move that code to a host crate (worker, connect-worker), \
             behind a port of src/ports.rs",
            found.join(", ")
        );
    }
    Ok(())
}

/// Returns the platform crates among the lines `NAME VERSION` of `cargo tree`.
fn platform_crates(tree: &str) -> Vec<&'static str> {
    let names: Vec<_> = tree
        .lines()
        .filter_map(|line| line.split_whitespace().next())
        .collect();
    PLATFORM
        .into_iter()
        .filter(|platform| names.contains(platform))
        .collect()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::workspace;

    /// A rule: the files, and the words that their `use` statements must not contain.
    struct Rule {
        folder: &'static str,
        /// Names of the files, or none for all files below the folder.
        files: &'static [&'static str],
        forbidden: &'static [&'static str],
    }

    const RULES: [Rule; 2] = [
        // Decisions about leases are pure: they get values and return values.
        Rule {
            folder: "registry/src",
            files: &["lease.rs", "quota.rs", "hot_keys.rs"],
            forbidden: &["storage", "Store"],
        },
        // Handlers return responses and errors of Connect, which the server turns into HTTP.
        Rule {
            folder: "src/api",
            files: &[],
            forbidden: &[
                "http",
                "HeaderMap",
                "HeaderName",
                "HeaderValue",
                "StatusCode",
            ],
        },
    ];

    impl Rule {
        fn applies_to(&self, file: &Path) -> bool {
            let name = file.file_name().unwrap_or_default();
            file.extension().is_some_and(|extension| extension == "rs")
                && (self.files.is_empty() || self.files.iter().any(|it| name == *it))
        }

        fn violations(&self, code: &str) -> Vec<String> {
            let is_forbidden = |word: &str| self.forbidden.contains(&word);
            use_statements(code)
                .into_iter()
                .filter(|statement| {
                    statement
                        .split(|c: char| !c.is_alphanumeric() && c != '_')
                        .any(is_forbidden)
                })
                .collect()
        }
    }

    /// Returns the `use` statements before the tests of a file.
    fn use_statements(code: &str) -> Vec<String> {
        let mut statements: Vec<String> = Vec::new();
        let mut is_open = false;
        for line in code.lines().map(str::trim) {
            if line.starts_with("#[cfg(test)]") {
                break;
            }
            let is_use =
                line.starts_with("use ") || (line.starts_with("pub") && line.contains(" use "));
            if is_open || is_use {
                if !is_open {
                    statements.push(String::new());
                }
                if let Some(statement) = statements.last_mut() {
                    statement.push_str(line);
                }
                is_open = !line.ends_with(';');
            }
        }
        statements
    }

    #[test]
    fn modules_keep_to_their_layer() {
        let mut violations = Vec::new();
        for rule in &RULES {
            let folder = workspace::root().join(rule.folder);
            let mut checked = 0;
            for (file, content) in workspace::read_tree(&folder).unwrap() {
                if rule.applies_to(&file) {
                    checked += 1;
                    for statement in rule.violations(&String::from_utf8(content).unwrap()) {
                        violations.push(format!("{}/{}: {statement}", rule.folder, file.display()));
                    }
                }
            }
            let expected = rule.files.len().max(1);
            assert!(checked >= expected, "{}: {checked} files", rule.folder);
        }
        assert!(
            violations.is_empty(),
            "imports that break a layering rule:\n{}",
            violations.join("\n")
        );
    }

    #[test]
    fn forbidden_imports_are_found() {
        let [registry, api] = &RULES;
        let code =
            "use crate::{\n    lease::StoredLease,\n    storage::Rows,\n};\nuse std::rc::Rc;\n";
        assert_eq!(registry.violations(code).len(), 1);
        assert_eq!(registry.violations("use crate::StoredLease;\n"), [""; 0]);
        assert_eq!(registry.violations("// use crate::storage;\n").len(), 0);
        let in_tests = "#[cfg(test)]\nmod tests {\n    use crate::Store;\n}\n";
        assert_eq!(registry.violations(in_tests).len(), 0);
        assert_eq!(api.violations("pub(crate) use http::Uri;\n").len(), 1);
    }

    #[test]
    fn platform_crates_are_found_in_the_tree() {
        let tree = "coral-discovery v0.1.0 (/w)\nworkers v1.0.0\nweb-sys v0.3.0\n";
        assert_eq!(platform_crates(tree), ["web-sys"]);
    }
}
