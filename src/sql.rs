//! The store of a Durable Object: SQLite.
//!
//! Tables are made by the first write, so that an object which is only asked stores nothing. A
//! primary key without rowid makes a lease one row; an index would be another row for each
//! heartbeat, and a sweep finds what has lapsed by going through all.

use std::cell::Cell;
use std::fmt;

use connect::Error;
use worker::{Date, DateInit, ScheduledTime, SqlStorage, SqlStorageValue, Storage};

use crate::protos::coral::registry::v1::{CensusEntry, LeaseKey, LeaseKind};
use crate::registry::lease::Holder;
use crate::registry::store::{Cost, Listed, Store, StoredLease};

/// A table, and whether it exists: looked up once in an instance's life, then remembered.
struct Table {
    create: &'static str,
    exists: &'static str,
    is_there: Cell<Option<bool>>,
}

/// SQLite of one object, with a count of what its use costs.
pub struct SqlStore {
    storage: Storage,
    sql: SqlStorage,
    leases: Table,
    census: Table,
    counts: Table,
    cost: Cell<Cost>,
}

type Row = Vec<SqlStorageValue>;

impl SqlStore {
    /// The store of the object that `storage` belongs to.
    #[must_use]
    pub fn new(storage: Storage) -> Self {
        Self {
            sql: storage.sql(),
            storage,
            leases: Table {
                create: "CREATE TABLE IF NOT EXISTS leases (
                    kind INTEGER NOT NULL, id TEXT NOT NULL, scope TEXT NOT NULL,
                    owner TEXT NOT NULL, registered_at_ms INTEGER NOT NULL,
                    expires_at_ms INTEGER NOT NULL, counted INTEGER NOT NULL,
                    cached_until_ms INTEGER NOT NULL, record BLOB NOT NULL, PRIMARY KEY (kind, id, scope)
                ) STRICT, WITHOUT ROWID",
                exists: "SELECT 1 FROM sqlite_schema WHERE name = 'leases'",
                is_there: Cell::new(None),
            },
            census: Table {
                create: "CREATE TABLE IF NOT EXISTS living (
                    mesh_id TEXT PRIMARY KEY, born_at_ms INTEGER NOT NULL
                ) STRICT, WITHOUT ROWID",
                exists: "SELECT 1 FROM sqlite_schema WHERE name = 'living'",
                is_there: Cell::new(None),
            },
            counts: Table {
                create: "CREATE TABLE IF NOT EXISTS counts (
                    shard INTEGER PRIMARY KEY, colonies INTEGER NOT NULL, at_ms INTEGER NOT NULL
                ) STRICT",
                exists: "SELECT 1 FROM sqlite_schema WHERE name = 'counts'",
                is_there: Cell::new(None),
            },
            cost: Cell::default(),
        }
    }

    /// What was used since this was last asked.
    pub fn take_cost(&self) -> Cost {
        self.cost.take()
    }

    fn exec(&self, statement: &str, bindings: Vec<SqlStorageValue>) -> Result<Vec<Row>, Error> {
        let cursor = self.sql.exec(statement, bindings).map_err(failed)?;
        let rows = cursor.raw().collect::<Result<_, _>>().map_err(failed)?;
        let mut cost = self.cost.get();
        cost.rows_read = cost.rows_read.saturating_add(count(cursor.rows_read()));
        cost.rows_written = cost
            .rows_written
            .saturating_add(count(cursor.rows_written()));
        self.cost.set(cost);
        Ok(rows)
    }

    /// Reads rows; there are none before the first write.
    fn read(
        &self,
        table: &Table,
        statement: &str,
        bindings: Vec<SqlStorageValue>,
    ) -> Result<Vec<Row>, Error> {
        if table.is_there.get().is_none() {
            let is_there = !self.exec(table.exists, Vec::new())?.is_empty();
            table.is_there.set(Some(is_there));
        }
        match table.is_there.get() {
            Some(true) => self.exec(statement, bindings),
            _ => Ok(Vec::new()),
        }
    }

    fn write(
        &self,
        table: &Table,
        statement: &str,
        bindings: Vec<SqlStorageValue>,
    ) -> Result<(), Error> {
        if table.is_there.get() != Some(true) {
            self.exec(table.create, Vec::new())?;
            table.is_there.set(Some(true));
        }
        self.exec(statement, bindings).map(drop)
    }
}

impl Store for SqlStore {
    fn holder(&self, key: &LeaseKey) -> Result<Option<Holder>, Error> {
        let rows = self.read(
            &self.leases,
            "SELECT owner, expires_at_ms, counted, cached_until_ms FROM leases
             WHERE kind = ? AND id = ? AND scope = ?",
            bind_key(key),
        )?;
        rows.into_iter().next().map(holder).transpose()
    }

    fn lease(&self, key: &LeaseKey, now_ms: i64) -> Result<Option<StoredLease>, Error> {
        let rows = self.read(
            &self.leases,
            "SELECT owner, expires_at_ms, counted, cached_until_ms, registered_at_ms, record
             FROM leases
             WHERE kind = ?1 AND id = ?2 AND (?3 = '' OR scope = ?3)
             ORDER BY expires_at_ms >= ?4 DESC, registered_at_ms DESC LIMIT 1",
            [bind_key(key), vec![SqlStorageValue::Integer(now_ms)]].concat(),
        )?;
        rows.into_iter().next().map(stored_lease).transpose()
    }

    fn put(&self, key: &LeaseKey, lease: &StoredLease) -> Result<(), Error> {
        let mut bindings = bind_key(key);
        bindings.extend([
            SqlStorageValue::String(lease.holder.owner.clone()),
            SqlStorageValue::Integer(lease.registered_at_ms),
            SqlStorageValue::Integer(lease.holder.expires_at_ms),
            SqlStorageValue::Integer(lease.holder.counted.into()),
            SqlStorageValue::Integer(lease.holder.cached_until_ms),
            SqlStorageValue::Blob(lease.record.clone()),
        ]);
        self.write(
            &self.leases,
            "INSERT OR REPLACE INTO leases
             (kind, id, scope, owner, registered_at_ms, expires_at_ms, counted, cached_until_ms,
              record)
             VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            bindings,
        )
    }

    fn delete(&self, key: &LeaseKey) -> Result<(), Error> {
        self.write(
            &self.leases,
            "DELETE FROM leases WHERE kind = ? AND id = ? AND scope = ?",
            bind_key(key),
        )
    }

    fn mark_counted(&self, key: &LeaseKey) -> Result<(), Error> {
        self.write(
            &self.leases,
            "UPDATE leases SET counted = 1 WHERE kind = ? AND id = ? AND scope = ?",
            bind_key(key),
        )
    }

    fn mark_cached(&self, key: &LeaseKey, until_ms: i64) -> Result<(), Error> {
        let mut bindings = vec![SqlStorageValue::Integer(until_ms)];
        bindings.extend(bind_key(key));
        self.write(
            &self.leases,
            "UPDATE leases SET cached_until_ms = ? WHERE kind = ? AND id = ? AND scope = ?",
            bindings,
        )
    }

    fn earliest_expiry(&self) -> Result<Option<i64>, Error> {
        let rows = self.read(
            &self.leases,
            "SELECT expires_at_ms FROM leases ORDER BY expires_at_ms LIMIT 1",
            Vec::new(),
        )?;
        rows.into_iter()
            .next()
            .map(|row| integer(&mut row.into_iter()))
            .transpose()
    }

    fn due(&self, now_ms: i64) -> Result<Vec<Listed>, Error> {
        let colony = SqlStorageValue::Integer(LeaseKind::Colony as i64);
        let rows = self.read(
            &self.leases,
            "SELECT kind, id, scope, registered_at_ms, expires_at_ms, counted FROM leases
             WHERE expires_at_ms < ? OR (kind = ? AND counted = 0)",
            vec![SqlStorageValue::Integer(now_ms), colony],
        )?;
        rows.into_iter().map(listed).collect()
    }

    fn report(&self, births: &[CensusEntry], deaths: &[CensusEntry]) -> Result<(), Error> {
        for birth in births {
            self.write(
                &self.census,
                "INSERT INTO living (mesh_id, born_at_ms) VALUES (?, ?)
                 ON CONFLICT DO UPDATE SET born_at_ms = excluded.born_at_ms
                 WHERE excluded.born_at_ms > born_at_ms",
                bind_entry(birth),
            )?;
        }
        for death in deaths {
            self.write(
                &self.census,
                "DELETE FROM living WHERE mesh_id = ? AND born_at_ms <= ?",
                bind_entry(death),
            )?;
        }
        Ok(())
    }

    fn put_count(&self, shard: u32, colonies: i64, at_ms: i64) -> Result<(), Error> {
        self.write(
            &self.counts,
            "INSERT INTO counts (shard, colonies, at_ms) VALUES (?, ?, ?)
             ON CONFLICT DO UPDATE SET colonies = excluded.colonies, at_ms = excluded.at_ms
             WHERE excluded.at_ms >= at_ms",
            vec![
                SqlStorageValue::Integer(shard.into()),
                SqlStorageValue::Integer(colonies),
                SqlStorageValue::Integer(at_ms),
            ],
        )
    }

    fn total(&self) -> Result<i64, Error> {
        let sum = "SELECT coalesce(sum(colonies), 0) FROM counts";
        let rows = self.read(&self.counts, sum, Vec::new())?;
        rows.into_iter()
            .next()
            .map_or(Ok(0), |row| integer(&mut row.into_iter()))
    }

    fn count(&self) -> Result<i64, Error> {
        let rows = self.read(&self.census, "SELECT COUNT(*) FROM living", Vec::new())?;
        rows.into_iter()
            .next()
            .map_or(Ok(0), |row| integer(&mut row.into_iter()))
    }

    async fn alarm(&self) -> Result<Option<i64>, Error> {
        self.storage.get_alarm().await.map_err(failed)
    }

    async fn set_alarm(&self, at_ms: i64) -> Result<(), Error> {
        let mut cost = self.cost.get();
        cost.rows_written = cost.rows_written.saturating_add(1);
        self.cost.set(cost);
        // An integer would be taken as an offset from now.
        let at = Date::new(DateInit::Millis(u64::try_from(at_ms).unwrap_or(0)));
        self.storage
            .set_alarm(ScheduledTime::new(at.into()))
            .await
            .map_err(failed)
    }

    async fn delete_all(&self) -> Result<(), Error> {
        self.leases.is_there.set(Some(false));
        self.census.is_there.set(Some(false));
        self.counts.is_there.set(Some(false));
        self.storage.delete_all().await.map_err(failed)
    }
}

impl fmt::Debug for SqlStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqlStore").finish_non_exhaustive()
    }
}

fn bind_key(key: &LeaseKey) -> Vec<SqlStorageValue> {
    vec![
        SqlStorageValue::Integer(key.kind.into()),
        SqlStorageValue::String(key.id.clone()),
        SqlStorageValue::String(key.scope.clone()),
    ]
}

fn bind_entry(entry: &CensusEntry) -> Vec<SqlStorageValue> {
    vec![
        SqlStorageValue::String(entry.mesh_id.clone()),
        SqlStorageValue::Integer(entry.at_ms),
    ]
}

fn holder(row: Row) -> Result<Holder, Error> {
    next_holder(&mut row.into_iter())
}

fn stored_lease(row: Row) -> Result<StoredLease, Error> {
    let mut row = row.into_iter();
    Ok(StoredLease {
        holder: next_holder(&mut row)?,
        registered_at_ms: integer(&mut row)?,
        record: match row.next() {
            Some(SqlStorageValue::Blob(record)) => record,
            other => return Err(unexpected(other)),
        },
    })
}

fn listed(row: Row) -> Result<Listed, Error> {
    let mut row = row.into_iter();
    let kind = integer(&mut row)?;
    Ok(Listed {
        key: LeaseKey {
            kind: i32::try_from(kind).unwrap_or_default(),
            id: string(&mut row)?,
            scope: string(&mut row)?,
        },
        registered_at_ms: integer(&mut row)?,
        expires_at_ms: integer(&mut row)?,
        counted: integer(&mut row)? != 0,
    })
}

fn next_holder(row: &mut impl Iterator<Item = SqlStorageValue>) -> Result<Holder, Error> {
    Ok(Holder {
        owner: string(row)?,
        expires_at_ms: integer(row)?,
        counted: integer(row)? != 0,
        cached_until_ms: integer(row)?,
    })
}

fn integer(row: &mut impl Iterator<Item = SqlStorageValue>) -> Result<i64, Error> {
    match row.next() {
        Some(SqlStorageValue::Integer(value)) => Ok(value),
        other => Err(unexpected(other)),
    }
}

fn string(row: &mut impl Iterator<Item = SqlStorageValue>) -> Result<String, Error> {
    match row.next() {
        Some(SqlStorageValue::String(value)) => Ok(value),
        other => Err(unexpected(other)),
    }
}

fn count(rows: usize) -> u64 {
    u64::try_from(rows).unwrap_or(u64::MAX)
}

fn unexpected(value: Option<SqlStorageValue>) -> Error {
    failed(format!("unexpected column {value:?}"))
}

fn failed(error: impl fmt::Display) -> Error {
    Error::internal("storage failed").with_cause(error)
}
