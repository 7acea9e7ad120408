//! Runs the suite's steps, counts what passed and failed, and goes on after a failure.

use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context as _, Result, bail};
use serde::Deserialize;

use crate::command::{run, show};

/// What passed and failed so far.
#[derive(Default)]
pub(crate) struct Summary {
    passed: usize,
    failed: usize,
    failures: Vec<String>,
}

/// One line of `go test -json`.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct GoEvent {
    action: String,
    #[serde(default)]
    test: String,
    #[serde(default)]
    output: String,
}

impl Summary {
    /// Runs a step that counts as one check.
    pub(crate) fn check(&mut self, name: &str, step: impl FnOnce() -> Result<()>) -> bool {
        heading(name);
        let started = Instant::now();
        match step() {
            Ok(()) => {
                self.passed += 1;
                println!("{name}: ok ({:.0} s)", started.elapsed().as_secs_f32());
                true
            }
            Err(error) => {
                println!("{name}: FAILED: {error:#}");
                self.fail(name);
                false
            }
        }
    }

    /// Runs a command that counts as one check.
    pub(crate) fn check_command(&mut self, name: &str, command: Result<Command>) -> bool {
        self.check(name, || run(&mut command?))
    }

    /// Runs `cargo test` and counts its tests.
    pub(crate) fn cargo_test(&mut self, name: &str, command: Result<Command>) {
        self.counted(name, command, |summary, line| {
            println!("{line}");
            if let Some(result) = line.strip_prefix("test result: ") {
                summary.passed += number_before(result, "passed");
                summary.failed += number_before(result, "failed");
            }
        });
    }

    /// Runs `go test -json`, lists its cases by name and counts them. What a case wrote is shown
    /// if it fails.
    pub(crate) fn go_test(&mut self, name: &str, command: Result<Command>) {
        let mut written = std::collections::BTreeMap::<String, String>::new();
        self.counted(name, command, |summary, line| {
            let Ok(event) = serde_json::from_str::<GoEvent>(line) else {
                println!("{line}");
                return;
            };
            let so_far = written.entry(event.test.clone()).or_default();
            match event.action.as_str() {
                "output" | "build-output" => so_far.push_str(&event.output),
                "pass" if !event.test.is_empty() => {
                    println!("ok   {}", event.test);
                    summary.passed += 1;
                }
                "fail" => {
                    println!("FAIL {}\n{so_far}", event.test);
                    if !event.test.is_empty() {
                        summary.failed += 1;
                    }
                }
                "skip" if !event.test.is_empty() => {
                    println!("SKIP {}\n{so_far}", event.test);
                    summary.failed += 1;
                }
                _ => {}
            }
        });
    }

    /// The closing line.
    ///
    /// # Errors
    /// When anything failed.
    pub(crate) fn close(self) -> Result<()> {
        println!();
        for failure in &self.failures {
            println!("failed: {failure}");
        }
        println!("{} passed, {} failed", self.passed, self.failed);
        if self.failed > 0 {
            bail!("not everything passed");
        }
        Ok(())
    }

    fn counted(
        &mut self,
        name: &str,
        command: Result<Command>,
        mut on_line: impl FnMut(&mut Self, &str),
    ) {
        heading(name);
        let before = (self.passed, self.failed);
        let finished = command.and_then(|mut command| {
            eprintln!("+ {}", show(&command));
            let mut child = command.stdout(Stdio::piped()).spawn()?;
            let stdout = child.stdout.take().context("no output")?;
            for line in BufReader::new(stdout).lines() {
                on_line(self, &line?);
            }
            Ok(child.wait()?.success())
        });
        let counted_failures = self.failed > before.1;
        match finished {
            Ok(true) if self.passed == before.0 => {
                println!("{name}: FAILED: it ran no test");
                self.fail(name);
            }
            Ok(true) => {}
            // A suite that breaks before its first test must not look like one that passed.
            Ok(false) if counted_failures => self.failures.push(name.to_owned()),
            Ok(false) => self.fail(name),
            Err(error) => {
                println!("{name}: FAILED: {error:#}");
                self.fail(name);
            }
        }
    }

    fn fail(&mut self, name: &str) {
        self.failed += 1;
        self.failures.push(name.to_owned());
    }
}

fn heading(name: &str) {
    println!("\n== {name}");
}

/// The number that stands before a word, as in `12 passed`.
fn number_before(text: &str, word: &str) -> usize {
    text.split([' ', ';', '.'])
        .collect::<Vec<_>>()
        .windows(2)
        .find(|pair| pair.last() == Some(&word))
        .and_then(|pair| pair.first()?.parse().ok())
        .unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cargo_tells_its_counts_in_words() {
        let result = "FAILED. 17 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out";
        assert_eq!(number_before(result, "passed"), 17);
        assert_eq!(number_before(result, "failed"), 1);
        assert_eq!(number_before(result, "odd"), 0);
    }
}
