//! The port `KeyValue`: Workers KV.

use std::rc::Rc;
use std::time::Duration;

use connect::Error;
use coral_discovery::ports::KeyValue;
use worker::Env;
use worker::kv::{KvError, KvStore};

use crate::bindings::is_bound;

/// The binding in `wrangler.toml`. Without it only the isolate's memory caches.
const BINDING: &str = "CACHE";

/// The time for which a data centre keeps a value that it has read, in seconds: KV's minimum.
const CACHE_TTL_SECONDS: u64 = 30;

/// The KV namespace, if it is bound.
#[derive(Clone, Debug)]
pub(crate) struct WorkerKv {
    env: Rc<Env>,
}

impl WorkerKv {
    /// Returns the namespace of an environment.
    pub(crate) fn new(env: &Rc<Env>) -> Self {
        Self {
            env: Rc::clone(env),
        }
    }

    /// Opens the namespace, which costs a few calls into JavaScript: only where it is used.
    fn open(&self) -> Option<KvStore> {
        self.env.kv(BINDING).ok()
    }
}

impl KeyValue for WorkerKv {
    fn is_available(&self) -> bool {
        is_bound(&self.env, BINDING)
    }

    async fn get(&self, key: &str) -> Result<Option<Vec<u8>>, Error> {
        let Some(store) = self.open() else {
            return Ok(None);
        };
        let value = store.get(key).cache_ttl(CACHE_TTL_SECONDS).bytes().await;
        value.map_err(|error| Error::unavailable("KV cannot be read").with_cause(error))
    }

    async fn put(&self, key: &str, value: &[u8], ttl: Option<Duration>) -> Result<(), Error> {
        let Some(store) = self.open() else {
            return Ok(());
        };
        let written = put(&store, key, value, ttl).await;
        written.map_err(|error| Error::unavailable("KV cannot be written").with_cause(error))
    }
}

async fn put(
    store: &KvStore,
    key: &str,
    value: &[u8],
    ttl: Option<Duration>,
) -> Result<(), KvError> {
    let put = store.put_bytes(key, value)?;
    match ttl {
        Some(ttl) => put.expiration_ttl(ttl.as_secs()).execute().await,
        None => put.execute().await,
    }
}
