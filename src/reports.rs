//! Reports of an isolate to objects, after the requests that they came by were answered.

use std::rc::Rc;
use std::time::Duration;

use connect::{Error, Host as _};
use connect_worker::WorkerHost;
use worker::Env;

use crate::addressing::mesh_object;
use crate::event::Event;
use crate::isolate::Isolate;
use crate::objects::DurableObjects;
use crate::protos::coral::registry::v1::{CensusEntry, Member};
use crate::registry::census::{self, DEBOUNCE_MS};
use crate::registry::reports::{self, Reports};
use crate::telemetry;

/// What reports for one request, and for those that come meanwhile.
#[derive(Debug)]
pub struct WorkerReports {
    /// The bindings.
    pub env: Rc<Env>,
    /// What a report outlives the request by.
    pub event: Rc<Event>,
    /// The isolate's memory.
    pub isolate: Rc<Isolate>,
}

impl Reports for WorkerReports {
    fn birth(&self, birth: CensusEntry) {
        let mut births = self.isolate.births.borrow_mut();
        if births.add(birth, WorkerHost.now_ms()) {
            self.event
                .wait_until(tell_births(Rc::clone(&self.env), Rc::clone(&self.isolate)));
        }
    }

    fn member(&self, mesh_id: String, member: Member) {
        let mut members = self.isolate.members.borrow_mut();
        if members.add((mesh_id, member), WorkerHost.now_ms()) {
            self.event
                .wait_until(tell_members(Rc::clone(&self.env), Rc::clone(&self.isolate)));
        }
    }
}

async fn tell_births(env: Rc<Env>, isolate: Rc<Isolate>) {
    gather(&isolate).await;
    let births = isolate.births.borrow_mut().take();
    let told = match objects(&env) {
        Ok(objects) => census::report(&objects, &births, &[]).await,
        Err(error) => Err(error),
    };
    warn(
        &isolate,
        "the census was not told of births, the alarms will",
        told,
    );
}

async fn tell_members(env: Rc<Env>, isolate: Rc<Isolate>) {
    gather(&isolate).await;
    let members = isolate.members.borrow_mut().take();
    let shards = isolate.config.shards;
    let told = match objects(&env) {
        Ok(objects) => reports::members(&objects, members, |id| mesh_object(id, shards)).await,
        Err(error) => Err(error),
    };
    warn(&isolate, "meshes were not told of their agents", told);
}

/// For as long as the census gathers, too.
async fn gather(isolate: &Isolate) {
    let gathered_ms = DEBOUNCE_MS.min(isolate.config.census_refresh_ms);
    let gathered_ms = u64::try_from(gathered_ms).unwrap_or_default();
    WorkerHost.sleep(Duration::from_millis(gathered_ms)).await;
}

fn objects(env: &Env) -> Result<DurableObjects, Error> {
    DurableObjects::new(env, Rc::default()).map_err(Error::internal)
}

fn warn(isolate: &Isolate, what: &'static str, told: Result<(), Error>) {
    if let Err(error) = told
        && isolate.may_warn(what, WorkerHost.now_ms())
    {
        let cause = error.cause().unwrap_or_default();
        telemetry::log_trouble(&isolate.config, what, cause);
    }
}
