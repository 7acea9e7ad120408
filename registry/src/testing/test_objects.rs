//! All objects of a registry, in memory: reached through the generated client and dispatch, as a
//! remote object is.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::future::poll_fn;
use std::rc::Rc;
use std::task::{Poll, Waker};
use std::time::Duration;

use bytes::Bytes;
use connect::internal::ObjectTransport;
use connect::testing::TestRuntime;
use connect::{Error, Method, UnixMillis};

use super::MemoryStore;
use crate::call::{decode_reply, encode_call, handle_call};
use crate::census::{Census, reports_by_shard};
use crate::object_names::{CENSUS_TOTAL, census_object, role};
use crate::proto::{
    CensusEntry, RegistryService as _, RegistryServiceClient, ReportCountRequest, registry_service,
};
use crate::storage::cached_store::CachedStore;
use crate::{RegistryObject, Settings};

/// An object in memory.
pub type TestObject = RegistryObject<CachedStore<Rc<MemoryStore>>, TestRuntime>;

/// All objects, in memory. A clone shares them.
#[derive(Clone, Debug)]
pub struct TestObjects {
    /// The clock of all objects.
    pub runtime: TestRuntime,
    settings: Settings,
    objects: Rc<RefCell<BTreeMap<String, Rc<TestObject>>>>,
    /// True if calls fail.
    pub are_down: Rc<Cell<bool>>,
    /// The number of calls so far.
    pub requests: Rc<Cell<u32>>,
    /// The colony count that was published last.
    pub published: Rc<Cell<Option<i64>>>,
    /// The time that a call takes to its object, and its reply on the way back.
    pub latency: Rc<Cell<(Duration, Duration)>>,
    in_transit: Rc<RefCell<Vec<(UnixMillis, Waker)>>>,
}

impl TestObjects {
    /// Returns a registry without objects.
    #[must_use]
    pub fn new(runtime: TestRuntime, settings: Settings) -> Self {
        Self {
            runtime,
            settings,
            objects: Rc::default(),
            are_down: Rc::default(),
            requests: Rc::default(),
            published: Rc::default(),
            latency: Rc::default(),
            in_transit: Rc::default(),
        }
    }

    /// Returns a client of the object of that name.
    #[must_use]
    pub fn client(&self, name: &str) -> RegistryServiceClient<TestTransport> {
        RegistryServiceClient(TestTransport {
            objects: self.clone(),
            name: name.to_owned(),
        })
    }

    /// Returns the object of that name, which need not exist yet.
    #[must_use]
    pub fn get(&self, name: &str) -> Rc<TestObject> {
        let mut objects = self.objects.borrow_mut();
        let object = objects
            .entry(name.to_owned())
            .or_insert_with(|| self.start(name, Rc::default()));
        Rc::clone(object)
    }

    /// Returns the store of an object.
    #[must_use]
    pub fn store(&self, name: &str) -> Rc<MemoryStore> {
        Rc::clone(&self.get(name).store.inner)
    }

    /// Drops all objects from memory. Their stores stay.
    pub fn restart(&self) {
        for (name, object) in self.objects.borrow_mut().iter_mut() {
            *object = self.start(name, Rc::clone(&object.store.inner));
        }
    }

    fn start(&self, name: &str, store: Rc<MemoryStore>) -> Rc<TestObject> {
        let store = CachedStore::new(store);
        let runtime = self.runtime.clone();
        Rc::new(RegistryObject::new(
            store,
            runtime,
            role(name),
            self.settings,
        ))
    }

    /// Sends an encoded call to the object of that name, and returns its encoded reply.
    ///
    /// # Errors
    /// `unavailable` while [`are_down`](Self::are_down).
    pub async fn send(&self, name: &str, call: &[u8]) -> Result<Vec<u8>, Error> {
        self.requests.set(self.requests.get() + 1);
        if self.are_down.get() {
            return Err(Error::unavailable("no reply").with_cause("down for a test"));
        }
        let (to_object, back) = self.latency.get();
        self.travel(to_object).await;
        let object = self.get(name);
        let meter = &object.store.inner.meter;
        let call = Bytes::copy_from_slice(call);
        let handled = handle_call(call, &self.runtime, meter, async |method, request| {
            registry_service::dispatch(&*object, method, request).await
        });
        let handled = handled.await;
        self.travel(back).await;
        Ok(handled.reply)
    }

    /// Wakes the calls and replies in transit, so that those arrive whose time has come.
    pub fn deliver(&self) {
        for (_, waker) in self.in_transit.take() {
            waker.wake();
        }
    }

    /// Returns the time at which the next call or reply arrives.
    #[must_use]
    pub fn next_arrival(&self) -> Option<UnixMillis> {
        let in_transit = self.in_transit.borrow();
        in_transit.iter().map(|(at, _)| *at).min()
    }

    /// Returns after a time in transit, as [`deliver`](Self::deliver) lets it pass.
    pub async fn travel(&self, duration: Duration) {
        let arrives_at = self.runtime.now() + duration;
        poll_fn(|cx| {
            if self.runtime.now() >= arrives_at {
                return Poll::Ready(());
            }
            let waker = cx.waker().clone();
            self.in_transit.borrow_mut().push((arrives_at, waker));
            Poll::Pending
        })
        .await;
    }

    /// Fires the alarms that are due, each once.
    pub async fn fire_alarms(&self) {
        let now = self.runtime.now();
        let objects: Vec<_> = self.objects.borrow().values().cloned().collect();
        for object in objects {
            let alarm_at = &object.store.inner.alarm_at;
            if alarm_at.get().is_some_and(|at| at <= now) {
                alarm_at.set(None);
                // A failed report is repeated by the alarm that the sweep sets for it.
                let _ = object.sweep(self).await;
            }
        }
    }

    /// Returns the time of the next alarm.
    #[must_use]
    pub fn next_alarm(&self) -> Option<UnixMillis> {
        let objects = self.objects.borrow();
        objects
            .values()
            .filter_map(|object| object.store.inner.alarm_at.get())
            .min()
    }
}

impl Census for TestObjects {
    async fn report_colonies(
        &self,
        registered: Vec<CensusEntry>,
        expired: Vec<CensusEntry>,
    ) -> Result<(), Error> {
        for (shard, report) in reports_by_shard(&registered, &expired) {
            let object = self.client(&census_object(shard));
            object.report_colonies(report).await?;
        }
        Ok(())
    }

    async fn report_count(&self, count: ReportCountRequest) -> Result<(), Error> {
        self.client(CENSUS_TOTAL).report_count(count).await?;
        Ok(())
    }

    async fn publish_count(&self, colonies: i64) -> Result<(), Error> {
        if self.are_down.get() {
            return Err(Error::unavailable("no reply").with_cause("down for a test"));
        }
        self.published.set(Some(colonies));
        Ok(())
    }
}

/// A transport to one object in memory.
#[derive(Clone, Debug)]
pub struct TestTransport {
    objects: TestObjects,
    name: String,
}

impl ObjectTransport for TestTransport {
    async fn call(&self, method: &'static Method, request: Bytes) -> Result<Bytes, Error> {
        let reply = self
            .objects
            .send(&self.name, &encode_call(method, request, None))
            .await?;
        decode_reply(&reply).0
    }
}
