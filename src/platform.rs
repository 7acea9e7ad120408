//! The Workers platform, as the handlers see it.

use std::rc::Rc;

use connect_worker::WorkerHost;
use worker::{Context, Env};

use crate::births::WorkerBirths;
use crate::isolate::Isolate;
use crate::kv::WorkerKv;
use crate::limiter::WorkerLimiter;
use crate::meter::Meter;
use crate::objects::DurableObjects;
use crate::service::Platform;

/// What one request may use of the platform.
#[derive(Debug)]
pub struct WorkerPlatform {
    objects: DurableObjects,
    kv: WorkerKv,
    births: WorkerBirths,
    limiter: WorkerLimiter,
}

impl WorkerPlatform {
    /// The bindings of `env`; `meter` notes what is used of them.
    ///
    /// # Errors
    /// When the registry's objects are not bound.
    pub fn new(
        env: &Env,
        context: Context,
        isolate: &Rc<Isolate>,
        meter: &Rc<Meter>,
    ) -> Result<Self, &'static str> {
        let context = Rc::new(context);
        Ok(Self {
            objects: DurableObjects::new(env, Rc::clone(meter))?,
            births: WorkerBirths {
                env: env.clone(),
                context: Rc::clone(&context),
                isolate: Rc::clone(isolate),
            },
            kv: WorkerKv {
                env: env.clone(),
                context,
                isolate: Rc::clone(isolate),
                meter: Rc::clone(meter),
            },
            limiter: WorkerLimiter {
                env: env.clone(),
                isolate: Rc::clone(isolate),
            },
        })
    }
}

impl Platform for WorkerPlatform {
    type Objects = DurableObjects;
    type Kv = WorkerKv;
    type Births = WorkerBirths;
    type Limiter = WorkerLimiter;
    type Host = WorkerHost;

    fn objects(&self) -> &DurableObjects {
        &self.objects
    }

    fn kv(&self) -> &WorkerKv {
        &self.kv
    }

    fn births(&self) -> &WorkerBirths {
        &self.births
    }

    fn limiter(&self) -> &WorkerLimiter {
        &self.limiter
    }

    fn host(&self) -> &WorkerHost {
        &WorkerHost
    }
}
