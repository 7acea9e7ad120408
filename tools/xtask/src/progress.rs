//! Progress of long work: one line for each step, with the time since the start.

use std::io::{IsTerminal as _, Write as _, stderr};
use std::sync::LazyLock;
use std::time::{Duration, Instant};

/// Time of the call of [`start`].
static START: LazyLock<Instant> = LazyLock::new(Instant::now);

/// Control sequence that empties the last line of a terminal.
const CLEAR_LINE: &str = "\r\x1b[K";

/// Least time between two updates of a line.
const UPDATE_INTERVAL: Duration = Duration::from_millis(200);

/// Starts the clock.
pub(crate) fn start() {
    LazyLock::force(&START);
}

/// Prints that a step begins, or its result.
pub(crate) fn step(text: &str) {
    // A counter may be in the last line.
    let clear = if stderr().is_terminal() {
        CLEAR_LINE
    } else {
        ""
    };
    eprintln!("{clear}{}", line(START.elapsed(), text));
}

fn line(elapsed: Duration, text: &str) -> String {
    format!("[{:6.1} s] {text}", elapsed.as_secs_f32())
}

/// Counter in the last line of a terminal. Prints nothing where the output is not a terminal.
pub(crate) struct Counter {
    text: &'static str,
    unit: &'static str,
    count: usize,
    shown: Option<Instant>,
}

impl Counter {
    /// Starts to count units of a step.
    pub(crate) const fn new(text: &'static str, unit: &'static str) -> Self {
        Self {
            text,
            unit,
            count: 0,
            shown: None,
        }
    }

    /// Counts one unit, and shows the count now and then.
    pub(crate) fn add(&mut self) {
        self.count += 1;
        let is_due = self
            .shown
            .is_none_or(|shown| shown.elapsed() > UPDATE_INTERVAL);
        if is_due && stderr().is_terminal() {
            let text = format!("{}: {} {}", self.text, self.count, self.unit);
            eprint!("{CLEAR_LINE}{}", line(START.elapsed(), &text));
            let _ = stderr().flush();
            self.shown = Some(Instant::now());
        }
    }
}

impl Drop for Counter {
    /// Removes the line, so that the next one takes its place.
    fn drop(&mut self) {
        if self.shown.is_some() {
            eprint!("{CLEAR_LINE}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn line_starts_with_the_elapsed_time() {
        let elapsed = Duration::from_millis(12_340);
        assert_eq!(line(elapsed, "compiling"), "[  12.3 s] compiling");
    }
}
