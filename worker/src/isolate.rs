//! The state of the isolate, started from the variables of `wrangler.toml`.

use std::cell::OnceCell;
use std::rc::Rc;

use connect::Runtime as _;
use connect_worker::WorkerRuntime;
use coral_discovery::state::AppState;
use wasm_bindgen::JsValue;
use worker::Env;
use worker::js_sys::{JSON, Reflect};

use crate::bindings::binding;
use crate::log::ConsoleSink;

thread_local! {
    static STATE: OnceCell<Rc<AppState>> = const { OnceCell::new() };
}

/// Returns the state of the isolate. The first call reads the variables.
pub(crate) fn state(env: &Env) -> Rc<AppState> {
    STATE.with(|state| {
        let start = || {
            let sink = Box::new(ConsoleSink::new(env));
            let var = |name: &str| variable(env, name);
            let now = WorkerRuntime.now();
            Rc::new(AppState::new(var, version_id(env), sink, now))
        };
        Rc::clone(state.get_or_init(start))
    })
}

/// Returns the id of the deployed version, if the runtime has one.
fn version_id(env: &Env) -> Option<String> {
    let metadata = binding(env, "CF_VERSION_METADATA")?;
    let id = Reflect::get(&metadata, &JsValue::from_str("id")).ok()?;
    id.as_string()
}

/// Returns a variable as text. TOML's numbers, booleans and tables arrive as such: their JSON is
/// the text that a string would have had.
fn variable(env: &Env, name: &str) -> Option<String> {
    let value = binding(env, name)?;
    value
        .as_string()
        .or_else(|| JSON::stringify(&value).ok().map(String::from))
}
