//! The ports of one request on Workers.

use std::rc::Rc;

use connect_worker::FetchTransport;
use coral_discovery::limits;
use coral_discovery::ports::Host;
use coral_discovery::registry_client::{RemoteObjects, RoutedRegistry};
use coral_discovery::state::AppState;
use coral_discovery::telemetry::RequestUsage;
use worker::Env;

use crate::kv::WorkerKv;
use crate::objects::DurableObjects;
use crate::rate_limiter::WorkerRateLimiter;
use crate::runtime::HostRuntime;

/// The registry over Durable Objects.
pub(crate) type WorkerRegistry = RoutedRegistry<RemoteObjects<DurableObjects, HostRuntime>>;

/// The ports of one request.
#[derive(Debug)]
pub(crate) struct WorkerHost {
    runtime: HostRuntime,
    registry: WorkerRegistry,
    key_value: WorkerKv,
    rate_limiter: WorkerRateLimiter,
    legacy_transport: FetchTransport,
}

impl WorkerHost {
    /// Returns the ports over the bindings of `env`.
    ///
    /// # Errors
    /// The missing binding, when the registry's objects are not bound.
    pub(crate) fn new(
        env: &Rc<Env>,
        runtime: &HostRuntime,
        state: &AppState,
        usage: &Rc<RequestUsage>,
    ) -> Result<Self, String> {
        Ok(Self {
            runtime: runtime.clone(),
            registry: registry(env, runtime, state, usage)?,
            key_value: WorkerKv::new(env),
            rate_limiter: WorkerRateLimiter::new(env),
            legacy_transport: FetchTransport {
                max_response_bytes: limits::LEGACY_RESPONSE_BYTES,
            },
        })
    }
}

/// Returns the registry, whose calls add to `usage`.
///
/// # Errors
/// The missing binding, when the registry's objects are not bound.
pub(crate) fn registry(
    env: &Env,
    runtime: &HostRuntime,
    state: &AppState,
    usage: &Rc<RequestUsage>,
) -> Result<WorkerRegistry, String> {
    Ok(RoutedRegistry {
        objects: RemoteObjects {
            channel: DurableObjects::new(env, runtime)?,
            runtime: runtime.clone(),
            usage: Rc::clone(usage),
        },
        shards: state.config.shards,
    })
}

impl Host for WorkerHost {
    type Runtime = HostRuntime;
    type Registry = WorkerRegistry;
    type KeyValue = WorkerKv;
    type RateLimiter = WorkerRateLimiter;
    type LegacyTransport = FetchTransport;

    fn runtime(&self) -> &HostRuntime {
        &self.runtime
    }

    fn registry(&self) -> &WorkerRegistry {
        &self.registry
    }

    fn key_value(&self) -> &WorkerKv {
        &self.key_value
    }

    fn rate_limiter(&self) -> &WorkerRateLimiter {
        &self.rate_limiter
    }

    fn legacy_transport(&self) -> &FetchTransport {
        &self.legacy_transport
    }
}
