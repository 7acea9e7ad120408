//! The Durable Object: the registry on its storage, and the alarm that sweeps.

use std::pin::pin;
use std::rc::Rc;

use bytes::Bytes;
use connect::{Error, Limits, Report, Server};
use prost::Message as _;
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;
use worker::Env;

use crate::addressing::role;
use crate::bindings::isolate;
use crate::isolate::Isolate;
use crate::objects::{DurableObjects, tell_cost};
use crate::protos::coral::registry::v1::{CensusEntry, ReportCountRequest, registry_service};
use crate::registry::census::{self, Census, DEBOUNCE_MS};
use crate::registry::metered::metered;
use crate::registry::service::{Registry, Settings};
use crate::storage::ObjectStore;
use crate::telemetry;
use crate::{kv, limits, mailboxes};
use connect_worker::{WorkerHost, answer_call, run};

/// One object of the registry. Its class in JavaScript, in `worker.js`, passes on to it.
#[wasm_bindgen]
#[derive(Debug)]
pub struct RegistryDurableObject(Rc<Object>);

#[derive(Debug)]
struct Object {
    context: JsValue,
    name: Option<String>,
    env: Env,
    isolate: Rc<Isolate>,
    registry: Registry<ObjectStore, WorkerHost>,
}

#[wasm_bindgen]
impl RegistryDurableObject {
    /// An object with that context and its storage. Its name is absent where the runtime does not tell it.
    #[wasm_bindgen(constructor)]
    #[must_use]
    pub fn new(context: JsValue, storage: JsValue, name: Option<String>, env: Env) -> Self {
        let isolate = isolate(&env);
        let config = &isolate.config;
        let settings = Settings {
            cleanup_interval_ms: config.cleanup_interval_ms,
            hot_lookups: config.hot_lookups,
            census_debounce_ms: DEBOUNCE_MS.min(config.census_refresh_ms),
            publishes: kv::is_there(&env),
        };
        let store = ObjectStore::new(storage);
        let role = role(name.as_deref().unwrap_or_default());
        Self(Rc::new(Object {
            registry: Registry::new(store, WorkerHost, role, settings),
            context,
            name,
            env,
            isolate,
        }))
    }

    /// Answers a call of the registry's internal service.
    #[must_use]
    pub fn ask(&self, message: Vec<u8>) -> JsValue {
        let object = Rc::clone(&self.0);
        answer_call(message, async move |request| object.answer(request).await)
    }

    /// The messages of a mesh, encoded; nothing if there are none. `None` when they cannot be read.
    #[must_use]
    pub fn messages(&self, mesh_id: &str) -> Option<Vec<u8>> {
        let messages = self.0.registry.messages(mesh_id);
        // The caller counts what it gets, a row for each message: this is nobody's call.
        match messages {
            Ok(messages) => Some(messages.encode_to_vec()),
            Err(error) => {
                let cause = error.cause().unwrap_or_default();
                telemetry::log_trouble(&self.0.isolate.config, "an object failed", cause);
                None
            }
        }
    }

    /// Sweeps. What it returns, if anything, is why that failed: the runtime tries an alarm again that throws.
    #[must_use]
    pub fn alarm(&self) -> JsValue {
        let object = Rc::clone(&self.0);
        run(&JsValue::UNDEFINED, async move {
            let swept = object.sweep().await;
            swept.map_or_else(|error| JsValue::from_str(&error), |()| JsValue::UNDEFINED)
        })
    }
}

impl Object {
    async fn answer(&self, request: http::Request<Bytes>) -> http::Response<Bytes> {
        let server = Server::new(
            WorkerHost,
            Limits {
                max_message_bytes: limits::INTERNAL_MESSAGE_BYTES,
                max_timeout: limits::DEADLINE,
                gzip_from_bytes: None,
            },
        );
        let work = pin!(async {
            let answer = registry_service::route(&self.registry, &server, request).await;
            self.deliver();
            answer
        });
        let (mut answer, cost) = metered(self.registry.store.inner.meter(), work).await;
        let report = answer.extensions().get::<Report>();
        if let Some(cause) = report.and_then(|report| report.cause.as_deref()) {
            // It does not cross over to the caller, who only learns that it failed.
            telemetry::log_trouble(&self.isolate.config, "an object failed", cause);
        }
        tell_cost(answer.headers_mut(), cost);
        answer
    }

    /// Sends what has come to those who wait for it.
    fn deliver(&self) {
        for mesh_id in self.registry.arrived.take() {
            if mailboxes::is_awaited(&self.context, &mesh_id)
                && let Ok(messages) = self.registry.messages(&mesh_id)
            {
                mailboxes::send(&self.context, &mesh_id, &messages);
            }
        }
    }

    async fn sweep(&self) -> Result<(), String> {
        let Some(name) = &self.name else {
            // Without it, a part of the census would be taken for one that holds leases.
            return Err("an alarm needs a name".to_owned());
        };
        let work = pin!(self.registry.sweep(self));
        let (swept, cost) = metered(self.registry.store.inner.meter(), work).await;
        let error = swept.as_ref().map_or_else(Some, Option::as_ref);
        telemetry::log_sweep(&self.isolate.config, name, cost, error);
        swept.map(drop).map_err(|error| error.to_string())
    }

    fn objects(&self) -> Result<DurableObjects, Error> {
        DurableObjects::new(&self.env, Rc::default())
            .map_err(|error| Error::internal("no registry binding").with_cause(error))
    }
}

impl Census for Object {
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
