//! Summary of a run: executes steps, counts what passed and failed, and goes on after a failure.

use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context as _, Result, bail};

use crate::command::{run, show};

/// Counts of checks and tests, and the names of failed steps.
#[derive(Default)]
pub(crate) struct Summary {
    passed: usize,
    failed: usize,
    failures: Vec<String>,
}

impl Summary {
    /// Executes a step that counts as one check. Returns whether it passed.
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

    /// Runs a command that counts as one check. Returns whether it passed.
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

    /// Runs gotestsum and counts the tests in its last line, `DONE 7 tests, 1 failure in 2s`.
    ///
    /// A skipped test counts as failed: it would look like one that passed.
    pub(crate) fn go_test(&mut self, name: &str, command: Result<Command>) {
        self.counted(name, command, |summary, line| {
            println!("{line}");
            if let Some(result) = line.strip_prefix("DONE ") {
                let failed = number_before(result, "failure")
                    + number_before(result, "failures")
                    + number_before(result, "skipped");
                summary.passed += number_before(result, "tests").saturating_sub(failed);
                summary.failed += failed + number_before(result, "error");
            }
        });
    }

    /// Prints the failed steps and the counts.
    ///
    /// # Errors
    /// Fails when anything failed.
    pub(crate) fn finish(self) -> Result<()> {
        println!();
        for failure in &self.failures {
            println!("failed: {failure}");
        }
        println!("{} passed, {} failed", self.passed, self.failed);
        if self.failed > 0 {
            bail!("some checks failed: see the list above");
        }
        Ok(())
    }

    /// Runs a command whose tests are counted by `on_line`, for each line of its output.
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
            let stdout = child.stdout.take().context("the output is not piped")?;
            for line in BufReader::new(stdout).lines() {
                on_line(self, &line?);
            }
            Ok(child.wait()?.success())
        });
        let counted_failures = self.failed > before.1;
        match finished {
            Ok(true) if self.passed == before.0 => {
                println!("{name}: FAILED: no test ran");
                self.fail(name);
            }
            Ok(true) => {}
            Ok(false) if counted_failures => self.failures.push(name.to_owned()),
            // Nothing is counted if the command fails before its first test.
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

/// Parses the number before a word, as in `12 passed`. Returns 0 if there is none.
fn number_before(text: &str, word: &str) -> usize {
    text.split([' ', ';', '.', ','])
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
    fn number_is_parsed_before_its_word() {
        let result = "FAILED. 17 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out";
        assert_eq!(number_before(result, "passed"), 17);
        assert_eq!(number_before(result, "failed"), 1);
        assert_eq!(number_before(result, "retried"), 0);
        let result = "212 tests, 1 skipped, 2 failures in 3.402s";
        assert_eq!(number_before(result, "tests"), 212);
        assert_eq!(number_before(result, "skipped"), 1);
        assert_eq!(number_before(result, "failures"), 2);
    }
}
