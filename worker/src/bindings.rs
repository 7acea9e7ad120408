//! The bindings of `wrangler.toml`, by name.

use wasm_bindgen::JsValue;
use worker::Env;
use worker::js_sys::Reflect;

/// Returns a binding of any type; `None` if there is none of that name.
pub(crate) fn binding(env: &Env, name: &str) -> Option<JsValue> {
    let value = Reflect::get(env, &JsValue::from_str(name)).ok()?;
    (!value.is_undefined() && !value.is_null()).then_some(value)
}

/// Returns whether there is a binding of that name.
pub(crate) fn is_bound(env: &Env, name: &str) -> bool {
    binding(env, name).is_some()
}
