//! Server under test for Connect's conformance suite. Each request defines its response.
#![cfg(has_proto)]

mod service;

/// Generated messages and service of the suite.
pub mod protos {
    include!(concat!(env!("OUT_DIR"), "/protos.rs"));
}

use std::time::Duration;

use connect::{Limits, Server, json};
use connect_worker::{WorkerRuntime, serve};
use wasm_bindgen::prelude::{JsValue, wasm_bindgen};

use protos::connectrpc::conformance::v1::{TYPES, conformance_service};
use service::Conformance;

/// Limit of a request message in bytes, as the suite's runner sets it for every server.
const MESSAGE_BYTES: usize = 200 * 1024;

/// Handles a fetch event.
#[wasm_bindgen]
pub fn fetch(event: &JsValue, _env: JsValue) -> JsValue {
    // Responses contain the request as `google.protobuf.Any`.
    json::register(&TYPES);
    serve(event, async |request| {
        let server = Server::new(
            WorkerRuntime,
            Limits {
                max_message_bytes: MESSAGE_BYTES,
                max_timeout: Duration::from_secs(60),
                gzip_from_bytes: Some(0),
            },
        );
        conformance_service::route(&Conformance, &server, request).await
    })
}
