//! The service through which Coral's colonies and agents find each other, on Cloudflare Workers
//! and Durable Objects.
//!
//! This file is the Worker: it adapts the runtime's requests, hands them to the generated router
//! and logs them. `ARCHITECTURE.md` shows the way of a request through the other files.

pub mod addressing;
pub mod bindings;
pub mod caller;
pub mod config;
pub mod durable_object;
pub mod isolate;
pub mod limits;
pub mod objects;
pub mod observed_endpoint;
pub mod protos;
pub mod registry;
pub mod service;
pub mod sql;
pub mod telemetry;

use bytes::Bytes;
use connect::{Body, Error, Host as _, Peer, Server};
use http::{HeaderValue, Method, StatusCode, header};
use worker::{Context, Env, Request, Response, event};

use crate::bindings::isolate;
use crate::isolate::Isolate;
use crate::objects::{DurableObjects, Usage};
use crate::protos::coral::discovery::v1::discovery_service;
use crate::service::Discovery;
use connect_worker::{RequestBody, WorkerHost, to_http, to_worker};

/// Answers a request and logs it.
#[event(fetch)]
async fn fetch(request: Request, env: Env, _: Context) -> worker::Result<Response> {
    let started_at_ms = WorkerHost.now_ms();
    let request = to_http(request);
    let ray = request.headers().get("cf-ray").cloned();
    let (answer, usage) = answer(request, &env).await;
    let duration_ms = WorkerHost.now_ms().saturating_sub(started_at_ms);
    let ray = ray.as_ref().and_then(|ray| ray.to_str().ok());
    telemetry::log_request(&answer, ray, duration_ms, usage);
    to_worker(answer)
}

async fn answer(
    mut request: http::Request<RequestBody>,
    env: &Env,
) -> (http::Response<Bytes>, Usage) {
    let server = Server::new(WorkerHost, limits::SERVER);
    let isolate = isolate(env);
    let objects = DurableObjects::new(env).map_err(|error| {
        Error::internal("the service is not configured correctly").with_cause(error)
    });
    let (isolate, objects) = match (isolate, objects) {
        (Ok(isolate), Ok(objects)) => (isolate, objects),
        (Err(error), _) | (_, Err(error)) => {
            request.into_body().discard().await;
            return (connect::failure(&error), Usage::default());
        }
    };
    if request.uri().path() == "/health" {
        return (load_balancer_health(&request, &isolate), Usage::default());
    }
    if let Some(caller) = caller::address(request.headers()) {
        request.extensions_mut().insert(Peer(caller));
    }
    let service = Discovery {
        objects,
        host: WorkerHost,
        isolate,
    };
    let answer = discovery_service::route(&service, &server, request).await;
    (answer, service.objects.usage())
}

/// `GET /health`, for load balancers and people: whether this isolate answers, without a look at
/// the registry.
fn load_balancer_health<B>(request: &http::Request<B>, isolate: &Isolate) -> http::Response<Bytes> {
    let mut answer = http::Response::new(Bytes::new());
    let headers = answer.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        headers.insert(header::ALLOW, HeaderValue::from_static("GET, HEAD"));
        *answer.status_mut() = StatusCode::METHOD_NOT_ALLOWED;
        return answer;
    }
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/json"),
    );
    if *request.method() == Method::GET {
        let status = serde_json::json!({"status": "ok", "version": isolate.config.version});
        *answer.body_mut() = status.to_string().into();
    }
    answer
}
