//! The Durable Object: the registry on SQLite, and the alarm that sweeps.

#![allow(
    missing_docs,
    missing_debug_implementations,
    reason = "`durable_object` expands to items without"
)]

use std::rc::Rc;

use connect::{Error, Limits, Server};
// `durable_object` expands to code that expects `wasm_bindgen` in scope.
use worker::wasm_bindgen;
use worker::{DurableObject, Env, Request, Response, State, durable_object};

use crate::bindings::isolate;
use crate::isolate::Isolate;
use crate::limits;
use crate::objects::{DurableObjects, ROWS_READ, ROWS_WRITTEN};
use crate::protos::coral::registry::v1::registry_service;
use crate::registry::census::{self, Census};
use crate::registry::service::Registry;
use crate::registry::store::Cost;
use crate::sql::SqlStore;
use crate::telemetry;
use connect_worker::{WorkerHost, to_http, to_worker};

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
        let (cost, swept) = match &self.registry {
            Ok(registry) => {
                let swept = registry.sweep(self).await;
                (registry.store.take_cost(), swept)
            }
            Err(error) => (Cost::default(), Err(error.clone())),
        };
        let error = swept.as_ref().map_or_else(Some, Option::as_ref);
        telemetry::log_sweep(self.state.id().name(), cost, error);
        match swept {
            Ok(_) => Response::empty(),
            // The runtime tries an alarm again that failed.
            Err(error) => Err(worker::Error::RustError(error.to_string())),
        }
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
        census::report(&objects, &born, &died).await
    }
}
