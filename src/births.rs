//! Births, gathered by the isolate and told to the census after the requests that they came by were answered.

use std::rc::Rc;
use std::time::Duration;

use connect::Host as _;
use connect_worker::WorkerHost;
use worker::{Context, Env};

use crate::isolate::Isolate;
use crate::objects::DurableObjects;
use crate::protos::coral::registry::v1::CensusEntry;
use crate::registry::census::{self, Births, DEBOUNCE_MS};
use crate::telemetry;

/// What tells of the births of one request.
#[derive(Debug)]
pub struct WorkerBirths {
    /// The bindings.
    pub env: Env,
    /// What the telling outlives the request by.
    pub context: Rc<Context>,
    /// The isolate's memory.
    pub isolate: Rc<Isolate>,
}

impl Births for WorkerBirths {
    fn tell_later(&self, birth: CensusEntry) {
        let now_ms = WorkerHost.now_ms();
        let is_due = self.isolate.births.borrow_mut().add(birth, now_ms);
        if is_due {
            self.context
                .wait_until(tell(self.env.clone(), Rc::clone(&self.isolate)));
        }
    }
}

async fn tell(env: Env, isolate: Rc<Isolate>) {
    let gathered_ms = DEBOUNCE_MS.min(isolate.config.census_refresh_ms);
    let gathered_ms = u64::try_from(gathered_ms).unwrap_or_default();
    WorkerHost.sleep(Duration::from_millis(gathered_ms)).await;
    let births = isolate.births.borrow_mut().take();
    let Ok(objects) = DurableObjects::new(&env, Rc::default()) else {
        return;
    };
    if let Err(error) = census::report(&objects, &births, &[]).await
        && isolate.may_warn("census", WorkerHost.now_ms())
    {
        telemetry::log_trouble(
            &isolate.config,
            "the census was not told of births, the alarms will",
            error.cause().unwrap_or_default(),
        );
    }
}
