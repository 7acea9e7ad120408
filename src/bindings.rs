//! What the runtime hands over: the variables of `wrangler.toml`, read once in an isolate's life.

use std::cell::OnceCell;
use std::rc::Rc;

use connect::{Error, Host as _};
use connect_worker::WorkerHost;
use worker::Env;
use worker::js_sys::{JSON, Reflect};
use worker::wasm_bindgen::JsValue;

use crate::config::Config;
use crate::isolate::Isolate;

thread_local! {
    static ISOLATE: OnceCell<Result<Rc<Isolate>, Error>> = const { OnceCell::new() };
}

/// The isolate's memory; the first call reads the configuration.
///
/// # Errors
/// `internal` when a variable is wrong, the same for every call.
pub fn isolate(env: &Env) -> Result<Rc<Isolate>, Error> {
    ISOLATE.with(|isolate| isolate.get_or_init(|| start(env)).clone())
}

fn start(env: &Env) -> Result<Rc<Isolate>, Error> {
    let config = Config::from_vars(|name| var(env, name))?;
    Ok(Rc::new(Isolate::new(config, WorkerHost.now_ms())))
}

/// A variable as text. TOML's numbers, booleans and tables arrive as such: as JSON they are what a
/// string would have said.
fn var(env: &Env, name: &str) -> Option<String> {
    let value = Reflect::get(env, &JsValue::from_str(name)).ok()?;
    if value.is_undefined() || value.is_null() {
        return None;
    }
    value
        .as_string()
        .or_else(|| JSON::stringify(&value).ok().map(String::from))
}
