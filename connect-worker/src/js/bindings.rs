//! Imports from `js/bindings.js`, where each function is documented.

use std::cell::Cell;

use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::{Closure, wasm_bindgen};

/// Callback for JavaScript: the slot of a wait, true for success, and the value or the error.
pub(crate) type Settle = Closure<dyn Fn(usize, bool, JsValue)>;

#[wasm_bindgen(module = "/js/bindings.js")]
extern "C" {
    // Only for `wasm_instance.js`, to which the module exports it again.
    #[wasm_bindgen(reexport, js_name = instanceState)]
    fn instance_state() -> JsValue;

    #[wasm_bindgen(js_name = setMemory)]
    fn set_memory(memory: &JsValue);
    #[wasm_bindgen(js_name = copyMemory)]
    pub(crate) fn copy_memory(start: usize, length: usize) -> JsValue;
    #[wasm_bindgen(js_name = toBytes)]
    pub(crate) fn to_bytes(buffer: &JsValue) -> Vec<u8>;

    #[wasm_bindgen(js_name = eventHead)]
    pub(crate) fn event_head(event: &JsValue) -> String;
    #[wasm_bindgen(js_name = eagerBody)]
    pub(crate) fn eager_body(event: &JsValue) -> Option<Vec<u8>>;
    #[wasm_bindgen(js_name = isBodyTaken)]
    pub(crate) fn is_body_taken(event: &JsValue) -> bool;
    #[wasm_bindgen(js_name = readBody)]
    pub(crate) fn read_body(event: &JsValue) -> JsValue;
    #[wasm_bindgen(js_name = eventRequest)]
    pub(crate) fn event_request(event: &JsValue) -> JsValue;
    #[wasm_bindgen(js_name = eventContext)]
    pub(crate) fn event_context(event: &JsValue) -> JsValue;
    #[wasm_bindgen(js_name = abortSignal)]
    pub(crate) fn abort_signal(event: &JsValue) -> JsValue;

    #[wasm_bindgen(catch, js_name = setResponseHead)]
    pub(crate) fn set_response_head(index: usize, status: u16, lines: &str) -> Result<(), JsValue>;
    #[wasm_bindgen(catch, js_name = createResponse)]
    pub(crate) fn create_response(
        head_index: usize,
        start: usize,
        length: usize,
    ) -> Result<JsValue, JsValue>;

    #[wasm_bindgen(js_name = observePromise)]
    pub(crate) fn observe_promise(promise: &JsValue, slot: usize, settle: &Settle);
    #[wasm_bindgen(js_name = startTimer)]
    pub(crate) fn start_timer(milliseconds: i32, slot: usize, settle: &Settle) -> JsValue;
    #[wasm_bindgen(js_name = stopTimer)]
    pub(crate) fn stop_timer(timer: &JsValue);
    #[wasm_bindgen(js_name = createPromise)]
    pub(crate) fn create_promise(task: usize, context: &JsValue) -> JsValue;
    #[wasm_bindgen(js_name = resolvePromise)]
    pub(crate) fn resolve_promise(task: usize, value: JsValue);

    #[wasm_bindgen(catch, js_name = callObject)]
    pub(crate) fn call_object(
        namespace: &JsValue,
        name: &str,
        start: usize,
        length: usize,
    ) -> Result<JsValue, JsValue>;

    #[wasm_bindgen(js_name = createAbortController)]
    pub(crate) fn create_abort_controller() -> JsValue;
    pub(crate) fn abort(controller: &JsValue);
    #[wasm_bindgen(js_name = postRequest)]
    pub(crate) fn post_request(
        url: &str,
        lines: &str,
        body: Vec<u8>,
        limit: usize,
        controller: &JsValue,
    ) -> JsValue;
    #[wasm_bindgen(js_name = postedHead)]
    pub(crate) fn posted_head(posted: &JsValue) -> String;
    #[wasm_bindgen(js_name = postedBody)]
    pub(crate) fn posted_body(posted: &JsValue) -> Vec<u8>;
}

/// Returns start and length of `bytes` in the instance's memory, for JavaScript to copy them. An
/// argument `&[u8]` would cross as a view, which costs more.
pub(crate) fn memory_span(bytes: &[u8]) -> (usize, usize) {
    thread_local! {
        static IS_MEMORY_SET: Cell<bool> = const { Cell::new(false) };
    }
    if !IS_MEMORY_SET.replace(true) {
        set_memory(&wasm_bindgen::memory());
    }
    // Exposed, because JavaScript reads through the address.
    (bytes.as_ptr().expose_provenance(), bytes.len())
}
