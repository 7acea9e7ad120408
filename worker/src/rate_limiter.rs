//! The port `RateLimiter`: the rate limiting bindings of Workers.

use std::rc::Rc;

use connect::Error;
use coral_discovery::domain::rate_limit::Limit;
use coral_discovery::ports::{RateLimiter, RateVerdict};
use wasm_bindgen::JsCast as _;
use worker::Env;

use crate::bindings::binding;

/// The limits of `wrangler.toml`.
#[derive(Debug)]
pub(crate) struct WorkerRateLimiter {
    env: Rc<Env>,
}

impl WorkerRateLimiter {
    /// Returns the limits of an environment.
    pub(crate) fn new(env: &Rc<Env>) -> Self {
        Self {
            env: Rc::clone(env),
        }
    }
}

impl RateLimiter for WorkerRateLimiter {
    async fn count(&self, limit: Limit, key: &str) -> Result<RateVerdict, Error> {
        let Some(binding) = binding(&self.env, limit.binding()) else {
            return Ok(RateVerdict::NotConfigured);
        };
        // Not `Env::rate_limiter`, which checks the name of a class that runtimes do not share.
        let limiter: worker::RateLimiter = binding.unchecked_into();
        match limiter.limit(key.to_owned()).await {
            Ok(counted) if counted.success => Ok(RateVerdict::Allowed),
            Ok(_) => Ok(RateVerdict::Limited),
            Err(error) => Err(Error::unavailable("the limiter failed").with_cause(error)),
        }
    }
}
