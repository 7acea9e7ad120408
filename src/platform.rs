//! The Workers platform, as the handlers see it.

use std::rc::Rc;

use connect_worker::WorkerHost;
use worker::Env;

use crate::event::Event;
use crate::isolate::Isolate;
use crate::kv::WorkerKv;
use crate::legacy::WorkerLegacy;
use crate::limiter::WorkerLimiter;
use crate::mailboxes::WorkerMailboxes;
use crate::meter::Meter;
use crate::objects::DurableObjects;
use crate::reports::WorkerReports;
use crate::service::Platform;

/// What one request may use of the platform.
#[derive(Debug)]
pub struct WorkerPlatform {
    objects: DurableObjects,
    kv: WorkerKv,
    mailboxes: WorkerMailboxes,
    reports: WorkerReports,
    legacy: WorkerLegacy,
    limiter: WorkerLimiter,
}

impl WorkerPlatform {
    /// The bindings of `env`; `meter` notes what is used.
    ///
    /// # Errors
    /// When the registry's objects are not bound.
    pub fn new(
        env: &Rc<Env>,
        event: Event,
        isolate: &Rc<Isolate>,
        meter: &Rc<Meter>,
    ) -> Result<Self, &'static str> {
        let event = Rc::new(event);
        Ok(Self {
            objects: DurableObjects::new(env, Rc::clone(meter))?,
            mailboxes: WorkerMailboxes {
                env: Rc::clone(env),
                event: Rc::clone(&event),
                isolate: Rc::clone(isolate),
                meter: Rc::clone(meter),
            },
            reports: WorkerReports {
                env: Rc::clone(env),
                event: Rc::clone(&event),
                isolate: Rc::clone(isolate),
            },
            kv: WorkerKv {
                env: Rc::clone(env),
                event: Rc::clone(&event),
                isolate: Rc::clone(isolate),
                meter: Rc::clone(meter),
            },
            legacy: WorkerLegacy {
                env: Rc::clone(env),
                event,
                isolate: Rc::clone(isolate),
            },
            limiter: WorkerLimiter {
                env: Rc::clone(env),
                isolate: Rc::clone(isolate),
            },
        })
    }
}

impl Platform for WorkerPlatform {
    type Objects = DurableObjects;
    type Kv = WorkerKv;
    type Mailboxes = WorkerMailboxes;
    type Reports = WorkerReports;
    type Legacy = WorkerLegacy;
    type Limiter = WorkerLimiter;
    type Host = WorkerHost;

    fn objects(&self) -> &DurableObjects {
        &self.objects
    }

    fn kv(&self) -> &WorkerKv {
        &self.kv
    }

    fn mailboxes(&self) -> &WorkerMailboxes {
        &self.mailboxes
    }

    fn reports(&self) -> &WorkerReports {
        &self.reports
    }

    fn legacy(&self) -> &WorkerLegacy {
        &self.legacy
    }

    fn limiter(&self) -> &WorkerLimiter {
        &self.limiter
    }

    fn host(&self) -> &WorkerHost {
        &WorkerHost
    }
}
