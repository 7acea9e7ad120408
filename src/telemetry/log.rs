//! The log: entries in JSON, written to the host's sink.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use connect::{Error, UnixMillis};
use serde::Serialize;

use super::DataPoint;

/// The level of an entry; the log writes entries of its own level and above.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum LogLevel {
    /// Sweeps too.
    Debug,
    /// Every request.
    Info,
    /// Events that an operator may want to look into.
    Warn,
    /// Failures of the service itself.
    Error,
}

/// The format of the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// Objects, which Workers Logs indexes by their keys.
    Object,
    /// Lines of JSON, for a runtime that prints objects for people.
    Line,
}

/// The time between two warnings of one kind: a failure of each request would fill the log.
const WARNING_INTERVAL: Duration = Duration::from_secs(60);

/// The host's output of log entries and data points.
pub trait Sink {
    /// Writes a log entry: one line of JSON.
    fn write(&self, level: LogLevel, format: LogFormat, entry: &str);

    /// Returns whether the host collects data points.
    fn collects_metrics(&self) -> bool;

    /// Records a data point. A failure is ignored: the log has the same facts.
    fn record(&self, point: &DataPoint<'_>);
}

/// The log. It drops entries below its level.
pub struct Log {
    level: LogLevel,
    format: LogFormat,
    sink: Box<dyn Sink>,
    warned_at: RefCell<BTreeMap<&'static str, UnixMillis>>,
    noticed: RefCell<Vec<&'static str>>,
}

impl fmt::Debug for Log {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Log")
            .field("level", &self.level)
            .field("format", &self.format)
            .finish_non_exhaustive()
    }
}

#[derive(Serialize)]
#[serde(tag = "event", rename = "warning")]
struct Warning<'a> {
    level: LogLevel,
    message: &'a str,
    cause: &'a str,
}

#[derive(Serialize)]
#[serde(tag = "event", rename = "notice")]
struct Notice<'a> {
    level: LogLevel,
    message: &'a str,
}

impl Log {
    /// Returns a log that writes entries from `level` on to `sink`.
    #[must_use]
    pub fn new(level: LogLevel, format: LogFormat, sink: Box<dyn Sink>) -> Self {
        Self {
            level,
            format,
            sink,
            warned_at: RefCell::default(),
            noticed: RefCell::default(),
        }
    }

    /// Returns whether entries of that level are written.
    #[must_use]
    pub fn is_enabled(&self, level: LogLevel) -> bool {
        level >= self.level
    }

    /// Writes an entry, if its level is enabled.
    pub fn write(&self, level: LogLevel, entry: &impl Serialize) {
        if self.is_enabled(level) {
            let text = serde_json::to_string(entry).unwrap_or_default();
            self.sink.write(level, self.format, &text);
        }
    }

    /// Writes a warning about a failure that does not change a response.
    pub fn warning(&self, level: LogLevel, message: &str, cause: &str) {
        let warning = Warning {
            level,
            message,
            cause,
        };
        self.write(level, &warning);
    }

    /// Writes a warning, at most once a minute for each message.
    pub fn warn(&self, message: &'static str, cause: &str, now: UnixMillis) {
        if self.should_warn(message, now) {
            self.warning(LogLevel::Warn, message, cause);
        }
    }

    /// Writes a warning with the cause of an error, at most once a minute for each message.
    pub fn warn_error(&self, message: &'static str, error: &Error, now: UnixMillis) {
        self.warn(message, error.cause().unwrap_or_default(), now);
    }

    /// Returns whether it is time to log a kind of event again, and records that it is logged.
    #[must_use]
    pub fn should_warn(&self, kind: &'static str, now: UnixMillis) -> bool {
        let mut warned_at = self.warned_at.borrow_mut();
        let last = warned_at.get(kind).copied();
        let is_due = last.is_none_or(|last| now.duration_since(last) >= WARNING_INTERVAL);
        if is_due {
            warned_at.insert(kind, now);
        }
        is_due
    }

    /// Writes a fact that an operator may want to know, once for each `key`.
    pub fn notice_once(&self, key: &'static str, message: impl FnOnce() -> String) {
        if self.noticed.borrow().contains(&key) {
            return;
        }
        self.noticed.borrow_mut().push(key);
        let (level, message) = (LogLevel::Info, &message());
        self.write(level, &Notice { level, message });
    }

    /// Returns whether the host collects data points.
    #[must_use]
    pub fn collects_metrics(&self) -> bool {
        self.sink.collects_metrics()
    }

    /// Records a data point.
    pub fn record(&self, point: &DataPoint<'_>) {
        self.sink.record(point);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::TestSink;

    #[test]
    fn each_kind_of_warning_is_logged_once_a_minute() {
        let sink = TestSink::default();
        let log = Log::new(LogLevel::Info, LogFormat::Line, Box::new(sink.clone()));
        let should_warn = |kind, millis| log.should_warn(kind, UnixMillis::from_millis(millis));
        let warned = [0, 1, 59_999, 60_000, 60_001].map(|millis| should_warn("kv", millis));
        assert_eq!(warned, [true, false, false, true, false]);
        assert!(should_warn("another", 1));
        log.notice_once("limit", || "no limit".to_owned());
        log.notice_once("limit", || "no limit".to_owned());
        assert_eq!(sink.lines().len(), 1);
        assert!(sink.lines()[0].contains(r#""event":"notice""#));
    }

    #[test]
    fn entries_below_the_level_are_dropped() {
        let sink = TestSink::default();
        let log = Log::new(LogLevel::Error, LogFormat::Line, Box::new(sink.clone()));
        log.warning(LogLevel::Warn, "dropped", "");
        log.warning(LogLevel::Error, "written", "why");
        let written = r#"{"event":"warning","level":"error","message":"written","cause":"why"}"#;
        assert_eq!(sink.lines(), [written]);
    }
}
