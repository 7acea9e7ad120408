//! The store of a Durable Object: its key-value storage, which lies in SQLite.
//!
//! Not SQL: for one lease, the key-value API is cheaper by a tenth on a write, and makes no table
//! (`docs/performance.md`). A sweep goes through all keys: an index would be another row for each heartbeat.

use std::cell::Cell;

use connect::Error;
use connect_worker::Promised;
use prost::Message as _;
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;
use worker::js_sys::{Array, Uint8Array};

use crate::protos::coral::registry::v1::{
    CensusEntry, LeaseKey, LeaseKind, StoredCount, StoredLease as Record,
};
use crate::records::{self, COUNTS, LEASES, LIVING};
use crate::registry::lease::Holder;
use crate::registry::store::{Cost, Count, Kept, Listed, Store, StoredLease, is_news};

#[wasm_bindgen(module = "/src/storage.js")]
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

/// The storage of one object, with a count of what its use costs: each value that is read or listed is
/// a row read, each that is written or removed a row written.
#[derive(Debug)]
pub struct ObjectStore {
    storage: JsValue,
    cost: Cell<Cost>,
}

impl ObjectStore {
    /// The store of the object that `storage` belongs to.
    #[must_use]
    pub fn new(storage: JsValue) -> Self {
        Self {
            storage,
            cost: Cell::default(),
        }
    }

    /// Where its use is counted, for [`metered`].
    ///
    /// [`metered`]: crate::registry::metered::metered
    #[must_use]
    pub fn meter(&self) -> &Cell<Cost> {
        &self.cost
    }

    fn count_cost(&self, rows_read: u64, rows_written: u64) {
        let cost = self.cost.get();
        self.cost.set(Cost {
            rows_read: cost.rows_read.saturating_add(rows_read),
            rows_written: cost.rows_written.saturating_add(rows_written),
        });
    }

    fn get<T: prost::Message + Default>(&self, key: &str) -> Result<Option<T>, Error> {
        let value = get(&self.storage, key).map_err(failed)?;
        self.count_cost(1, 0);
        value.map(|value| decode(&value)).transpose()
    }

    fn put(&self, key: &str, value: &[u8]) -> Result<(), Error> {
        self.count_cost(0, 1);
        put(&self.storage, key, value).map_err(failed)
    }

    fn remove(&self, key: &str) -> Result<(), Error> {
        self.count_cost(0, 1);
        remove(&self.storage, key).map(drop).map_err(failed)
    }

    /// Shows what is stored under keys that begin so, to the first error of `visit`.
    fn list(
        &self,
        prefix: &str,
        mut visit: impl FnMut(String, Vec<u8>) -> Result<(), Error>,
    ) -> Result<(), Error> {
        // A key, its value, the next key.
        let mut listed = list(&self.storage, prefix, None)
            .map_err(failed)?
            .into_iter();
        while let (Some(key), Some(value)) = (listed.next(), listed.next()) {
            self.count_cost(1, 0);
            let key = key.as_string().unwrap_or_default();
            visit(key, Uint8Array::new(&value).to_vec())?;
        }
        Ok(())
    }

    /// Changes a lease that is there.
    fn update(&self, key: &LeaseKey, change: impl FnOnce(&mut Record)) -> Result<(), Error> {
        let key = records::lease_key(key);
        let Some(mut record) = self.get::<Record>(&key)? else {
            return Ok(());
        };
        change(&mut record);
        self.put(&key, &record.encode_to_vec())
    }
}

impl Store for ObjectStore {
    fn holder(&self, key: &LeaseKey) -> Result<Option<Holder>, Error> {
        let record: Option<Record> = self.get(&records::lease_key(key))?;
        Ok(record.map(|record| records::from_record(record).holder))
    }

    fn lease(&self, key: &LeaseKey, now_ms: i64) -> Result<Option<StoredLease>, Error> {
        if key.kind() != LeaseKind::Agent || !key.scope.is_empty() {
            let record: Option<Record> = self.get(&records::lease_key(key))?;
            return Ok(record.map(records::from_record));
        }
        let mut latest: Option<StoredLease> = None;
        let order = |lease: &StoredLease| {
            let is_live = lease.holder.expires_at_ms >= now_ms;
            (is_live, lease.registered_at_ms)
        };
        self.list(&records::leases_of(key), |_, value| {
            let lease = records::from_record(decode(&value)?);
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

    fn leases(&self, kind: LeaseKind, id: &str) -> Result<Vec<Kept>, Error> {
        let of = LeaseKey {
            kind: kind.into(),
            id: id.to_owned(),
            scope: String::new(),
        };
        let mut leases = Vec::new();
        self.list(&records::leases_of(&of), |key, value| {
            leases.push(Kept {
                bytes: key.len().saturating_add(value.len()),
                key: records::parse_lease_key(&key).ok_or_else(|| failed("unknown key"))?,
                lease: records::from_record(decode(&value)?),
            });
            Ok(())
        })?;
        Ok(leases)
    }

    fn put(&self, key: &LeaseKey, lease: &StoredLease) -> Result<(), Error> {
        let value = records::to_record(lease).encode_to_vec();
        self.put(&records::lease_key(key), &value)
    }

    fn delete(&self, key: &LeaseKey) -> Result<(), Error> {
        self.remove(&records::lease_key(key))
    }

    fn mark_counted(&self, key: &LeaseKey) -> Result<(), Error> {
        self.update(key, |lease| lease.counted = true)
    }

    fn mark_cached(&self, key: &LeaseKey, until_ms: i64) -> Result<(), Error> {
        self.update(key, |lease| lease.cached_until_ms = until_ms)
    }

    fn has_leases(&self) -> Result<bool, Error> {
        let listed = list(&self.storage, LEASES, Some(1)).map_err(failed)?;
        let has_some = listed.length() > 0;
        self.count_cost(u64::from(has_some), 0);
        Ok(has_some)
    }

    fn earliest_expiry(&self) -> Result<Option<i64>, Error> {
        let mut earliest: Option<i64> = None;
        self.list(LEASES, |_, value| {
            let Record { expires_at_ms, .. } = decode(&value)?;
            let sooner = earliest.map_or(expires_at_ms, |at_ms| at_ms.min(expires_at_ms));
            earliest = Some(sooner);
            Ok(())
        })?;
        Ok(earliest)
    }

    fn due(&self, now_ms: i64) -> Result<Vec<Listed>, Error> {
        let mut due = Vec::new();
        self.list(LEASES, |key, value| {
            let lease: Record = decode(&value)?;
            let key = records::parse_lease_key(&key).ok_or_else(|| failed("unknown key"))?;
            let is_untold = key.kind() == LeaseKind::Colony && !lease.counted;
            if lease.expires_at_ms < now_ms || is_untold {
                due.push(Listed {
                    key,
                    registered_at_ms: lease.registered_at_ms,
                    expires_at_ms: lease.expires_at_ms,
                    counted: lease.counted,
                });
            }
            Ok(())
        })?;
        Ok(due)
    }

    fn report(&self, births: &[CensusEntry], deaths: &[CensusEntry]) -> Result<(), Error> {
        for birth in births {
            let key = format!("{LIVING}{}", birth.mesh_id);
            let known: Option<CensusEntry> = self.get(&key)?;
            if is_news(known.as_ref(), birth) {
                let born = CensusEntry {
                    mesh_id: String::new(),
                    ..*birth
                };
                self.put(&key, &born.encode_to_vec())?;
            }
        }
        for CensusEntry { mesh_id, at_ms, .. } in deaths {
            let key = format!("{LIVING}{mesh_id}");
            let born: Option<CensusEntry> = self.get(&key)?;
            if born.is_some_and(|born| born.at_ms <= *at_ms) {
                self.remove(&key)?;
            }
        }
        Ok(())
    }

    fn count(&self, now_ms: i64) -> Result<Count, Error> {
        let mut count = Count::default();
        let mut gone = Vec::new();
        self.list(LIVING, |key, value| {
            if !count.add(&decode(&value)?, now_ms) {
                gone.push(key);
            }
            Ok(())
        })?;
        for key in gone {
            self.remove(&key)?;
        }
        Ok(count)
    }

    fn put_count(&self, shard: u32, colonies: i64, at_ms: i64) -> Result<(), Error> {
        let key = format!("{COUNTS}{shard}");
        let known: Option<StoredCount> = self.get(&key)?;
        if known.is_some_and(|known| known.at_ms > at_ms) {
            return Ok(());
        }
        self.put(&key, &StoredCount { colonies, at_ms }.encode_to_vec())
    }

    fn total(&self) -> Result<i64, Error> {
        let mut total: i64 = 0;
        self.list(COUNTS, |_, value| {
            total = total.saturating_add(decode::<StoredCount>(&value)?.colonies);
            Ok(())
        })?;
        Ok(total)
    }

    #[expect(clippy::cast_possible_truncation, reason = "whole milliseconds")]
    async fn alarm(&self) -> Result<Option<i64>, Error> {
        let promise = get_alarm(&self.storage).map_err(failed)?;
        let at_ms = Promised::new(&promise).await.map_err(failed)?;
        Ok(at_ms.as_f64().map(|at_ms| at_ms as i64))
    }

    #[expect(
        clippy::cast_precision_loss,
        reason = "exact for the next 285,000 years"
    )]
    async fn set_alarm(&self, at_ms: i64) -> Result<(), Error> {
        self.count_cost(0, 1);
        let promise = set_alarm(&self.storage, at_ms as f64).map_err(failed)?;
        Promised::new(&promise).await.map(drop).map_err(failed)
    }

    async fn delete_all(&self) -> Result<(), Error> {
        let promise = delete_all(&self.storage).map_err(failed)?;
        Promised::new(&promise).await.map(drop).map_err(failed)
    }
}

fn decode<T: prost::Message + Default>(value: &[u8]) -> Result<T, Error> {
    T::decode(value).map_err(|error| failed(error.to_string()))
}

fn failed(error: impl Into<JsValue>) -> Error {
    let cause = worker::Error::from(error.into());
    Error::internal("storage failed").with_cause(cause)
}
