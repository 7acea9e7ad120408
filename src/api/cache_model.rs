//! The cache's proof: random histories of colonies that register, change, lapse and are taken over,
//! looked up by Workers with clocks of their own through a KV that is late, loses writes or fails, while
//! calls are under way and objects restart. What a lookup returns is compared with what objects wrote.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use connect::testing::TestHost;
use connect::{CallOptions, Client, Code, Codec, Error, Server, Transport};
use futures_executor::LocalPool;
use futures_util::task::LocalSpawnExt as _;
use proptest::prelude::*;

use super::Discovery;
use crate::cache::{CLOCK_SKEW_MS, MAX_AGE_MS};
use crate::isolate::Isolate;
use crate::limits;
use crate::memory::MemoryPlatform;
use crate::protos::coral::discovery::v1::{
    DiscoveryServiceClient, LookupColonyRequest, LookupColonyResponse, RegisterColonyRequest,
    discovery_service,
};
use crate::registry::memory::MemoryObjects;
use crate::registry::service::Settings;
use crate::registry::store::StoredLease;

const TTL_SECONDS: &str = "90";
const WORKERS: [i64; 3] = [0, CLOCK_SKEW_MS, -CLOCK_SKEW_MS];

/// How old an answer may be: what the cache promises, and what the clocks of the Worker that took a
/// copy and of the one that serves it may differ.
const STALENESS_MS: i64 = MAX_AGE_MS + 2 * CLOCK_SKEW_MS;

/// One step of a history.
#[derive(Clone, Debug)]
enum Step {
    Register {
        worker: usize,
        owner: u8,
        changes: bool,
        latency_ms: (i64, i64),
    },
    LookUp {
        worker: usize,
        latency_ms: (i64, i64),
    },
    Wait {
        milliseconds: i64,
    },
    RestartObjects,
    RestartWorker {
        worker: usize,
    },
    KvIsLate {
        milliseconds: i64,
    },
    KvLoses(bool),
    KvFails(bool),
    KvTakes {
        milliseconds: i64,
    },
}

fn step() -> impl Strategy<Value = Step> {
    let worker = 0..WORKERS.len();
    let latency_ms = prop_oneof![3 => Just((0, 0)), 1 => (0..3_000_i64, 0..3_000_i64)];
    prop_oneof![
        4 => (worker.clone(), 0..2_u8, any::<bool>(), latency_ms.clone()).prop_map(
            |(worker, owner, changes, latency_ms)| Step::Register { worker, owner, changes, latency_ms }
        ),
        8 => (worker.clone(), latency_ms)
            .prop_map(|(worker, latency_ms)| Step::LookUp { worker, latency_ms }),
        4 => prop_oneof![0..2_000_i64, 0..40_000_i64, 80_000..100_000_i64]
            .prop_map(|milliseconds| Step::Wait { milliseconds }),
        1 => Just(Step::RestartObjects),
        1 => worker.prop_map(|worker| Step::RestartWorker { worker }),
        1 => prop_oneof![Just(0), 0..100_000_i64]
            .prop_map(|milliseconds| Step::KvIsLate { milliseconds }),
        1 => any::<bool>().prop_map(Step::KvLoses),
        1 => any::<bool>().prop_map(Step::KvFails),
        1 => prop_oneof![Just(0), 0..20_000_i64]
            .prop_map(|milliseconds| Step::KvTakes { milliseconds }),
    ]
}

/// A Worker: an isolate with a clock of its own.
#[derive(Clone)]
struct Worker {
    platform: MemoryPlatform<'static>,
    isolate: Rc<Isolate>,
}

impl Transport for Worker {
    async fn send(
        &self,
        request: http::Request<bytes::Bytes>,
    ) -> Result<http::Response<bytes::Bytes>, Error> {
        let service = Discovery {
            platform: self.platform.clone(),
            isolate: Rc::clone(&self.isolate),
            meter: Rc::default(),
        };
        let server = Server::new(self.platform.host, limits::server(true));
        Ok(discovery_service::route(&service, &server, request).await)
    }

    async fn sleep(&self, _: std::time::Duration) {
        std::future::pending().await
    }
}

/// A lookup that came back.
struct Answer {
    asked_at_ms: i64,
    answered_at_ms: i64,
    /// How long an object's answer was on its way: it may have lapsed meanwhile.
    way_back_ms: i64,
    found: Result<LookupColonyResponse, Error>,
}

fn isolate() -> Rc<Isolate> {
    let var = |name: &str| match name {
        "DEFAULT_TTL_SECONDS" => Some(TTL_SECONDS.to_owned()),
        "CACHE_HOT_LOOKUPS_PER_MINUTE" => Some("1".to_owned()),
        _ => None,
    };
    let isolate = Isolate::new(var, 0);
    assert!(isolate.fault.is_none());
    Rc::new(isolate)
}

/// Lives through a history. Returns what lookups returned, what the object wrote, and how many
/// answers the object did not give itself.
fn live(steps: &[Step]) -> (Vec<Answer>, Vec<StoredLease>, usize) {
    // Tasks outlive the stack frame that starts them, as far as their types tell.
    let host: &'static TestHost = Box::leak(Box::default());
    host.now_ms.set(1_000_000);
    let settings = Settings {
        cleanup_interval_ms: 60_000,
        hot_lookups: std::num::NonZeroU32::new(1),
        census_debounce_ms: 1,
        publishes: false,
    };
    let objects = MemoryObjects::new(host, settings);
    let platform = MemoryPlatform::new(host, objects.clone());
    let mut workers = WORKERS.map(|ahead_ms| {
        let mut platform = platform.clone();
        platform.host.ahead_ms = ahead_ms;
        Worker {
            platform,
            isolate: isolate(),
        }
    });
    let answers = Rc::<RefCell<Vec<Answer>>>::default();
    let version = Cell::new(0);
    let mut pool = LocalPool::new();
    let client = |worker: &Worker, latency_ms: (i64, i64)| {
        let mut worker = worker.clone();
        // Each call has its own, whatever it waits for before it asks the object.
        worker.platform.objects.latency_ms = Rc::new(Cell::new(latency_ms));
        let limit = limits::MESSAGE_BYTES;
        DiscoveryServiceClient(Client::new(worker, "http://test", Codec::Proto, limit))
    };
    for step in steps {
        match step {
            Step::Register {
                worker,
                owner,
                changes,
                latency_ms,
            } => {
                if *changes {
                    version.set(version.get() + 1);
                }
                let request = RegisterColonyRequest {
                    mesh_id: "m".to_owned(),
                    pubkey: owner.to_string(),
                    endpoints: vec![format!("version-{}:1", version.get())],
                    ..RegisterColonyRequest::default()
                };
                let client = client(&workers[*worker], *latency_ms);
                let task = async move {
                    let _ = client
                        .register_colony(&request, CallOptions::default())
                        .await;
                };
                pool.spawner().spawn_local(task).unwrap();
            }
            Step::LookUp { worker, latency_ms } => {
                let client = client(&workers[*worker], *latency_ms);
                let answers = Rc::clone(&answers);
                let way_back_ms = latency_ms.1;
                let task = async move {
                    let asked_at_ms = host.now_ms.get();
                    let request = LookupColonyRequest {
                        mesh_id: "m".to_owned(),
                    };
                    let found = client.lookup_colony(&request, CallOptions::default()).await;
                    answers.borrow_mut().push(Answer {
                        asked_at_ms,
                        answered_at_ms: host.now_ms.get(),
                        way_back_ms,
                        found: found.map(|found| found.message),
                    });
                };
                pool.spawner().spawn_local(task).unwrap();
            }
            Step::Wait { milliseconds } => {
                pass(host, &objects, &mut pool, *milliseconds);
            }
            Step::RestartObjects => objects.restart(),
            Step::RestartWorker { worker } => workers[*worker].isolate = isolate(),
            Step::KvIsLate { milliseconds } => platform.kv.delay_ms.set(*milliseconds),
            Step::KvLoses(loses) => platform.kv.loses.set(*loses),
            Step::KvFails(fails) => platform.kv.fails.set(*fails),
            Step::KvTakes { milliseconds } => platform.kv.read_ms.set(*milliseconds),
        }
        pool.run_until_stalled();
    }
    pass(host, &objects, &mut pool, 100_000);
    let history = objects.store("colony:m").history.take();
    drop(pool);
    let answers = Rc::into_inner(answers).unwrap().into_inner();
    let looked_up = answers.len();
    let asked = usize::try_from(objects.requests.get()).unwrap();
    let registered = steps
        .iter()
        .filter(|step| matches!(step, Step::Register { .. }))
        .count();
    (
        answers,
        history,
        (looked_up + registered).saturating_sub(asked),
    )
}

/// Lets time pass. What is under way arrives at its time.
fn pass(host: &TestHost, objects: &MemoryObjects<'_>, pool: &mut LocalPool, milliseconds: i64) {
    let end_ms = host.now_ms.get() + milliseconds;
    loop {
        let next_ms = objects
            .next_arrival_ms()
            .filter(|next_ms| *next_ms <= end_ms);
        host.now_ms.set(next_ms.unwrap_or(end_ms));
        objects.deliver();
        pool.run_until_stalled();
        if next_ms.is_none() {
            return;
        }
    }
}

/// Whether an answer may be given, in words if not.
fn judge(answer: &Answer, history: &[StoredLease]) -> Result<(), String> {
    let found = match &answer.found {
        Ok(found) => found,
        Err(error) if error.code() == Code::NotFound => return judge_not_found(answer, history),
        Err(error) => return Err(format!("{error}")),
    };
    // The record as it was stored: without what a lookup adds.
    let is_it = |lease: &StoredLease| {
        let stored: LookupColonyResponse = prost::Message::decode(lease.record.as_slice()).unwrap();
        lease.holder.owner == found.pubkey && stored.endpoints == found.endpoints
    };
    let until = |index: usize| {
        let next = history.get(index + 1);
        next.map_or(i64::MAX, |next| next.registered_at_ms)
    };
    let written = history.iter().enumerate().filter(|(_, lease)| is_it(lease));
    let written: Vec<_> = written.collect();
    if !written.iter().any(|(index, lease)| {
        lease.registered_at_ms <= answer.answered_at_ms
            && until(*index) >= answer.asked_at_ms - STALENESS_MS
    }) {
        return Err("it was replaced too long ago, or never written".to_owned());
    }
    if !written.iter().any(|(_, lease)| {
        lease.registered_at_ms <= answer.answered_at_ms
            && lease.holder.expires_at_ms >= answer.answered_at_ms - answer.way_back_ms
    }) {
        return Err("its lease had lapsed".to_owned());
    }
    let successor = history
        .iter()
        .rev()
        .find(|lease| lease.registered_at_ms < answer.asked_at_ms);
    if successor.is_some_and(|lease| {
        lease.holder.owner != found.pubkey
            && lease.holder.expires_at_ms >= answer.answered_at_ms
            && !written
                .iter()
                .any(|(_, own)| own.registered_at_ms >= lease.registered_at_ms)
    }) {
        return Err("another owner's lease lived all the while".to_owned());
    }
    Ok(())
}

fn judge_not_found(answer: &Answer, history: &[StoredLease]) -> Result<(), String> {
    let before = history
        .iter()
        .rev()
        .find(|lease| lease.registered_at_ms < answer.asked_at_ms);
    match before {
        Some(lease) if lease.holder.expires_at_ms >= answer.answered_at_ms => {
            Err("a lease lived all the while".to_owned())
        }
        _ => Ok(()),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { max_shrink_iters: 2_000, ..ProptestConfig::with_cases(10_000) })]

    #[test]
    fn copies_never_outlive_their_lease_and_are_never_older_than_promised(
        steps in prop::collection::vec(step(), 1..40)
    ) {
        let (answers, history, _) = live(&steps);
        for answer in &answers {
            if let Err(why) = judge(answer, &history) {
                prop_assert!(
                    false,
                    "{why}: asked at {}, answered at {} {:?}\nwritten: {history:#?}",
                    answer.asked_at_ms, answer.answered_at_ms, answer.found
                );
            }
        }
    }
}

/// The model would prove nothing if copies were hardly ever served.
#[test]
fn the_histories_do_use_the_cache() {
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
    let wait = Step::Wait {
        milliseconds: 2_000,
    };
    let steps = [
        register,
        look_up.clone(),
        look_up.clone(),
        wait,
        look_up.clone(),
        look_up,
    ];
    let (answers, _, served_by_copies) = live(&steps);
    assert!(answers.iter().all(|answer| answer.found.is_ok()));
    // From the memo, from KV, and from the memo again.
    assert_eq!(served_by_copies, 3);
}
