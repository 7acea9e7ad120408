//! Workers KV, where copies of hot leases and the number of colonies are published.

use std::rc::Rc;

use connect::{Error, Host as _};
use connect_worker::WorkerHost;
use worker::Env;
use worker::kv::{KvError, KvStore};

use crate::bindings;
use crate::cache::Kv;
use crate::event::Event;
use crate::isolate::Isolate;
use crate::meter::Meter;
use crate::telemetry;

/// The binding in `wrangler.toml`. Without it nothing is cached.
const BINDING: &str = "CACHE";

/// For how long a data centre keeps a value that it has read, in seconds: the least that KV allows.
const CACHE_TTL_SECONDS: u64 = 30;

/// For how long KV keeps a copy of a lease, in seconds: the least that KV allows, and as old as a
/// copy may be.
const EXPIRATION_TTL_SECONDS: u64 = 60;

/// The KV namespace of one request.
#[derive(Debug)]
pub struct WorkerKv {
    /// The bindings.
    pub env: Rc<Env>,
    /// What writes outlive the request by.
    pub event: Rc<Event>,
    /// The isolate's memory.
    pub isolate: Rc<Isolate>,
    /// Notes what is used.
    pub meter: Rc<Meter>,
}

impl Kv for WorkerKv {
    async fn get(&self, key: &str) -> Result<Option<Vec<u8>>, Error> {
        let Some(store) = open(&self.env) else {
            return Ok(None);
        };
        self.meter.note(|usage| usage.kv_reads += 1);
        let value = store.get(key).cache_ttl(CACHE_TTL_SECONDS).bytes().await;
        value.map_err(|error| {
            warn(&self.isolate, "KV cannot be read", &error);
            Error::unavailable("KV cannot be read").with_cause(error)
        })
    }

    fn put_later(&self, key: String, value: Vec<u8>) {
        let Some(store) = open(&self.env) else {
            return;
        };
        self.meter.note(|usage| usage.kv_writes += 1);
        let isolate = Rc::clone(&self.isolate);
        self.event.wait_until(async move {
            if let Err(error) = put(&store, &key, &value, Some(EXPIRATION_TTL_SECONDS)).await {
                warn(&isolate, "KV cannot be written", &error);
            }
        });
    }
}

/// Writes a value that stays until it is written again, if there is a KV namespace.
///
/// # Errors
/// When KV fails.
pub async fn publish(env: &Env, key: &str, value: &[u8]) -> Result<(), Error> {
    let Some(store) = open(env) else {
        return Ok(());
    };
    let written = put(&store, key, value, None).await;
    written.map_err(|error| Error::unavailable("KV cannot be written").with_cause(error))
}

/// Whether there is a KV namespace.
#[must_use]
pub fn is_there(env: &Env) -> bool {
    bindings::find(env, BINDING).is_some()
}

/// Opening costs a few calls into JavaScript, so only who needs it does.
fn open(env: &Env) -> Option<KvStore> {
    is_there(env).then(|| env.kv(BINDING).ok()).flatten()
}

async fn put(store: &KvStore, key: &str, value: &[u8], ttl: Option<u64>) -> Result<(), KvError> {
    let put = store.put_bytes(key, value)?;
    match ttl {
        Some(ttl) => put.expiration_ttl(ttl).execute().await,
        None => put.execute().await,
    }
}

fn warn(isolate: &Isolate, what: &'static str, error: &KvError) {
    if isolate.may_warn(what, WorkerHost.now_ms()) {
        telemetry::log_trouble(&isolate.config, what, &error.to_string());
    }
}
