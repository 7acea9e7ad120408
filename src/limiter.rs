//! The rate limiting bindings of the runtime.

use std::rc::Rc;

use connect::Host as _;
use connect_worker::WorkerHost;
use wasm_bindgen::JsCast as _;
use worker::{Env, RateLimiter};

use crate::bindings;
use crate::isolate::Isolate;
use crate::rate_limit::{Limit, Limiter};
use crate::telemetry;

/// The limits of `wrangler.toml`. One that is not there limits nothing.
#[derive(Debug)]
pub struct WorkerLimiter {
    /// The bindings.
    pub env: Rc<Env>,
    /// The isolate's memory.
    pub isolate: Rc<Isolate>,
}

impl Limiter for WorkerLimiter {
    async fn allows(&self, limit: Limit, key: &str) -> bool {
        let name = limit.binding();
        let Some(binding) = bindings::find(&self.env, name) else {
            if self.isolate.may_note(name) {
                telemetry::log_note(
                    &self.isolate.config,
                    &format!("{name} is not bound: no limit"),
                );
            }
            return true;
        };
        // Not `Env::rate_limiter`, which goes by the name of a class that runtimes do not share.
        let limiter: RateLimiter = binding.unchecked_into();
        match limiter.limit(key.to_owned()).await {
            Ok(counted) => counted.success,
            Err(error) => {
                // Better too many calls than none.
                if self.isolate.may_warn(name, WorkerHost.now_ms()) {
                    telemetry::log_trouble(&self.isolate.config, name, &error.to_string());
                }
                true
            }
        }
    }
}
