//! The Cloudflare shell of the discovery service: the fetch event, the Durable Object class, and
//! the ports of `coral_discovery` on Workers.

mod bindings;
mod durable_object;
mod fetch_event;
mod host;
mod isolate;
mod kv;
mod log;
mod mailbox;
mod memory;
mod objects;
mod rate_limiter;
mod runtime;
mod storage;

use std::rc::Rc;

use connect_worker::serve;
use coral_discovery::http::router;
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;
use worker::Env;

pub use durable_object::RegistryDurableObject;

use crate::fetch_event::FetchEvent;
use crate::host::WorkerHost;
use crate::runtime::HostRuntime;

/// Responds to a fetch event.
#[wasm_bindgen]
pub fn fetch(event: &JsValue, env: Env) -> JsValue {
    let event_of_request = FetchEvent::new(event.clone());
    serve(event, async move |request| {
        let env = Rc::new(env);
        let state = isolate::state(&env);
        let runtime = HostRuntime::of_event(event_of_request);
        let host = |usage: &_| WorkerHost::new(&env, &runtime, &state, usage);
        let response = router::handle(request, &state, &runtime, host).await;
        memory::warn_if_grown(&state.log);
        response
    })
}
