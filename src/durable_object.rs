//! The Durable Object: the registry on SQLite, and the alarm that sweeps.

#![allow(
    missing_docs,
    missing_debug_implementations,
    reason = "`durable_object` expands to items without"
)]

use std::rc::Rc;

use connect::{Error, Limits, Report, Server};
// `durable_object` expands to code that expects `wasm_bindgen` in scope.
use worker::wasm_bindgen;
use worker::{DurableObject, Env, Request, Response, State, durable_object};

use crate::addressing::role;
use crate::bindings::isolate;
use crate::isolate::Isolate;
use crate::objects::{DurableObjects, ROWS_READ, ROWS_WRITTEN};
use crate::protos::coral::registry::v1::{CensusEntry, ReportCountRequest, registry_service};
use crate::registry::census::{self, Census};
use crate::registry::service::{Registry, Settings};
use crate::sql::SqlStore;
use crate::telemetry;
use crate::{kv, limits};
use connect_worker::{WorkerHost, to_http, to_worker};

/// For how long changes of the census are gathered, in milliseconds: short beside the half minute for
/// which Health remembers the number, long enough that a burst is one report.
const CENSUS_DEBOUNCE_MS: i64 = 2_000;

/// One object of the registry.
#[durable_object]
pub struct RegistryDurableObject {
    /// Absent where the runtime does not tell it.
    name: Option<String>,
    env: Env,
    isolate: Rc<Isolate>,
    registry: Registry<SqlStore, WorkerHost>,
}

impl DurableObject for RegistryDurableObject {
    fn new(state: State, env: Env) -> Self {
        let isolate = isolate(&env);
        let config = &isolate.config;
        let settings = Settings {
            cleanup_interval_ms: config.cleanup_interval_ms,
            hot_lookups: config.hot_lookups,
            census_debounce_ms: CENSUS_DEBOUNCE_MS.min(config.census_refresh_ms),
            publishes: kv::is_there(&env),
        };
        let store = SqlStore::new(state.storage());
        let name = state.id().name();
        let role = role(name.as_deref().unwrap_or_default());
        Self {
            registry: Registry::new(store, WorkerHost, role, settings),
            name,
            env,
            isolate,
        }
    }

    async fn fetch(&self, request: Request) -> worker::Result<Response> {
        let server = Server::new(
            WorkerHost,
            Limits {
                max_message_bytes: limits::INTERNAL_MESSAGE_BYTES,
                max_timeout: limits::DEADLINE,
                gzip_from_bytes: None,
            },
        );
        let mut answer = registry_service::route(&self.registry, &server, to_http(request)).await;
        let report = answer.extensions().get::<Report>();
        if let Some(cause) = report.and_then(|report| report.cause.as_deref()) {
            // It does not cross over to the caller, who only learns that it failed.
            telemetry::log_trouble(&self.isolate.config, "an object failed", cause);
        }
        let cost = self.registry.store.take_cost();
        let headers = answer.headers_mut();
        headers.insert(ROWS_READ, cost.rows_read.into());
        headers.insert(ROWS_WRITTEN, cost.rows_written.into());
        to_worker(answer)
    }

    async fn alarm(&self) -> worker::Result<Response> {
        let Some(name) = &self.name else {
            // Without it, a part of the census would be taken for one that holds leases.
            return Err(worker::Error::RustError("an alarm needs a name".to_owned()));
        };
        let swept = self.registry.sweep(self).await;
        let cost = self.registry.store.take_cost();
        let error = swept.as_ref().map_or_else(Some, Option::as_ref);
        telemetry::log_sweep(&self.isolate.config, name, cost, error);
        match swept {
            Ok(_) => Response::empty(),
            // The runtime tries an alarm again that failed.
            Err(error) => Err(worker::Error::RustError(error.to_string())),
        }
    }
}

impl RegistryDurableObject {
    fn objects(&self) -> Result<DurableObjects, Error> {
        DurableObjects::new(&self.env, Rc::default())
            .map_err(|error| Error::internal("no registry binding").with_cause(error))
    }
}

impl Census for RegistryDurableObject {
    async fn report(
        &self,
        births: Vec<CensusEntry>,
        deaths: Vec<CensusEntry>,
    ) -> Result<(), Error> {
        census::report(&self.objects()?, &births, &deaths).await
    }

    async fn report_count(&self, count: ReportCountRequest) -> Result<(), Error> {
        census::report_count(&self.objects()?, &count).await
    }

    async fn publish(&self, colonies: i64) -> Result<(), Error> {
        kv::publish(
            &self.env,
            census::PUBLISHED,
            colonies.to_string().as_bytes(),
        )
        .await
    }
}
