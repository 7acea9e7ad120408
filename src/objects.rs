//! Calls into Durable Objects, and what they cost.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use bytes::Bytes;
use connect::{Client, Codec, Error, Host as _, Transport};
use worker::{Env, Headers, Method, ObjectNamespace, Request, RequestInit, js_sys};

use crate::limits;
use crate::protos::coral::registry::v1::RegistryServiceClient;
use crate::registry::client::Objects;
use connect_worker::{WorkerHost, to_header_map};

/// The binding of the registry's objects in `wrangler.toml`.
const BINDING: &str = "REGISTRY";

/// Headers in which an object tells what a call cost.
pub const ROWS_READ: &str = "registry-rows-read";
/// See [`ROWS_READ`].
pub const ROWS_WRITTEN: &str = "registry-rows-written";

/// What a request has used of the registry so far.
#[derive(Clone, Copy, Debug, Default)]
pub struct Usage {
    /// Calls into objects.
    pub object_requests: u32,
    /// Rows that those read.
    pub rows_read: u64,
    /// Rows that those wrote, alarms included.
    pub rows_written: u64,
}

/// The registry's Durable Objects.
#[derive(Clone, Debug)]
pub struct DurableObjects {
    namespace: ObjectNamespace,
    usage: Rc<Cell<Usage>>,
}

impl DurableObjects {
    /// Those of the binding `REGISTRY`.
    ///
    /// # Errors
    /// When `wrangler.toml` has no such binding.
    pub fn new(env: &Env) -> worker::Result<Self> {
        Ok(Self {
            namespace: env.durable_object(BINDING)?,
            usage: Rc::default(),
        })
    }

    /// What was used through this and its clones.
    #[must_use]
    pub fn usage(&self) -> Usage {
        self.usage.get()
    }
}

impl Objects for DurableObjects {
    type Transport = Stub;

    fn object(&self, name: &str) -> RegistryServiceClient<Stub> {
        let transport = Stub {
            objects: self.clone(),
            name: name.to_owned(),
        };
        // Objects do not look at the host of a URL, but a URL must have one.
        RegistryServiceClient(Client::new(
            transport,
            "http://registry",
            Codec::Proto,
            limits::INTERNAL_MESSAGE_BYTES,
        ))
    }
}

/// Carries calls to one object.
#[derive(Clone, Debug)]
pub struct Stub {
    objects: DurableObjects,
    name: String,
}

impl Transport for Stub {
    async fn send(&self, request: http::Request<Bytes>) -> Result<http::Response<Bytes>, Error> {
        let usage = &self.objects.usage;
        let mut used = usage.get();
        used.object_requests = used.object_requests.saturating_add(1);
        usage.set(used);
        let answer = self.fetch(request).await.map_err(|error| {
            Error::unavailable("the registry cannot answer now, try again").with_cause(error)
        })?;
        let rows =
            |name| -> Option<u64> { answer.headers().get(name)?.to_str().ok()?.parse().ok() };
        let mut used = usage.get();
        used.rows_read = used.rows_read.saturating_add(rows(ROWS_READ).unwrap_or(0));
        used.rows_written = used
            .rows_written
            .saturating_add(rows(ROWS_WRITTEN).unwrap_or(0));
        usage.set(used);
        Ok(answer)
    }

    async fn sleep(&self, duration: Duration) {
        WorkerHost.sleep(duration).await;
    }
}

impl Stub {
    async fn fetch(&self, request: http::Request<Bytes>) -> worker::Result<http::Response<Bytes>> {
        let (parts, body) = request.into_parts();
        let headers = Headers::new();
        for (name, value) in &parts.headers {
            headers.append(name.as_str(), value.to_str().unwrap_or_default())?;
        }
        let mut init = RequestInit::new();
        init.with_method(Method::Post)
            .with_headers(headers)
            .with_body(Some(js_sys::Uint8Array::from(body.as_ref()).into()));
        let request = Request::new_with_init(&parts.uri.to_string(), &init)?;
        let stub = self.objects.namespace.get_by_name(&self.name)?;
        let mut answer = stub.fetch_with_request(request).await?;
        let body = answer.bytes().await?;
        let mut converted = http::Response::new(Bytes::from(body));
        *converted.status_mut() = http::StatusCode::from_u16(answer.status_code())
            .unwrap_or(http::StatusCode::INTERNAL_SERVER_ERROR);
        *converted.headers_mut() = to_header_map(answer.headers());
        Ok(converted)
    }
}
