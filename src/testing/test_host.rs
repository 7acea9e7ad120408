//! The host: objects, KV, limits, a legacy server and a log, all in memory.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use connect::testing::TestRuntime;
use connect::{Error, Runtime as _, UnixMillis};
use coral_registry::Settings;
use coral_registry::object_names::mesh_object;
use coral_registry::proto::MailboxRecords;
use coral_registry::testing::TestObjects;
use prost::Message as _;

use super::{TestHostRuntime, TestKeyValue, TestLegacy};
use crate::domain::rate_limit::Limit;
use crate::ports::{Host, RateLimiter, RateVerdict};
use crate::registry_client::{ChannelError, ObjectChannel, RemoteObjects, RoutedRegistry};
use crate::telemetry::{DataPoint, LogFormat, LogLevel, RequestUsage, Sink};

/// The registry over objects in memory.
pub type TestRegistry = RoutedRegistry<RemoteObjects<TestChannel, TestHostRuntime>>;

/// A host in memory. A clone shares everything but the skew of its clock and its latency.
#[derive(Clone, Debug)]
pub struct TestHost {
    /// The objects.
    pub objects: TestObjects,
    /// The clock, which may differ from that of the objects.
    pub runtime: TestHostRuntime,
    /// The registry.
    pub registry: TestRegistry,
    /// The KV store.
    pub key_value: TestKeyValue,
    /// The rate limiter.
    pub rate_limiter: TestRateLimiter,
    /// The legacy server.
    pub legacy: TestLegacy,
}

impl Default for TestHost {
    fn default() -> Self {
        let settings = Settings {
            cleanup_interval: Duration::from_secs(60),
            hot_lookups: None,
            census_debounce: Duration::ZERO,
            publishes_count: true,
        };
        Self::new(TestObjects::new(TestRuntime::default(), settings))
    }
}

impl TestHost {
    /// Returns a host with these objects.
    #[must_use]
    pub fn new(objects: TestObjects) -> Self {
        let clock = objects.runtime.clone();
        Self {
            runtime: TestHostRuntime::new(clock.clone()),
            registry: RoutedRegistry {
                objects: RemoteObjects {
                    channel: TestChannel(objects.clone()),
                    runtime: TestHostRuntime::new(clock.clone()),
                    usage: Rc::default(),
                },
                shards: None,
            },
            key_value: TestKeyValue::new(objects.clone()),
            rate_limiter: TestRateLimiter::default(),
            legacy: TestLegacy::new(clock),
            objects,
        }
    }

    /// Sets the time.
    pub fn set_now(&self, now: UnixMillis) {
        self.objects.runtime.set_now(now);
    }

    /// Returns the host of one request, whose calls to objects add to `usage`.
    #[must_use]
    pub fn with_usage(&self, usage: &Rc<RequestUsage>) -> Self {
        let mut host = self.clone();
        host.registry.objects.usage = Rc::clone(usage);
        host
    }

    /// Returns the host with a clock that differs from that of the objects.
    #[must_use]
    pub fn with_clock_ahead(&self, ahead_ms: i64) -> Self {
        let mut host = self.clone();
        host.runtime.ahead_ms = ahead_ms;
        host.registry.objects.runtime.ahead_ms = ahead_ms;
        host
    }

    /// Returns a copy of the host with its own latency to objects and back.
    #[must_use]
    pub fn with_latency(&self, to_object: Duration, back: Duration) -> Self {
        let mut host = self.clone();
        host.registry.objects.channel.0.latency = Rc::new(Cell::new((to_object, back)));
        host
    }
}

impl Host for TestHost {
    type Runtime = TestHostRuntime;
    type Registry = TestRegistry;
    type KeyValue = TestKeyValue;
    type RateLimiter = TestRateLimiter;
    type LegacyTransport = TestLegacy;

    fn runtime(&self) -> &TestHostRuntime {
        &self.runtime
    }

    fn registry(&self) -> &TestRegistry {
        &self.registry
    }

    fn key_value(&self) -> &TestKeyValue {
        &self.key_value
    }

    fn rate_limiter(&self) -> &TestRateLimiter {
        &self.rate_limiter
    }

    fn legacy_transport(&self) -> &TestLegacy {
        &self.legacy
    }
}

/// A channel to objects in memory.
#[derive(Clone, Debug)]
pub struct TestChannel(pub TestObjects);

impl ObjectChannel for TestChannel {
    async fn send(&self, object: &str, call: &[u8]) -> Result<Vec<u8>, ChannelError> {
        let sent = self.0.send(object, call).await;
        sent.map_err(|error| ChannelError {
            cause: error.to_string(),
            ..ChannelError::default()
        })
    }

    async fn wait_for_records(
        &self,
        object: &str,
        mesh_id: &str,
        wait: Duration,
    ) -> Result<Vec<u8>, ChannelError> {
        debug_assert_eq!(object, mesh_object(mesh_id, None));
        let failed = |error: Error| ChannelError {
            cause: error.to_string(),
            ..ChannelError::default()
        };
        let object = self.0.get(object);
        let read = || -> Result<MailboxRecords, _> { object.mailbox(mesh_id).map_err(failed) };
        let mut mailbox = read()?;
        if mailbox.records.is_empty() && !wait.is_zero() {
            self.0.runtime.sleep(wait).await;
            mailbox = read()?;
        }
        Ok(mailbox.encode_to_vec())
    }
}

/// Limits that are all exhausted, or none. A clone shares them.
#[derive(Clone, Debug, Default)]
pub struct TestRateLimiter {
    /// True if every call exceeds its limit.
    pub is_exhausted: Rc<Cell<bool>>,
    /// True if the limiter fails.
    pub fails: Rc<Cell<bool>>,
    /// The counted calls.
    pub counted: Rc<RefCell<Vec<(Limit, String)>>>,
}

impl RateLimiter for TestRateLimiter {
    async fn count(&self, limit: Limit, key: &str) -> Result<RateVerdict, Error> {
        self.counted.borrow_mut().push((limit, key.to_owned()));
        if self.fails.get() {
            return Err(Error::unavailable("no reply").with_cause("down for a test"));
        }
        Ok(if self.is_exhausted.get() {
            RateVerdict::Limited
        } else {
            RateVerdict::Allowed
        })
    }
}

/// A sink that keeps what is logged and recorded. A clone shares it.
#[derive(Clone, Debug, Default)]
pub struct TestSink {
    lines: Rc<RefCell<Vec<String>>>,
    points: Rc<RefCell<Vec<String>>>,
}

impl TestSink {
    /// Returns the log entries so far.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        self.lines.borrow().clone()
    }

    /// Returns the indexes of the data points so far.
    #[must_use]
    pub fn points(&self) -> Vec<String> {
        self.points.borrow().clone()
    }
}

impl Sink for TestSink {
    fn write(&self, _: LogLevel, _: LogFormat, entry: &str) {
        self.lines.borrow_mut().push(entry.to_owned());
    }

    fn collects_metrics(&self) -> bool {
        true
    }

    fn record(&self, point: &DataPoint<'_>) {
        self.points.borrow_mut().push(point.index.to_owned());
    }
}
