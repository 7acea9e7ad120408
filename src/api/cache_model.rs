//! Model test of the cache: random histories of colonies that register, change, expire and are
//! taken over, while calls are in flight and objects restart. Workers, each with its own clock,
//! look them up through a KV that is late, loses writes or fails. The response to each lookup is
//! compared with what the objects wrote.

mod checks;

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use connect::testing::TestRuntime;
use connect::{CallOptions, Client, Codec, Error, Server, Transport, UnixMillis};
use coral_registry::Settings;
use coral_registry::storage::StoredLease;
use coral_registry::testing::TestObjects;
use futures_executor::LocalPool;
use futures_util::task::LocalSpawnExt as _;
use proptest::prelude::*;

use self::checks::check_lookup;
use super::Discovery;
use crate::limits;
use crate::proto::discovery::{
    DiscoveryServiceClient, LookupColonyRequest, LookupColonyResponse, RegisterColonyRequest,
    discovery_service,
};
use crate::state::AppState;
use crate::testing::{TestHost, TestSink};

const TTL_SECONDS: &str = "90";

/// The skews of the Workers' clocks, in milliseconds.
const WORKERS: [i64; 3] = [0, 1_000, -1_000];

/// One step of a history.
#[derive(Clone, Debug)]
enum Step {
    Register {
        worker: usize,
        owner: u8,
        changes: bool,
        latency_ms: (u64, u64),
    },
    LookUp {
        worker: usize,
        latency_ms: (u64, u64),
    },
    Wait {
        millis: u64,
    },
    RestartObjects,
    RestartWorker {
        worker: usize,
    },
    KvIsLate {
        millis: u64,
    },
    KvLoses(bool),
    KvFails(bool),
    KvTakes {
        millis: u64,
    },
}

fn step() -> impl Strategy<Value = Step> {
    let worker = 0..WORKERS.len();
    let latency_ms = prop_oneof![3 => Just((0, 0)), 1 => (0..3_000_u64, 0..3_000_u64)];
    prop_oneof![
        4 => (worker.clone(), 0..2_u8, any::<bool>(), latency_ms.clone()).prop_map(
            |(worker, owner, changes, latency_ms)| {
                Step::Register { worker, owner, changes, latency_ms }
            }
        ),
        8 => (worker.clone(), latency_ms)
            .prop_map(|(worker, latency_ms)| Step::LookUp { worker, latency_ms }),
        4 => prop_oneof![0..2_000_u64, 0..40_000_u64, 80_000..100_000_u64]
            .prop_map(|millis| Step::Wait { millis }),
        1 => Just(Step::RestartObjects),
        1 => worker.prop_map(|worker| Step::RestartWorker { worker }),
        1 => prop_oneof![Just(0), 0..100_000_u64].prop_map(|millis| Step::KvIsLate { millis }),
        1 => any::<bool>().prop_map(Step::KvLoses),
        1 => any::<bool>().prop_map(Step::KvFails),
        1 => prop_oneof![Just(0), 0..20_000_u64].prop_map(|millis| Step::KvTakes { millis }),
    ]
}

/// A Worker: an isolate with its own clock.
#[derive(Clone)]
struct Worker {
    host: TestHost,
    state: Rc<AppState>,
}

impl Transport for Worker {
    async fn send(
        &self,
        request: http::Request<bytes::Bytes>,
    ) -> Result<http::Response<bytes::Bytes>, Error> {
        let service = Discovery {
            host: self.host.clone(),
            state: Rc::clone(&self.state),
            usage: Rc::default(),
            client: Rc::default(),
        };
        let server = Server::new(self.host.runtime.clone(), limits::server(true));
        Ok(discovery_service::route(&service, &server, request).await)
    }

    async fn sleep(&self, _: Duration) {
        std::future::pending().await
    }
}

/// A lookup that returned.
struct Lookup {
    requested_at: UnixMillis,
    returned_at: UnixMillis,
    /// The time that an object's response was on its way: its lease may have expired meanwhile.
    way_back: Duration,
    found: Result<LookupColonyResponse, Error>,
}

fn new_state() -> Rc<AppState> {
    let var = |name: &str| match name {
        "DEFAULT_TTL_SECONDS" => Some(TTL_SECONDS.to_owned()),
        "CACHE_HOT_LOOKUPS_PER_MINUTE" => Some("1".to_owned()),
        _ => None,
    };
    let state = AppState::new(var, None, Box::new(TestSink::default()), UnixMillis::EPOCH);
    assert!(state.config_error.is_none());
    Rc::new(state)
}

/// The run of a history.
struct Run {
    objects: TestObjects,
    host: TestHost,
    workers: [Worker; 3],
    pool: LocalPool,
    lookups: Rc<RefCell<Vec<Lookup>>>,
    version: u32,
    registrations: usize,
}

impl Run {
    fn new() -> Self {
        let runtime = TestRuntime::default();
        runtime.set_now(UnixMillis::from_millis(1_000_000));
        let settings = Settings {
            cleanup_interval: Duration::from_secs(60),
            hot_lookups: std::num::NonZeroU32::new(1),
            census_debounce: Duration::from_millis(1),
            publishes_count: false,
        };
        let objects = TestObjects::new(runtime, settings);
        let host = TestHost::new(objects.clone());
        let workers = WORKERS.map(|ahead_ms| Worker {
            host: host.with_clock_ahead(ahead_ms),
            state: new_state(),
        });
        Self {
            objects,
            host,
            workers,
            pool: LocalPool::new(),
            lookups: Rc::default(),
            version: 0,
            registrations: 0,
        }
    }

    fn client(
        &self,
        worker: usize,
        (to_object, back): (u64, u64),
    ) -> DiscoveryServiceClient<Worker> {
        let mut worker = self.workers[worker].clone();
        let (to_object, back) = (
            Duration::from_millis(to_object),
            Duration::from_millis(back),
        );
        // Each call has its own latency, whatever it waits for before it calls the object.
        worker.host = worker.host.with_latency(to_object, back);
        let limit = limits::MESSAGE_BYTES;
        DiscoveryServiceClient(Client::new(worker, "http://test", Codec::Proto, limit))
    }

    fn take_step(&mut self, step: &Step) {
        match step {
            Step::Register {
                worker,
                owner,
                changes,
                latency_ms,
            } => {
                self.version += u32::from(*changes);
                self.registrations += 1;
                let request = RegisterColonyRequest {
                    mesh_id: "m".to_owned(),
                    pubkey: owner.to_string(),
                    endpoints: vec![format!("version-{}:1", self.version)],
                    ..RegisterColonyRequest::default()
                };
                let client = self.client(*worker, *latency_ms);
                self.spawn(async move {
                    let options = CallOptions::default();
                    let _ = client.register_colony(&request, options).await;
                });
            }
            Step::LookUp { worker, latency_ms } => self.look_up(*worker, *latency_ms),
            Step::Wait { millis } => self.pass(Duration::from_millis(*millis)),
            Step::RestartObjects => self.objects.restart(),
            Step::RestartWorker { worker } => self.workers[*worker].state = new_state(),
            Step::KvIsLate { millis } => {
                self.host
                    .key_value
                    .delay
                    .set(Duration::from_millis(*millis));
            }
            Step::KvLoses(loses) => self.host.key_value.loses.set(*loses),
            Step::KvFails(fails) => self.host.key_value.fails.set(*fails),
            Step::KvTakes { millis } => {
                let read_time = &self.host.key_value.read_time;
                read_time.set(Duration::from_millis(*millis));
            }
        }
        self.pool.run_until_stalled();
    }

    fn look_up(&self, worker: usize, latency_ms: (u64, u64)) {
        let client = self.client(worker, latency_ms);
        let lookups = Rc::clone(&self.lookups);
        let clock = self.objects.runtime.clone();
        self.spawn(async move {
            let requested_at = clock.now();
            let request = LookupColonyRequest {
                mesh_id: "m".to_owned(),
            };
            let found = client.lookup_colony(&request, CallOptions::default()).await;
            lookups.borrow_mut().push(Lookup {
                requested_at,
                returned_at: clock.now(),
                way_back: Duration::from_millis(latency_ms.1),
                found: found.map(|found| found.message),
            });
        });
    }

    fn spawn(&self, task: impl Future<Output = ()> + 'static) {
        self.pool.spawner().spawn_local(task).unwrap();
    }

    /// Lets time pass. Calls and replies in transit arrive at their time.
    fn pass(&mut self, duration: Duration) {
        let end = self.objects.runtime.now() + duration;
        loop {
            let next = self.objects.next_arrival().filter(|next| *next <= end);
            self.objects.runtime.set_now(next.unwrap_or(end));
            self.objects.deliver();
            self.pool.run_until_stalled();
            if next.is_none() {
                return;
            }
        }
    }
}

/// Runs a history. Returns the lookups, the leases that the object wrote, and the number of lookups
/// that the object did not serve.
fn run(steps: &[Step]) -> (Vec<Lookup>, Vec<StoredLease>, usize) {
    let mut run = Run::new();
    for step in steps {
        run.take_step(step);
    }
    run.pass(Duration::from_secs(100));
    let history = run.objects.store("colony:m").history.take();
    let lookups = run.lookups.take();
    let calls = usize::try_from(run.objects.requests.get()).unwrap();
    let served_by_copies = (lookups.len() + run.registrations).saturating_sub(calls);
    (lookups, history, served_by_copies)
}

proptest! {
    #![proptest_config(ProptestConfig {
        max_shrink_iters: 2_000,
        // Histories that go wrong are rare: `cargo xtask test` runs more than ten thousand.
        cases: 8 * ProptestConfig::default().cases,
        ..ProptestConfig::default()
    })]

    #[test]
    fn copies_never_outlive_their_lease_and_are_never_older_than_promised(
        steps in prop::collection::vec(step(), 1..40)
    ) {
        let (lookups, history, _) = run(&steps);
        for lookup in &lookups {
            if let Err(why) = check_lookup(lookup, &history) {
                prop_assert!(
                    false,
                    "{why}: requested at {}, returned at {} {:?}\nwritten: {history:#?}",
                    lookup.requested_at, lookup.returned_at, lookup.found
                );
            }
        }
    }
}

/// The model would prove nothing if copies were hardly ever served.
#[test]
fn histories_do_use_the_cache() {
    let look_up = Step::LookUp {
        worker: 0,
        latency_ms: (0, 0),
    };
    let register = Step::Register {
        worker: 0,
        owner: 0,
        changes: true,
        latency_ms: (0, 0),
    };
    let wait = Step::Wait { millis: 2_000 };
    let steps = [
        register,
        look_up.clone(),
        look_up.clone(),
        wait,
        look_up.clone(),
        look_up,
    ];
    let (lookups, _, served_by_copies) = run(&steps);
    assert!(lookups.iter().all(|lookup| lookup.found.is_ok()));
    // From memory, from KV, and from memory again.
    assert_eq!(served_by_copies, 3);
}
