//! The store of a Durable Object: its key-value storage, backed by SQLite.
//!
//! Not SQL: for one lease, the key-value API is cheaper by a tenth on a write, and makes no table
//! (`docs/performance.md`). A sweep reads all keys: an index would be another row for each
//! heartbeat.

use std::cell::Cell;

use connect::{Error, UnixMillis};
use connect_worker::PromiseFuture;
use coral_registry::lease::LeaseState;
use coral_registry::proto::{CensusEntry, Cost, CountValue, LeaseKey, LeaseKind};
use coral_registry::storage::format::{
    COLONIES, COUNTS, LEASES, decode, decode_lease, encode_lease, lease_key, lease_prefix,
    parse_lease_key, storage_error,
};
use coral_registry::storage::{
    CensusCount, DueLease, Store, StoredEntry, StoredLease, is_newer_entry,
};
use prost::Message as _;
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;
use worker::js_sys::{Array, Uint8Array};

#[wasm_bindgen(module = "/js/storage.js")]
extern "C" {
    #[wasm_bindgen(catch)]
    fn get(storage: &JsValue, key: &str) -> Result<Option<Vec<u8>>, JsValue>;
    #[wasm_bindgen(catch)]
    fn put(storage: &JsValue, key: &str, value: &[u8]) -> Result<(), JsValue>;
    #[wasm_bindgen(catch)]
    fn remove(storage: &JsValue, key: &str) -> Result<bool, JsValue>;
    #[wasm_bindgen(catch)]
    fn list(storage: &JsValue, prefix: &str, limit: Option<u32>) -> Result<Array, JsValue>;
    #[wasm_bindgen(catch, js_name = getAlarm)]
    fn get_alarm(storage: &JsValue) -> Result<JsValue, JsValue>;
    #[wasm_bindgen(catch, js_name = setAlarm)]
    fn set_alarm(storage: &JsValue, milliseconds: f64) -> Result<JsValue, JsValue>;
    #[wasm_bindgen(catch, js_name = deleteAll)]
    fn delete_all(storage: &JsValue) -> Result<JsValue, JsValue>;
}

/// The storage of one object. It counts rows as the platform bills them: each value that is read or
/// listed is a row read, each that is written or removed a row written.
#[derive(Debug)]
pub(crate) struct ObjectStore {
    storage: JsValue,
    meter: Cell<Cost>,
}

impl ObjectStore {
    /// Returns the store over an object's `storage`.
    pub(crate) fn new(storage: JsValue) -> Self {
        Self {
            storage,
            meter: Cell::default(),
        }
    }

    /// Returns the counter of rows, for `with_row_count`.
    pub(crate) fn meter(&self) -> &Cell<Cost> {
        &self.meter
    }

    fn count_rows(&self, rows_read: i64, rows_written: i64) {
        self.meter
            .set(self.meter.get().plus(rows_read, rows_written));
    }

    fn get(&self, key: &str) -> Result<Option<Vec<u8>>, Error> {
        let value = get(&self.storage, key).map_err(js_error)?;
        self.count_rows(1, 0);
        Ok(value)
    }

    fn get_message<M: prost::Message + Default>(&self, key: &str) -> Result<Option<M>, Error> {
        self.get(key)?.map(|value| decode(&value)).transpose()
    }

    fn get_lease(&self, key: &LeaseKey) -> Result<Option<StoredLease>, Error> {
        let value = self.get(&lease_key(key))?;
        value.map(|value| decode_lease(&value)).transpose()
    }

    fn put_value(&self, key: &str, value: &[u8]) -> Result<(), Error> {
        self.count_rows(0, 1);
        put(&self.storage, key, value).map_err(js_error)
    }

    fn remove(&self, key: &str) -> Result<(), Error> {
        self.count_rows(0, 1);
        remove(&self.storage, key).map(drop).map_err(js_error)
    }

    /// Visits the values under keys of that prefix, up to the first error of `visit`.
    fn visit(
        &self,
        prefix: &str,
        mut visit: impl FnMut(String, Vec<u8>) -> Result<(), Error>,
    ) -> Result<(), Error> {
        // Keys and values alternate.
        let mut listed = list(&self.storage, prefix, None)
            .map_err(js_error)?
            .into_iter();
        while let (Some(key), Some(value)) = (listed.next(), listed.next()) {
            self.count_rows(1, 0);
            let key = key.as_string().unwrap_or_default();
            visit(key, Uint8Array::new(&value).to_vec())?;
        }
        Ok(())
    }

    /// Changes a stored lease, if it is there.
    fn update(&self, key: &LeaseKey, change: impl FnOnce(&mut LeaseState)) -> Result<(), Error> {
        let Some(mut lease) = self.get_lease(key)? else {
            return Ok(());
        };
        change(&mut lease.state);
        self.put_value(&lease_key(key), &encode_lease(&lease))
    }
}

impl Store for ObjectStore {
    fn state(&self, key: &LeaseKey) -> Result<Option<LeaseState>, Error> {
        Ok(self.get_lease(key)?.map(|lease| lease.state))
    }

    fn lease(&self, key: &LeaseKey, now: UnixMillis) -> Result<Option<StoredLease>, Error> {
        if key.kind() != LeaseKind::Agent || !key.scope.is_empty() {
            return self.get_lease(key);
        }
        let mut latest: Option<StoredLease> = None;
        let order = |lease: &StoredLease| (lease.is_live(now), lease.registered_at);
        self.visit(&lease_prefix(key), |_, value| {
            let lease = decode_lease(&value)?;
            if latest
                .as_ref()
                .is_none_or(|latest| order(latest) < order(&lease))
            {
                latest = Some(lease);
            }
            Ok(())
        })?;
        Ok(latest)
    }

    fn entries(&self, kind: LeaseKind, id: &str) -> Result<Vec<StoredEntry>, Error> {
        let key = LeaseKey {
            kind: kind.into(),
            id: id.to_owned(),
            scope: String::new(),
        };
        let mut entries = Vec::new();
        self.visit(&lease_prefix(&key), |key, value| {
            entries.push(StoredEntry {
                bytes: key.len().saturating_add(value.len()),
                key: parsed(&key)?,
                lease: decode_lease(&value)?,
            });
            Ok(())
        })?;
        Ok(entries)
    }

    fn put(&self, key: &LeaseKey, lease: &StoredLease) -> Result<(), Error> {
        self.put_value(&lease_key(key), &encode_lease(lease))
    }

    fn delete(&self, key: &LeaseKey) -> Result<(), Error> {
        self.remove(&lease_key(key))
    }

    fn mark_counted(&self, key: &LeaseKey) -> Result<(), Error> {
        self.update(key, |state| state.counted = true)
    }

    fn mark_cached(&self, key: &LeaseKey, until: UnixMillis) -> Result<(), Error> {
        self.update(key, |state| state.cached_until = until)
    }

    fn has_leases(&self) -> Result<bool, Error> {
        let listed = list(&self.storage, LEASES, Some(1)).map_err(js_error)?;
        let has_leases = listed.length() > 0;
        self.count_rows(i64::from(has_leases), 0);
        Ok(has_leases)
    }

    fn earliest_expiry(&self) -> Result<Option<UnixMillis>, Error> {
        let mut earliest: Option<UnixMillis> = None;
        self.visit(LEASES, |_, value| {
            let expires_at = decode_lease(&value)?.state.expires_at;
            earliest = earliest.into_iter().chain([expires_at]).min();
            Ok(())
        })?;
        Ok(earliest)
    }

    fn due(&self, now: UnixMillis) -> Result<Vec<DueLease>, Error> {
        let mut due = Vec::new();
        self.visit(LEASES, |key, value| {
            due.extend(DueLease::of(parsed(&key)?, &decode_lease(&value)?, now));
            Ok(())
        })?;
        Ok(due)
    }

    fn report_colonies(
        &self,
        registered: &[CensusEntry],
        expired: &[CensusEntry],
    ) -> Result<(), Error> {
        for entry in registered {
            let key = format!("{COLONIES}{}", entry.mesh_id);
            let stored: Option<CensusEntry> = self.get_message(&key)?;
            if is_newer_entry(stored.as_ref(), entry) {
                let value = CensusEntry {
                    mesh_id: String::new(),
                    ..*entry
                };
                self.put_value(&key, &value.encode_to_vec())?;
            }
        }
        for CensusEntry { mesh_id, at_ms, .. } in expired {
            let key = format!("{COLONIES}{mesh_id}");
            let stored: Option<CensusEntry> = self.get_message(&key)?;
            if stored.is_some_and(|stored| stored.at_ms <= *at_ms) {
                self.remove(&key)?;
            }
        }
        Ok(())
    }

    fn count_colonies(&self, now: UnixMillis) -> Result<CensusCount, Error> {
        let mut count = CensusCount::default();
        let mut ended = Vec::new();
        self.visit(COLONIES, |key, value| {
            if !count.add(&decode(&value)?, now) {
                ended.push(key);
            }
            Ok(())
        })?;
        for key in ended {
            self.remove(&key)?;
        }
        Ok(count)
    }

    fn put_count(&self, shard: u32, colonies: i64, at: UnixMillis) -> Result<(), Error> {
        let key = format!("{COUNTS}{shard}");
        let at_ms = at.as_millis();
        let stored: Option<CountValue> = self.get_message(&key)?;
        if stored.is_some_and(|stored| stored.at_ms > at_ms) {
            return Ok(());
        }
        self.put_value(&key, &CountValue { colonies, at_ms }.encode_to_vec())
    }

    fn total(&self) -> Result<i64, Error> {
        let mut total: i64 = 0;
        self.visit(COUNTS, |_, value| {
            total = total.saturating_add(decode::<CountValue>(&value)?.colonies);
            Ok(())
        })?;
        Ok(total)
    }

    #[expect(clippy::cast_possible_truncation, reason = "whole milliseconds")]
    async fn alarm(&self) -> Result<Option<UnixMillis>, Error> {
        let promise = get_alarm(&self.storage).map_err(js_error)?;
        let at = PromiseFuture::new(&promise).await.map_err(js_error)?;
        Ok(at.as_f64().map(|at| UnixMillis::from_millis(at as i64)))
    }

    #[expect(
        clippy::cast_precision_loss,
        reason = "exact for the next 285,000 years"
    )]
    async fn set_alarm(&self, at: UnixMillis) -> Result<(), Error> {
        self.count_rows(0, 1);
        let promise = set_alarm(&self.storage, at.as_millis() as f64).map_err(js_error)?;
        let set = PromiseFuture::new(&promise).await;
        set.map(drop).map_err(js_error)
    }

    async fn delete_all(&self) -> Result<(), Error> {
        let promise = delete_all(&self.storage).map_err(js_error)?;
        let deleted = PromiseFuture::new(&promise).await;
        deleted.map(drop).map_err(js_error)
    }
}

fn parsed(key: &str) -> Result<LeaseKey, Error> {
    parse_lease_key(key).ok_or_else(|| storage_error("unknown key"))
}

fn js_error(error: JsValue) -> Error {
    storage_error(worker::Error::from(error))
}
