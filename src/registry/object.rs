//! The Durable Object: the internal service on SQLite, and the alarm that sweeps.

#![allow(
    missing_docs,
    missing_debug_implementations,
    reason = "`durable_object` expands to items without"
)]

use std::rc::Rc;

use connect::{CallOptions, Error, Limits, Server};
use futures_util::future::try_join_all;
// `durable_object` expands to code that expects `wasm_bindgen` in scope.
use worker::wasm_bindgen;
use worker::{DurableObject, Env, Request, Response, State, durable_object};

use super::client::Objects as _;
use super::service::Registry;
use super::sql::SqlStore;
use super::sweep::Census;
use crate::addressing::{CENSUS_SHARDS, census_object, census_shard};
use crate::isolate::{Isolate, isolate};
use crate::limits;
use crate::objects::{DurableObjects, ROWS_READ, ROWS_WRITTEN};
use crate::platform::{WorkerHost, to_http, to_worker};
use crate::protos::coral::registry::v1::{ReportCensusRequest, registry_service};
use crate::telemetry;

/// Mesh ids in one report: of full length they are a quarter of what a message may have.
const REPORT_IDS: usize = 1_000;

/// One object of the registry.
#[durable_object]
pub struct RegistryDurableObject {
    state: State,
    env: Env,
    registry: Result<Registry<SqlStore, WorkerHost>, Error>,
}

impl DurableObject for RegistryDurableObject {
    fn new(state: State, env: Env) -> Self {
        let registry = isolate(&env).map(|isolate: Rc<Isolate>| {
            let store = SqlStore::new(state.storage());
            Registry::new(store, WorkerHost, isolate.config.cleanup_interval_ms)
        });
        Self {
            state,
            env,
            registry,
        }
    }

    async fn fetch(&self, request: Request) -> worker::Result<Response> {
        let registry = self.registry()?;
        let server = Server::new(
            WorkerHost,
            Limits {
                max_message_bytes: limits::INTERNAL_MESSAGE_BYTES,
                max_timeout: limits::DEADLINE,
                gzip_from_bytes: None,
            },
        );
        let mut answer = registry_service::route(registry, &server, to_http(request)).await;
        let cost = registry.store.take_cost();
        let headers = answer.headers_mut();
        headers.insert(ROWS_READ, cost.rows_read.into());
        headers.insert(ROWS_WRITTEN, cost.rows_written.into());
        to_worker(answer)
    }

    async fn alarm(&self) -> worker::Result<Response> {
        let registry = self.registry()?;
        let swept = registry.sweep(self).await;
        telemetry::log_sweep(self.state.id().name(), registry.store.take_cost(), &swept);
        Response::empty()
    }
}

impl RegistryDurableObject {
    fn registry(&self) -> worker::Result<&Registry<SqlStore, WorkerHost>> {
        self.registry
            .as_ref()
            .map_err(|error| worker::Error::RustError(error.to_string()))
    }
}

impl Census for RegistryDurableObject {
    async fn report(&self, born: Vec<String>, died: Vec<String>) -> Result<(), Error> {
        let objects = DurableObjects::new(&self.env)
            .map_err(|error| Error::internal("no registry binding").with_cause(error))?;
        let reports = (0..CENSUS_SHARDS).flat_map(|shard| {
            let of_shard = |ids: &[String]| -> Vec<String> {
                let ids = ids.iter().filter(|id| census_shard(id) == shard);
                ids.cloned().collect()
            };
            let client = objects.object(&census_object(shard));
            chunks(of_shard(&born), of_shard(&died))
                .into_iter()
                .map(move |report| (client.clone(), report))
        });
        try_join_all(reports.map(|(client, report)| async move {
            client.report_census(&report, CallOptions::default()).await
        }))
        .await
        .map(drop)
    }
}

/// Reports of bounded size that together say who was born and who died.
fn chunks(born: Vec<String>, died: Vec<String>) -> Vec<ReportCensusRequest> {
    let born = born.chunks(REPORT_IDS).map(|ids| ReportCensusRequest {
        born: ids.to_vec(),
        died: Vec::new(),
    });
    let died = died.chunks(REPORT_IDS).map(|ids| ReportCensusRequest {
        born: Vec::new(),
        died: ids.to_vec(),
    });
    born.chain(died).collect()
}
