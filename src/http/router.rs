//! The router: one HTTP request in, one HTTP response out, on any host.

use std::rc::Rc;

use bytes::Bytes;
use connect::{Body, Error, ReceivedAt, Server, UnixMillis, error_response};
use http::Request;

use super::access_log::AccessLog;
use super::admin_auth::{is_admin, is_admin_path};
use super::client_info::client_info;
use super::{health_check, jwks};
use crate::api::{Admin, Discovery};
use crate::domain::client::ClientInfo;
use crate::limits;
use crate::ports::{Host, Runtime};
use crate::proto::admin::admin_service;
use crate::proto::discovery::discovery_service;
use crate::state::AppState;
use crate::telemetry::{LogLevel, RequestUsage};

/// Handles a request and logs it.
///
/// `host` makes the ports of the request, which add to its usage; an error says what the host
/// lacks. Requests that need no port, such as a health check, never call it.
pub async fn handle<H: Host, B: Body>(
    request: Request<B>,
    state: &Rc<AppState>,
    runtime: &impl Runtime,
    host: impl FnOnce(&Rc<RequestUsage>) -> Result<H, String>,
) -> http::Response<Bytes> {
    let usage = Rc::<RequestUsage>::default();
    let received_at = request.extensions().get::<ReceivedAt>();
    let received_at = received_at.map_or_else(|| runtime.now(), |received_at| received_at.0);
    let client = Rc::new(client_info(request.headers()));
    let path = request.uri().path();
    let access_log = AccessLog::begin(state, Rc::clone(&client), received_at, path);
    let mut response = match serve_from_memory(&request, state, || runtime.now()) {
        Some(response) => response,
        None => match ports(&request, state, || host(&usage)) {
            Ok(host) => serve(request, state, host, &usage, client).await,
            Err(error) => {
                request.into_body().discard().await;
                error_response(&error)
            }
        },
    };
    access_log.finish(&mut response, &usage, || runtime.now());
    response
}

/// Serves the paths that need no port: the health check and the key set.
fn serve_from_memory<B>(
    request: &Request<B>,
    state: &AppState,
    now: impl Fn() -> UnixMillis,
) -> Option<http::Response<Bytes>> {
    let path = request.uri().path();
    if path == health_check::PATH {
        return Some(health_check::respond(request.method(), state));
    }
    if state.config_error.is_some() {
        return None;
    }
    let needs_signer =
        path == jwks::PATH || path == discovery_service::methods::CREATE_BOOTSTRAP_TOKEN.path;
    if needs_signer && state.config.signer.is_none() {
        warn_without_signer(state, now());
    }
    (path == jwks::PATH).then(|| jwks::respond(request.method(), &state.config))
}

/// Logs, at most once a minute, that colonies get no keys or agents no bootstrap tokens.
fn warn_without_signer(state: &AppState, now: UnixMillis) {
    const MESSAGE: &str = "DISCOVERY_SIGNING_KEY is not set: no bootstrap tokens are issued, and \
                           agents cannot bootstrap";
    if state.log.should_warn(MESSAGE, now) {
        let cause = "a client asked for a bootstrap token, or for the keys that verify them";
        state.log.warning(LogLevel::Error, MESSAGE, cause);
    }
}

/// Makes the ports of a request, unless the service is not configured correctly. Health is served
/// even then.
fn ports<H, B>(
    request: &Request<B>,
    state: &AppState,
    host: impl FnOnce() -> Result<H, String>,
) -> Result<H, Error> {
    if let Some(error) = &state.config_error
        && request.uri().path() != discovery_service::methods::HEALTH.path
    {
        return Err(error.clone());
    }
    host().map_err(|missing| {
        Error::failed_precondition(format!(
            "the service is not configured correctly: {missing}"
        ))
    })
}

/// Serves a call of the admin service or the public service.
async fn serve<H: Host, B: Body>(
    request: Request<B>,
    state: &Rc<AppState>,
    host: H,
    usage: &Rc<RequestUsage>,
    client: Rc<ClientInfo>,
) -> http::Response<Bytes> {
    let limits = limits::server(state.config.compresses());
    let server = Server::new(host.runtime().clone(), limits);
    let service = Discovery {
        host,
        state: Rc::clone(state),
        usage: Rc::clone(usage),
        client,
    };
    if let Some(key_hash) = &state.config.admin_key_hash
        && is_admin_path(request.uri().path())
    {
        if !is_admin(request.headers(), key_hash) {
            request.into_body().discard().await;
            let must = "Authorization must be `Bearer` and the admin key";
            return error_response(&Error::unauthenticated(must));
        }
        return admin_service::route(&Admin(service), &server, request).await;
    }
    discovery_service::route(&service, &server, request).await
}
