//! Calls into Durable Objects, and what they cost.

use std::rc::Rc;
use std::time::Duration;

use bytes::Bytes;
use connect::{Client, Codec, Error, Host as _, Idempotency, Transport};
use worker::js_sys::{self, Reflect};
use worker::wasm_bindgen::JsValue;
use worker::{Env, Headers, Method, ObjectNamespace, Request, RequestInit};

use crate::limits;
use crate::meter::Meter;
use crate::protos::coral::registry::v1::RegistryServiceClient;
use crate::registry::client::Objects;
use connect_worker::{WorkerHost, to_header_map};

/// The binding of the registry's objects in `wrangler.toml`.
const BINDING: &str = "REGISTRY";

/// Headers in which an object tells what a call cost.
pub const ROWS_READ: &str = "registry-rows-read";
/// See [`ROWS_READ`].
pub const ROWS_WRITTEN: &str = "registry-rows-written";

/// How often a call is made at the most. An object that moves or was reset is back within
/// milliseconds; beyond that trying again is the caller's choice.
const ATTEMPTS: u32 = 3;

/// How long to wait before the first repetition, and twice as long before each other one.
const BACK_OFF: Duration = Duration::from_millis(50);

/// The registry's Durable Objects.
#[derive(Clone, Debug)]
pub struct DurableObjects {
    namespace: ObjectNamespace,
    meter: Rc<Meter>,
}

impl DurableObjects {
    /// Those of the binding `REGISTRY`; `meter` notes what their use costs.
    ///
    /// # Errors
    /// When `wrangler.toml` has no such binding.
    pub fn new(env: &Env, meter: Rc<Meter>) -> worker::Result<Self> {
        Ok(Self {
            namespace: env.durable_object(BINDING)?,
            meter,
        })
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
    /// Repeats a call that the platform says may be repeated. The caller's deadline ends that, as it
    /// ends all that the handler does.
    async fn send(&self, request: http::Request<Bytes>) -> Result<http::Response<Bytes>, Error> {
        let method = request.extensions().get::<&'static connect::Method>();
        let may_repeat = method.is_some_and(|method| method.idempotency != Idempotency::Unknown);
        let mut back_off = BACK_OFF;
        let mut attempt = 1;
        loop {
            let error = match self.attempt(&request).await {
                Ok(answer) => return Ok(answer),
                Err(error) => error,
            };
            // An object that has too much to do is not helped by more.
            let is_worth_it = is_set(&error, "retryable") && !is_set(&error, "overloaded");
            if !may_repeat || !is_worth_it || attempt == ATTEMPTS {
                return Err(
                    Error::unavailable("the registry cannot answer now, try again")
                        .with_cause(format!("{error} (attempt {attempt})")),
                );
            }
            WorkerHost.sleep(jittered(back_off)).await;
            back_off *= 2;
            attempt += 1;
        }
    }

    async fn sleep(&self, duration: Duration) {
        WorkerHost.sleep(duration).await;
    }
}

impl Stub {
    /// One attempt, on a stub of its own: one that has failed once stays broken.
    async fn attempt(
        &self,
        request: &http::Request<Bytes>,
    ) -> worker::Result<http::Response<Bytes>> {
        let meter = &self.objects.meter;
        let started_at_ms = WorkerHost.now_ms();
        let answer = self.fetch(request).await;
        meter.note(|usage| {
            usage.object_requests = usage.object_requests.saturating_add(1);
            usage.object_ms += WorkerHost.now_ms().saturating_sub(started_at_ms);
            let Ok(answer) = &answer else {
                return;
            };
            let rows = |name| -> Option<u64> {
                let rows = answer.headers().get(name)?.to_str().ok()?;
                rows.parse().ok()
            };
            let (read, written) = (rows(ROWS_READ), rows(ROWS_WRITTEN));
            usage.rows_read = usage.rows_read.saturating_add(read.unwrap_or(0));
            usage.rows_written = usage.rows_written.saturating_add(written.unwrap_or(0));
        });
        answer
    }

    async fn fetch(&self, request: &http::Request<Bytes>) -> worker::Result<http::Response<Bytes>> {
        let headers = Headers::new();
        for (name, value) in request.headers() {
            headers.append(name.as_str(), value.to_str().unwrap_or_default())?;
        }
        let mut init = RequestInit::new();
        init.with_method(Method::Post)
            .with_headers(headers)
            .with_body(Some(
                js_sys::Uint8Array::from(request.body().as_ref()).into(),
            ));
        let request = Request::new_with_init(&request.uri().to_string(), &init)?;
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

/// Whether the platform has marked its error so.
fn is_set(error: &worker::Error, mark: &str) -> bool {
    let worker::Error::UnknownJsError { original, .. } = error else {
        return false;
    };
    let mark = Reflect::get(original, &JsValue::from_str(mark));
    mark.is_ok_and(|mark| mark.is_truthy())
}

/// Between half of a duration and one and a half: those who failed together shall not come back
/// together.
fn jittered(duration: Duration) -> Duration {
    let random = getrandom::u32().unwrap_or(u32::MAX / 2);
    duration.mul_f64(0.5 + f64::from(random) / f64::from(u32::MAX))
}
