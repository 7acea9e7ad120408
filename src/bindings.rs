//! What the runtime hands over: the variables of `wrangler.toml`, read once in an isolate's life, and
//! which bindings there are.

use std::cell::OnceCell;
use std::rc::Rc;

use connect::Host as _;
use connect_worker::WorkerHost;
use wasm_bindgen::JsValue;
use worker::Env;
use worker::js_sys::{JSON, Reflect};

use crate::isolate::Isolate;
use crate::telemetry;

thread_local! {
    static ISOLATE: OnceCell<Rc<Isolate>> = const { OnceCell::new() };
}

/// The isolate's memory; the first call reads the configuration.
pub fn isolate(env: &Env) -> Rc<Isolate> {
    ISOLATE.with(|isolate| {
        let start = || {
            let mut isolate = Isolate::new(|name| var(env, name), WorkerHost.now_ms());
            if let Some(version) = version(env) {
                isolate.deployed = version;
            }
            if let Some(fault) = &isolate.fault {
                telemetry::log_fault(&isolate.config, fault);
            }
            Rc::new(isolate)
        };
        Rc::clone(isolate.get_or_init(start))
    })
}

/// The id of the deployed version, if the runtime tells it.
fn version(env: &Env) -> Option<String> {
    let metadata = find(env, "CF_VERSION_METADATA")?;
    let id = Reflect::get(&metadata, &JsValue::from_str("id")).ok()?;
    id.as_string()
}

/// A binding, whatever it is; `None` if there is none of that name.
pub fn find(env: &Env, name: &str) -> Option<JsValue> {
    let value = Reflect::get(env, &JsValue::from_str(name)).ok()?;
    (!value.is_undefined() && !value.is_null()).then_some(value)
}

/// A variable as text. TOML's numbers, booleans and tables arrive as such: as JSON they are what a
/// string would have said.
fn var(env: &Env, name: &str) -> Option<String> {
    let value = find(env, name)?;
    value
        .as_string()
        .or_else(|| JSON::stringify(&value).ok().map(String::from))
}
