//! A platform in memory, for tests of all that stands above it: feature `testing`.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::rc::Rc;
use std::time::Duration;

use bytes::Bytes;
use connect::testing::TestHost;
use connect::{Client, Error, Host, Transport};

use crate::cache::Kv;
use crate::migration::{Legacy, Migration, Registration};
use crate::protos::coral::discovery::v1::DiscoveryServiceClient;
use crate::rate_limit::{Limit, Limiter};
use crate::registry::memory::MemoryObjects;
use crate::service::Platform;

/// Objects, KV and limits in memory, seen by a Worker whose clock may differ.
#[derive(Clone, Debug)]
pub struct MemoryPlatform<'a> {
    /// The objects.
    pub objects: MemoryObjects<'a>,
    /// KV.
    pub kv: MemoryKv<'a>,
    /// The old server.
    pub legacy: MemoryLegacy<'a>,
    /// Limits.
    pub limiter: MemoryLimiter,
    /// The Worker's clock.
    pub host: SkewedHost<'a>,
}

/// A clock that is ahead of the objects' by some milliseconds.
#[derive(Clone, Copy, Debug)]
pub struct SkewedHost<'a> {
    /// The objects' clock, and the timer of both.
    pub host: &'a TestHost,
    /// By how much it is ahead.
    pub ahead_ms: i64,
}

/// KV, with what may become of a write.
#[derive(Clone, Debug)]
pub struct MemoryKv<'a> {
    host: &'a TestHost,
    objects: MemoryObjects<'a>,
    values: Rc<RefCell<BTreeMap<String, Vec<u8>>>>,
    late: Rc<RefCell<Vec<LateWrite>>>,
    /// By how much writes are late.
    pub delay_ms: Rc<Cell<i64>>,
    /// Whether writes are lost.
    pub loses: Rc<Cell<bool>>,
    /// Whether reads fail.
    pub fails: Rc<Cell<bool>>,
    /// How long a read takes.
    pub read_ms: Rc<Cell<i64>>,
    /// Reads so far.
    pub reads: Rc<Cell<u32>>,
    /// Writes so far.
    pub writes: Rc<Cell<u32>>,
}

/// A write that nobody sees yet: from when on it is seen, its key and its value.
type LateWrite = (i64, String, Vec<u8>);

/// An old server that is down.
#[derive(Clone, Debug)]
pub struct MemoryLegacy<'a> {
    host: &'a TestHost,
    /// How often it was asked.
    pub asked: Rc<Cell<u32>>,
    /// What it was to register after the answer.
    pub registered: Rc<RefCell<Vec<Registration>>>,
    /// Why it was said to have failed.
    pub complaints: Rc<RefCell<Vec<String>>>,
}

/// Limits that are all exhausted, or none.
#[derive(Clone, Debug, Default)]
pub struct MemoryLimiter {
    /// Whether nothing is allowed any more.
    pub is_exhausted: Rc<Cell<bool>>,
    /// What was counted last.
    pub counted: Rc<RefCell<Vec<(Limit, String)>>>,
}

impl<'a> MemoryPlatform<'a> {
    /// Nothing stored; the Worker's clock is that of `host`.
    #[must_use]
    pub fn new(host: &'a TestHost, objects: MemoryObjects<'a>) -> Self {
        Self {
            objects: objects.clone(),
            kv: MemoryKv {
                host,
                objects,
                read_ms: Rc::default(),
                values: Rc::default(),
                late: Rc::default(),
                delay_ms: Rc::default(),
                loses: Rc::default(),
                fails: Rc::default(),
                reads: Rc::default(),
                writes: Rc::default(),
            },
            legacy: MemoryLegacy {
                host,
                asked: Rc::default(),
                registered: Rc::default(),
                complaints: Rc::default(),
            },
            limiter: MemoryLimiter::default(),
            host: SkewedHost { host, ahead_ms: 0 },
        }
    }
}

impl<'a> Platform for MemoryPlatform<'a> {
    type Objects = MemoryObjects<'a>;
    type Kv = MemoryKv<'a>;
    type Mailboxes = MemoryObjects<'a>;
    type Reports = MemoryObjects<'a>;
    type Legacy = MemoryLegacy<'a>;
    type Limiter = MemoryLimiter;
    type Host = SkewedHost<'a>;

    fn objects(&self) -> &MemoryObjects<'a> {
        &self.objects
    }

    fn kv(&self) -> &MemoryKv<'a> {
        &self.kv
    }

    fn mailboxes(&self) -> &MemoryObjects<'a> {
        &self.objects
    }

    fn reports(&self) -> &MemoryObjects<'a> {
        &self.objects
    }

    fn legacy(&self) -> &MemoryLegacy<'a> {
        &self.legacy
    }

    fn limiter(&self) -> &MemoryLimiter {
        &self.limiter
    }

    fn host(&self) -> &SkewedHost<'a> {
        &self.host
    }
}

impl Host for SkewedHost<'_> {
    fn now_ms(&self) -> i64 {
        self.host.now_ms().saturating_add(self.ahead_ms)
    }

    async fn sleep(&self, duration: Duration) {
        self.host.sleep(duration).await;
    }
}

impl MemoryKv<'_> {
    /// A value, once the writes whose time has come are seen.
    fn seen(&self, key: &str) -> Option<Vec<u8>> {
        let now_ms = self.host.now_ms();
        let mut values = self.values.borrow_mut();
        self.late.borrow_mut().retain(|(seen_at_ms, key, value)| {
            let is_seen = *seen_at_ms <= now_ms;
            if is_seen {
                values.insert(key.clone(), value.clone());
            }
            !is_seen
        });
        values.get(key).cloned()
    }
}

impl Kv for MemoryKv<'_> {
    async fn get(&self, key: &str) -> Result<Option<Vec<u8>>, Error> {
        self.reads.set(self.reads.get() + 1);
        if self.fails.get() {
            return Err(Error::unavailable("no answer").with_cause("down for a test"));
        }
        let value = self.seen(key);
        self.objects.travel(self.read_ms.get()).await;
        Ok(value)
    }

    fn put_later(&self, key: String, value: Vec<u8>) {
        self.writes.set(self.writes.get() + 1);
        if !self.loses.get() {
            let seen_at_ms = self.host.now_ms().saturating_add(self.delay_ms.get());
            self.late.borrow_mut().push((seen_at_ms, key, value));
        }
    }
}

impl<'a> Legacy for MemoryLegacy<'a> {
    type Transport = Self;

    fn client(&self, migration: &Migration) -> DiscoveryServiceClient<Self> {
        let url = migration.url.as_str();
        DiscoveryServiceClient(Client::new(self.clone(), url, migration.codec, 1_000))
    }

    fn register_later(&self, registration: Registration, _: Option<IpAddr>) {
        self.registered.borrow_mut().push(registration);
    }

    fn complain(&self, reason: &str) {
        self.complaints.borrow_mut().push(reason.to_owned());
    }
}

impl Transport for MemoryLegacy<'_> {
    async fn send(&self, _: http::Request<Bytes>) -> Result<http::Response<Bytes>, Error> {
        self.asked.set(self.asked.get() + 1);
        Err(Error::unavailable("no answer").with_cause("down for a test"))
    }

    async fn sleep(&self, duration: Duration) {
        self.host.sleep(duration).await;
    }
}

impl Limiter for MemoryLimiter {
    async fn allows(&self, limit: Limit, key: &str) -> bool {
        self.counted.borrow_mut().push((limit, key.to_owned()));
        !self.is_exhausted.get()
    }
}
