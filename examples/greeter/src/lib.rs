//! Serves `greeter.v1.GreeterService` on a Worker.

// Generated code must compile under a user's own lints, the strictest included.
#![warn(clippy::pedantic)]

/// Generated code: a module per proto package.
pub mod protos {
    include!(concat!(env!("OUT_DIR"), "/protos.rs"));
}

use std::time::Duration;

use connect::{Error, Limits, Server};
use connect_worker::{WorkerRuntime, serve};
use wasm_bindgen::prelude::{JsValue, wasm_bindgen};

use protos::greeter::v1::{GreetRequest, GreetResponse, GreeterService, greeter_service};

/// Limits of a call.
const LIMITS: Limits = Limits {
    max_message_bytes: 64 * 1024,
    max_timeout: Duration::from_secs(30),
    gzip_from_bytes: Some(1024),
};

/// Handlers of the RPCs.
struct Handlers;

impl GreeterService for Handlers {
    async fn greet(
        &self,
        _: &connect::Context,
        request: GreetRequest,
    ) -> Result<connect::Response<GreetResponse>, Error> {
        if request.name.is_empty() {
            return Err(Error::invalid_argument("name is required"));
        }
        let greeting = format!("Hello, {}!", request.name);
        Ok(GreetResponse { greeting }.into())
    }
}

/// Handles the fetch event.
#[wasm_bindgen]
#[must_use]
pub fn fetch(event: &JsValue, _env: JsValue) -> JsValue {
    serve(event, async |request| {
        let server = Server::new(WorkerRuntime, LIMITS);
        greeter_service::route(&Handlers, &server, request).await
    })
}
