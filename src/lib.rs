//! The service through which Coral's colonies and agents find each other, on Cloudflare Workers
//! and Durable Objects.
//!
//! This file is the Worker: it adapts the runtime's requests, hands them to the generated router
//! and logs them. `ARCHITECTURE.md` shows the way of a request through the other files.

pub mod addressing;
pub mod bindings;
pub mod cache;
pub mod caller;
pub mod config;
pub mod durable_object;
pub mod event;
pub mod isolate;
pub mod jwks;
pub mod kv;
pub mod legacy;
pub mod limiter;
pub mod limits;
pub mod load_balancer;
pub mod mailboxes;
#[cfg(any(test, feature = "testing"))]
pub mod memory;
pub mod meter;
pub mod metrics;
pub mod migration;
pub mod objects;
pub mod observed_endpoint;
pub mod operators;
pub mod platform;
pub mod protos;
pub mod rate_limit;
pub mod records;
pub mod registry;
pub mod relays;
pub mod reports;
pub mod service;
pub mod storage;
pub mod telemetry;
pub mod tokens;
pub mod traps;

use std::rc::Rc;

use bytes::Bytes;
use connect::{Body as _, Error, Host as _, Peer, Received, Server};
use http::HeaderValue;
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;
use worker::Env;

use crate::bindings::isolate;
use crate::event::Event;
use crate::isolate::Isolate;
use crate::meter::Meter;
use crate::platform::WorkerPlatform;
use crate::protos::coral::discovery::admin::v1::admin_service;
use crate::protos::coral::discovery::v1::discovery_service;
use crate::service::{Admin, Discovery};
use connect_worker::{RequestBody, WorkerHost, serve};

/// Answers a request and logs it.
#[wasm_bindgen]
pub fn fetch(event: &JsValue, env: Env) -> JsValue {
    let about = Event::new(event.clone());
    serve(event, async move |request| {
        respond(request, &Rc::new(env), about).await
    })
}

async fn respond(
    request: http::Request<RequestBody>,
    env: &Rc<Env>,
    event: Event,
) -> http::Response<Bytes> {
    let isolate = isolate(env);
    let meter = Rc::new(Meter::default());
    let is_audited = isolate.config.admin_key_hash.is_some()
        && operators::is_for_operators(request.uri().path());
    let audited = is_audited.then(|| {
        let caller = caller::address(request.headers());
        (request.uri().path().to_owned(), caller)
    });
    let received = request.extensions().get::<Received>();
    let received_at_ms = received.map_or_else(|| WorkerHost.now_ms(), |received| received.at_ms);
    let about = caller::describe(request.headers(), received_at_ms);
    let ray = (isolate.config.tells_ray() && !about.ray.is_empty())
        .then(|| HeaderValue::try_from(&about.ray).ok())
        .flatten();
    let mut answer = answer(request, env, event, &isolate, &meter).await;
    if let Some((path, caller)) = audited {
        let who = (caller, about.ray.as_str());
        telemetry::log_audit(&isolate.config, &path, &answer, &meter, who);
    }
    if let Some(ray) = ray {
        answer.headers_mut().insert(caller::RAY, ray);
    }
    telemetry::log_memory(&isolate);
    let counts = metrics::is_there(env);
    if counts || telemetry::logs(&isolate.config, &answer, &meter) {
        let now_ms = WorkerHost.now_ms();
        let entry = telemetry::Entry::new(about, &answer, &meter, &isolate, now_ms);
        entry.log(&isolate.config);
        if counts {
            metrics::count(env, &entry);
        }
    }
    answer
}

async fn answer(
    mut request: http::Request<RequestBody>,
    env: &Rc<Env>,
    event: Event,
    isolate: &Rc<Isolate>,
    meter: &Rc<Meter>,
) -> http::Response<Bytes> {
    let path = request.uri().path();
    if path == load_balancer::PATH {
        return load_balancer::answer(&request, isolate);
    }
    let needs_key =
        path == jwks::PATH || path == discovery_service::methods::CREATE_BOOTSTRAP_TOKEN.path;
    if needs_key && isolate.fault.is_none() && isolate.config.signer.is_none() {
        telemetry::log_no_key(isolate, WorkerHost.now_ms());
    }
    if path == jwks::PATH && isolate.fault.is_none() {
        return jwks::answer(&request, &isolate.config);
    }
    if let Some(fault) = &isolate.fault
        && path != discovery_service::methods::HEALTH.path
    {
        request.into_body().discard().await;
        return connect::failure(fault);
    }
    let platform = match WorkerPlatform::new(env, event, isolate, meter) {
        Ok(platform) => platform,
        Err(error) => {
            request.into_body().discard().await;
            let must = "the service is not configured correctly: REGISTRY must be bound";
            return connect::failure(&Error::failed_precondition(must).with_cause(error));
        }
    };
    if let Some(caller) = caller::address(request.headers()) {
        request.extensions_mut().insert(Peer(caller));
    }
    let service = Discovery {
        platform,
        isolate: Rc::clone(isolate),
        meter: Rc::clone(meter),
    };
    let server = Server::new(WorkerHost, limits::server(isolate.config.compresses()));
    if let Some(secret_hash) = &isolate.config.admin_key_hash
        && operators::is_for_operators(request.uri().path())
    {
        if !operators::is_operator(request.headers(), secret_hash) {
            request.into_body().discard().await;
            let must = "Authorization must be `Bearer` and the secret of operators";
            return connect::failure(&Error::unauthenticated(must));
        }
        return admin_service::route(&Admin(service), &server, request).await;
    }
    discovery_service::route(&service, &server, request).await
}
