//! The registry in memory, for tests of all that stands above storage: feature `testing`.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::future::{pending, poll_fn};
use std::rc::Rc;
use std::task::{Poll, Waker};
use std::time::Duration;

use bytes::Bytes;
use connect::testing::TestHost;
use connect::{Client, Codec, Error, Host as _, Limits, Server, Transport};

use super::census::{self, Census};
use super::client::{Mailboxes, Objects};
use super::lease::Holder;
use super::reports::Reports;
use super::service::{Registry, Settings};
use super::store::{Count, Kept, Listed, Store, StoredLease, is_news};
use crate::protos::coral::registry::v1::{
    CensusEntry, CollectResponse, LeaseKey, LeaseKind, Member, RegistryServiceClient,
    ReportCountRequest, registry_service,
};
use crate::{addressing, limits};

type Key = (i32, String, String);

/// Leases, census and alarm of one object.
#[derive(Debug, Default)]
pub struct MemoryStore {
    leases: RefCell<BTreeMap<Key, StoredLease>>,
    census: RefCell<BTreeMap<String, CensusEntry>>,
    counts: RefCell<BTreeMap<u32, (i64, i64)>>,
    /// Every lease that was ever written, in order.
    pub history: RefCell<Vec<StoredLease>>,
    /// When the object asked to be woken.
    pub alarm_at_ms: Cell<Option<i64>>,
    /// Rows written since the beginning, as the platform would bill them.
    pub rows_written: Cell<u64>,
}

impl MemoryStore {
    fn wrote_row(&self) {
        self.rows_written.set(self.rows_written.get() + 1);
    }
}

fn to_key(key: &LeaseKey) -> Key {
    (key.kind, key.id.clone(), key.scope.clone())
}

impl Store for Rc<MemoryStore> {
    fn holder(&self, key: &LeaseKey) -> Result<Option<Holder>, Error> {
        let leases = self.leases.borrow();
        Ok(leases.get(&to_key(key)).map(|lease| lease.holder.clone()))
    }

    fn lease(&self, key: &LeaseKey, now_ms: i64) -> Result<Option<StoredLease>, Error> {
        let leases = self.leases.borrow();
        let found = leases.iter().filter(|((kind, id, scope), _)| {
            *kind == key.kind && *id == key.id && (key.scope.is_empty() || *scope == key.scope)
        });
        let latest = found.max_by_key(|(_, lease)| {
            (lease.holder.expires_at_ms >= now_ms, lease.registered_at_ms)
        });
        Ok(latest.map(|(_, lease)| lease.clone()))
    }

    fn leases(&self, kind: LeaseKind, id: &str) -> Result<Vec<Kept>, Error> {
        let leases = self.leases.borrow();
        let of_id = leases
            .iter()
            .filter(|((of, named, _), _)| *of == i32::from(kind) && named == id);
        let listed = of_id.map(|((kind, id, scope), lease)| Kept {
            key: LeaseKey {
                kind: *kind,
                id: id.clone(),
                scope: scope.clone(),
            },
            lease: lease.clone(),
            bytes: id.len() + scope.len() + lease.record.len(),
        });
        Ok(listed.collect())
    }

    fn put(&self, key: &LeaseKey, lease: &StoredLease) -> Result<(), Error> {
        self.wrote_row();
        self.leases.borrow_mut().insert(to_key(key), lease.clone());
        self.history.borrow_mut().push(lease.clone());
        Ok(())
    }

    fn delete(&self, key: &LeaseKey) -> Result<(), Error> {
        self.wrote_row();
        self.leases.borrow_mut().remove(&to_key(key));
        Ok(())
    }

    fn mark_counted(&self, key: &LeaseKey) -> Result<(), Error> {
        self.wrote_row();
        if let Some(lease) = self.leases.borrow_mut().get_mut(&to_key(key)) {
            lease.holder.counted = true;
        }
        Ok(())
    }

    fn mark_cached(&self, key: &LeaseKey, until_ms: i64) -> Result<(), Error> {
        self.wrote_row();
        if let Some(lease) = self.leases.borrow_mut().get_mut(&to_key(key)) {
            lease.holder.cached_until_ms = until_ms;
        }
        Ok(())
    }

    fn has_leases(&self) -> Result<bool, Error> {
        Ok(!self.leases.borrow().is_empty())
    }

    fn earliest_expiry(&self) -> Result<Option<i64>, Error> {
        let leases = self.leases.borrow();
        Ok(leases.values().map(|l| l.holder.expires_at_ms).min())
    }

    fn due(&self, now_ms: i64) -> Result<Vec<Listed>, Error> {
        let leases = self.leases.borrow();
        let listed = leases.iter().map(|((kind, id, scope), lease)| Listed {
            key: LeaseKey {
                kind: *kind,
                id: id.clone(),
                scope: scope.clone(),
            },
            registered_at_ms: lease.registered_at_ms,
            expires_at_ms: lease.holder.expires_at_ms,
            counted: lease.holder.counted,
        });
        let is_due = |lease: &Listed| {
            let is_colony = lease.key.kind() == LeaseKind::Colony;
            lease.expires_at_ms < now_ms || (is_colony && !lease.counted)
        };
        Ok(listed.filter(is_due).collect())
    }

    fn report(&self, births: &[CensusEntry], deaths: &[CensusEntry]) -> Result<(), Error> {
        let mut census = self.census.borrow_mut();
        for birth in births {
            if is_news(census.get(&birth.mesh_id), birth) {
                census.insert(birth.mesh_id.clone(), birth.clone());
            }
        }
        for death in deaths {
            census.retain(|id, born| *id != death.mesh_id || born.at_ms > death.at_ms);
        }
        Ok(())
    }

    fn put_count(&self, shard: u32, colonies: i64, at_ms: i64) -> Result<(), Error> {
        self.wrote_row();
        let mut counts = self.counts.borrow_mut();
        let count = counts.entry(shard).or_insert((colonies, at_ms));
        if at_ms >= count.1 {
            *count = (colonies, at_ms);
        }
        Ok(())
    }

    fn total(&self) -> Result<i64, Error> {
        Ok(self.counts.borrow().values().map(|count| count.0).sum())
    }

    fn count(&self, now_ms: i64) -> Result<Count, Error> {
        let mut count = Count::default();
        let mut census = self.census.borrow_mut();
        census.retain(|_, born| count.add(born, now_ms));
        Ok(count)
    }

    async fn alarm(&self) -> Result<Option<i64>, Error> {
        Ok(self.alarm_at_ms.get())
    }

    async fn set_alarm(&self, at_ms: i64) -> Result<(), Error> {
        self.wrote_row();
        self.alarm_at_ms.set(Some(at_ms));
        Ok(())
    }

    async fn delete_all(&self) -> Result<(), Error> {
        self.leases.borrow_mut().clear();
        self.census.borrow_mut().clear();
        self.counts.borrow_mut().clear();
        self.alarm_at_ms.set(None);
        Ok(())
    }
}

/// An object in memory.
pub type MemoryRegistry<'a> = Registry<Rc<MemoryStore>, &'a TestHost>;

/// All objects, in memory: reached through generated client and router as the real ones are.
#[derive(Clone, Debug)]
pub struct MemoryObjects<'a> {
    host: &'a TestHost,
    settings: Settings,
    objects: Rc<RefCell<BTreeMap<String, Rc<MemoryRegistry<'a>>>>>,
    /// Whether calls fail.
    pub are_down: Rc<Cell<bool>>,
    /// Births that somebody was to tell of.
    pub births: Rc<RefCell<Vec<CensusEntry>>>,
    /// Agents that somebody was to tell their meshes of.
    pub members: Rc<RefCell<Vec<(String, Member)>>>,
    /// Calls so far.
    pub requests: Rc<Cell<u32>>,
    /// The number of colonies that was published last.
    pub published: Rc<Cell<Option<i64>>>,
    /// How long a call is on its way to an object, and its answer on the way back.
    pub latency_ms: Rc<Cell<(i64, i64)>>,
    under_way: Rc<RefCell<Vec<(i64, Waker)>>>,
}

impl<'a> MemoryObjects<'a> {
    /// None yet.
    #[must_use]
    pub fn new(host: &'a TestHost, settings: Settings) -> Self {
        Self {
            host,
            settings,
            objects: Rc::default(),
            births: Rc::default(),
            members: Rc::default(),
            are_down: Rc::default(),
            requests: Rc::default(),
            published: Rc::default(),
            latency_ms: Rc::default(),
            under_way: Rc::default(),
        }
    }

    /// The object of that name.
    #[must_use]
    pub fn get(&self, name: &str) -> Rc<MemoryRegistry<'a>> {
        let mut objects = self.objects.borrow_mut();
        let object = objects
            .entry(name.to_owned())
            .or_insert_with(|| self.start(name, Rc::default()));
        Rc::clone(object)
    }

    /// What an object stores.
    #[must_use]
    pub fn store(&self, name: &str) -> Rc<MemoryStore> {
        Rc::clone(&self.get(name).store.inner)
    }

    /// Drops all objects from memory; their storage stays.
    pub fn restart(&self) {
        for (name, object) in self.objects.borrow_mut().iter_mut() {
            *object = self.start(name, Rc::clone(&object.store.inner));
        }
    }

    fn start(&self, name: &str, store: Rc<MemoryStore>) -> Rc<MemoryRegistry<'a>> {
        let role = addressing::role(name);
        Rc::new(Registry::new(store, self.host, role, self.settings))
    }

    /// Lets calls and answers arrive whose time has come.
    pub fn deliver(&self) {
        for (_, waker) in self.under_way.take() {
            waker.wake();
        }
    }

    /// When the next of them arrives.
    #[must_use]
    pub fn next_arrival_ms(&self) -> Option<i64> {
        let under_way = self.under_way.borrow();
        under_way.iter().map(|(at_ms, _)| *at_ms).min()
    }

    pub(crate) async fn travel(&self, milliseconds: i64) {
        let arrives_at_ms = self.host.now_ms.get().saturating_add(milliseconds);
        poll_fn(|cx| {
            if self.host.now_ms.get() >= arrives_at_ms {
                return Poll::Ready(());
            }
            let waker = cx.waker().clone();
            self.under_way.borrow_mut().push((arrives_at_ms, waker));
            Poll::Pending
        })
        .await;
    }

    /// Fires the alarms that are due, each once.
    pub async fn fire_alarms(&self) {
        let now_ms = self.host.now_ms.get();
        let objects: Vec<_> = self.objects.borrow().values().cloned().collect();
        for object in objects {
            if object
                .store
                .inner
                .alarm_at_ms
                .get()
                .is_some_and(|at_ms| at_ms <= now_ms)
            {
                object.store.inner.alarm_at_ms.set(None);
                // A failing census is tried again, by the alarm that the sweep sets for it.
                let _ = object.sweep(self).await;
            }
        }
    }

    /// When the next alarm is due.
    #[must_use]
    pub fn next_alarm_ms(&self) -> Option<i64> {
        let objects = self.objects.borrow();
        objects
            .values()
            .filter_map(|object| object.store.inner.alarm_at_ms.get())
            .min()
    }
}

impl Mailboxes for MemoryObjects<'_> {
    async fn wait(&self, mesh_id: &str, wait: Duration) -> Result<CollectResponse, Error> {
        let object = self.get(&addressing::mesh_object(mesh_id, None));
        let messages = object.messages(mesh_id)?;
        if !messages.messages.is_empty() || wait.is_zero() {
            return Ok(messages);
        }
        self.host.sleep(wait).await;
        object.messages(mesh_id)
    }
}

impl Reports for MemoryObjects<'_> {
    fn birth(&self, birth: CensusEntry) {
        self.births.borrow_mut().push(birth);
    }

    fn member(&self, mesh_id: String, member: Member) {
        self.members.borrow_mut().push((mesh_id, member));
    }
}

impl Census for MemoryObjects<'_> {
    async fn report(
        &self,
        births: Vec<CensusEntry>,
        deaths: Vec<CensusEntry>,
    ) -> Result<(), Error> {
        census::report(self, &births, &deaths).await
    }

    async fn report_count(&self, count: ReportCountRequest) -> Result<(), Error> {
        census::report_count(self, &count).await
    }

    async fn publish(&self, colonies: i64) -> Result<(), Error> {
        if self.are_down.get() {
            return Err(Error::unavailable("no answer").with_cause("down for a test"));
        }
        self.published.set(Some(colonies));
        Ok(())
    }
}

impl<'a> Objects for MemoryObjects<'a> {
    type Transport = MemoryStub<'a>;

    fn object(&self, name: &str) -> RegistryServiceClient<MemoryStub<'a>> {
        let transport = MemoryStub {
            objects: self.clone(),
            name: name.to_owned(),
        };
        let limit = limits::INTERNAL_MESSAGE_BYTES;
        RegistryServiceClient(Client::new(
            transport,
            "http://registry",
            Codec::Proto,
            limit,
        ))
    }
}

/// Carries calls to one object.
#[derive(Clone, Debug)]
pub struct MemoryStub<'a> {
    objects: MemoryObjects<'a>,
    name: String,
}

impl Transport for MemoryStub<'_> {
    async fn send(&self, request: http::Request<Bytes>) -> Result<http::Response<Bytes>, Error> {
        self.objects.requests.set(self.objects.requests.get() + 1);
        if self.objects.are_down.get() {
            return Err(Error::unavailable("no answer").with_cause("down for a test"));
        }
        let limits = Limits {
            max_message_bytes: limits::INTERNAL_MESSAGE_BYTES,
            max_timeout: limits::DEADLINE,
            gzip_from_bytes: None,
        };
        let server = Server::new(self.objects.host, limits);
        let (way_there_ms, way_back_ms) = self.objects.latency_ms.get();
        self.objects.travel(way_there_ms).await;
        let object = self.objects.get(&self.name);
        let answer = registry_service::route(&*object, &server, request).await;
        self.objects.travel(way_back_ms).await;
        Ok(answer)
    }

    async fn sleep(&self, _: Duration) {
        pending().await
    }
}
