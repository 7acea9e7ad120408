//! Calls into Durable Objects, and what they cost.

use std::cell::OnceCell;
use std::rc::Rc;
use std::time::Duration;

use bytes::Bytes;
use connect::{Client, Codec, Error, Host as _, Idempotency, Transport};
use http::HeaderMap;
use wasm_bindgen::JsValue;
use worker::Env;
use worker::js_sys::Reflect;

use crate::meter::Meter;
use crate::protos::coral::registry::v1::RegistryServiceClient;
use crate::registry::client::Objects;
use crate::registry::store::Cost;
use crate::{bindings, limits};
use connect_worker::{WorkerHost, call};

/// The binding of the registry's objects in `wrangler.toml`.
const BINDING: &str = "REGISTRY";

/// The header in which an object tells what a call cost: rows read, rows written. Without it, nothing.
const COST: &str = "registry-cost";

/// Tells the caller what its call cost.
pub fn tell_cost(headers: &mut HeaderMap, cost: Cost) {
    if cost != Cost::default()
        && let Ok(cost) = format!("{} {}", cost.rows_read, cost.rows_written).try_into()
    {
        headers.insert(COST, cost);
    }
}

fn parse_cost(text: &str) -> Cost {
    let (rows_read, rows_written) = text.split_once(' ').unwrap_or_default();
    Cost {
        rows_read: rows_read.parse().unwrap_or_default(),
        rows_written: rows_written.parse().unwrap_or_default(),
    }
}

/// How often a call is made at the most. An object that moves or was reset is back within
/// milliseconds; beyond that trying again is the caller's choice.
const ATTEMPTS: u32 = 3;

/// How long to wait before the first repetition, and twice as long before each other one.
const BACK_OFF: Duration = Duration::from_millis(50);

/// The registry's Durable Objects.
#[derive(Clone, Debug)]
pub struct DurableObjects {
    namespace: JsValue,
    meter: Rc<Meter>,
}

impl DurableObjects {
    /// Those of the binding `REGISTRY`; `meter` notes what their use costs.
    ///
    /// # Errors
    /// When `wrangler.toml` has no such binding.
    pub fn new(env: &Env, meter: Rc<Meter>) -> Result<Self, &'static str> {
        Ok(Self {
            namespace: namespace(env)?,
            meter,
        })
    }
}

/// The namespace of the registry's objects, looked up once in an isolate's life.
///
/// # Errors
/// When `wrangler.toml` has no such binding.
pub fn namespace(env: &Env) -> Result<JsValue, &'static str> {
    thread_local! {
        static NAMESPACE: OnceCell<JsValue> = const { OnceCell::new() };
    }
    NAMESPACE.with(|known| match known.get() {
        Some(namespace) => Ok(namespace.clone()),
        None => {
            let namespace = bindings::find(env, BINDING).ok_or("there is no binding REGISTRY")?;
            Ok(known.get_or_init(|| namespace).clone())
        }
    })
}

impl Objects for DurableObjects {
    type Transport = Stub;

    fn object(&self, name: &str) -> RegistryServiceClient<Stub> {
        let transport = Stub {
            objects: self.clone(),
            name: name.to_owned(),
        };
        // An object has no host.
        RegistryServiceClient(Client::new(
            transport,
            "",
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
                        .with_cause(format!("{} (attempt {attempt})", text(&error))),
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
    ) -> Result<http::Response<Bytes>, JsValue> {
        let meter = &self.objects.meter;
        let started_at_ms = WorkerHost.now_ms();
        let answer = call(&self.objects.namespace, &self.name, request).await;
        meter.note(|usage| {
            usage.object_requests = usage.object_requests.saturating_add(1);
            usage.object_ms += WorkerHost.now_ms().saturating_sub(started_at_ms);
            let Ok(answer) = &answer else {
                return;
            };
            let cost = answer
                .headers()
                .get(COST)
                .and_then(|cost| cost.to_str().ok());
            let Cost {
                rows_read,
                rows_written,
            } = cost.map(parse_cost).unwrap_or_default();
            usage.rows_read = usage.rows_read.saturating_add(rows_read);
            usage.rows_written = usage.rows_written.saturating_add(rows_written);
        });
        answer
    }
}

/// Whether the platform has marked its error so.
fn is_set(error: &JsValue, mark: &str) -> bool {
    let mark = Reflect::get(error, &JsValue::from_str(mark));
    mark.is_ok_and(|mark| mark.is_truthy())
}

/// What the platform says of its error.
fn text(error: &JsValue) -> String {
    worker::Error::from(error.clone()).to_string()
}

/// Between half of a duration and one and a half: those who failed together shall not come back
/// together.
fn jittered(duration: Duration) -> Duration {
    let random = getrandom::u32().unwrap_or(u32::MAX / 2);
    duration.mul_f64(0.5 + f64::from(random) / f64::from(u32::MAX))
}
