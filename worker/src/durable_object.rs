//! The Durable Object: an object of the registry on its storage, and the alarm that sweeps it.

use std::pin::pin;
use std::rc::Rc;

use bytes::Bytes;
use connect::Error;
use connect_worker::{WorkerRuntime, durable_object, run_future};
use coral_discovery::ports::{KeyValue as _, Registry as _};
use coral_discovery::state::AppState;
use coral_discovery::telemetry::{LogLevel, log_sweep};
use coral_registry::call::handle_call;
use coral_registry::census::{Census, PUBLISHED_COUNT};
use coral_registry::object_names::role;
use coral_registry::proto::{CensusEntry, ReportCountRequest, registry_service};
use coral_registry::storage::cached_store::CachedStore;
use coral_registry::storage::row_metering::with_row_count;
use coral_registry::{RegistryObject, Settings};
use prost::Message as _;
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;
use worker::Env;

use crate::host::{WorkerRegistry, registry};
use crate::kv::WorkerKv;
use crate::runtime::HostRuntime;
use crate::storage::ObjectStore;
use crate::{isolate, mailbox};

/// One Durable Object of the registry. Its class in JavaScript, in `entry.js`, calls into it.
#[wasm_bindgen]
#[derive(Debug)]
pub struct RegistryDurableObject(Rc<Object>);

#[derive(Debug)]
struct Object {
    context: JsValue,
    name: Option<String>,
    env: Rc<Env>,
    state: Rc<AppState>,
    registry: RegistryObject<CachedStore<ObjectStore>, WorkerRuntime>,
}

#[wasm_bindgen]
impl RegistryDurableObject {
    /// Returns an object with that context and its storage. The name is absent where the runtime
    /// does not know it.
    #[wasm_bindgen(constructor)]
    #[must_use]
    pub fn new(context: JsValue, storage: JsValue, name: Option<String>, env: Env) -> Self {
        let env = Rc::new(env);
        let state = isolate::state(&env);
        let settings = Settings {
            cleanup_interval: state.config.cleanup_interval,
            hot_lookups: state.config.hot_lookups,
            census_debounce: state.config.notification_delay(),
            publishes_count: WorkerKv::new(&env).is_available(),
        };
        let store = CachedStore::new(ObjectStore::new(storage));
        let role = role(name.as_deref().unwrap_or_default());
        Self(Rc::new(Object {
            registry: RegistryObject::new(store, WorkerRuntime, role, settings),
            context,
            name,
            env,
            state,
        }))
    }

    /// Handles an encoded call of the internal service. Returns the encoded reply, or a promise.
    #[must_use]
    pub fn call(&self, message: Vec<u8>) -> JsValue {
        let object = Rc::clone(&self.0);
        durable_object::handle_call(message, async move |call| object.handle(call).await)
    }

    /// Returns the encoded records of a mesh's mailbox, empty without records; `None` when they
    /// cannot be read.
    ///
    /// Not metered here: the caller derives the row count from the number of records returned.
    #[must_use]
    pub fn mailbox(&self, mesh_id: &str) -> Option<Vec<u8>> {
        match self.0.registry.mailbox(mesh_id) {
            Ok(records) => Some(records.encode_to_vec()),
            Err(error) => {
                self.0.log_failure(&error);
                None
            }
        }
    }

    /// Sweeps. Returns the reason of a failure, if any: the runtime repeats an alarm that throws.
    #[must_use]
    pub fn alarm(&self) -> JsValue {
        let object = Rc::clone(&self.0);
        run_future(&JsValue::UNDEFINED, async move {
            let swept = object.sweep().await;
            swept.map_or_else(|error| JsValue::from_str(&error), |()| JsValue::UNDEFINED)
        })
    }
}

impl Object {
    async fn handle(&self, call: Bytes) -> Vec<u8> {
        let meter = self.registry.store.inner.meter();
        let dispatch = async |method: &str, request| {
            let response = registry_service::dispatch(&self.registry, method, request).await;
            self.notify_waiters();
            response
        };
        let handled = handle_call(call, &WorkerRuntime, meter, dispatch).await;
        if let Some(error) = &handled.error
            && error.code().http_status().is_server_error()
        {
            self.log_failure(error);
        }
        handled.reply
    }

    fn log_failure(&self, error: &Error) {
        self.state
            .log
            .warning(LogLevel::Warn, "an object failed", &error.log_text());
    }

    /// Sends the records of each mesh that has new ones to the polls that wait for them.
    fn notify_waiters(&self) {
        for mesh_id in self.registry.take_meshes_with_new_records() {
            if mailbox::has_waiters(&self.context, &mesh_id)
                && let Ok(records) = self.registry.mailbox(&mesh_id)
            {
                mailbox::notify_waiters(&self.context, &mesh_id, &records);
            }
        }
    }

    async fn sweep(&self) -> Result<(), String> {
        let Some(name) = &self.name else {
            // Without it, a shard of the census would be taken for an object that holds leases.
            return Err("an alarm needs a name".to_owned());
        };
        let work = pin!(self.registry.sweep(self));
        let (swept, cost) = with_row_count(self.registry.store.inner.meter(), work).await;
        let error = swept.as_ref().map_or_else(Some, Option::as_ref);
        log_sweep(&self.state.log, name, cost, error);
        swept.map(drop).map_err(|error| error.to_string())
    }

    /// Returns the registry, for reports to the objects of the census.
    fn other_objects(&self) -> Result<WorkerRegistry, Error> {
        let runtime = HostRuntime::of_object();
        registry(&self.env, &runtime, &self.state, &Rc::default()).map_err(Error::internal)
    }
}

impl Census for Object {
    async fn report_colonies(
        &self,
        registered: Vec<CensusEntry>,
        expired: Vec<CensusEntry>,
    ) -> Result<(), Error> {
        let registry = self.other_objects()?;
        registry.report_colonies(&registered, &expired).await
    }

    async fn report_count(&self, count: ReportCountRequest) -> Result<(), Error> {
        self.other_objects()?.report_count(count).await
    }

    async fn publish_count(&self, colonies: i64) -> Result<(), Error> {
        let count = colonies.to_string();
        let key_value = WorkerKv::new(&self.env);
        key_value.put(PUBLISHED_COUNT, count.as_bytes(), None).await
    }
}
