//! What `js/runtime.js` does for us.

use std::cell::Cell;

use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::{Closure, wasm_bindgen};

/// What JavaScript calls when something has come: its number, whether it went well, and the value.
pub(crate) type Settle = Closure<dyn Fn(usize, bool, JsValue)>;

#[wasm_bindgen(module = "/js/runtime.js")]
extern "C" {
    #[wasm_bindgen(js_name = keepMemory)]
    fn keep_memory(memory: &JsValue);
    #[wasm_bindgen(js_name = headOfEvent)]
    pub(crate) fn head(event: &JsValue) -> String;
    #[wasm_bindgen(js_name = takeBody)]
    pub(crate) fn take_body(event: &JsValue) -> Option<Vec<u8>>;
    #[wasm_bindgen(js_name = isTaken)]
    pub(crate) fn is_taken(event: &JsValue) -> bool;
    pub(crate) fn read(event: &JsValue) -> JsValue;
    #[wasm_bindgen(js_name = requestOf)]
    pub(crate) fn request_of(event: &JsValue) -> JsValue;
    #[wasm_bindgen(js_name = signalOf)]
    pub(crate) fn signal_of(event: &JsValue) -> JsValue;
    #[wasm_bindgen(js_name = contextOf)]
    pub(crate) fn context_of(event: &JsValue) -> JsValue;
    pub(crate) fn bytes(buffer: &JsValue) -> Vec<u8>;
    #[wasm_bindgen(catch, js_name = keepHead)]
    pub(crate) fn keep_head(number: usize, status: u16, lines: &str) -> Result<(), JsValue>;
    #[wasm_bindgen(catch)]
    pub(crate) fn respond(number: usize, start: usize, length: usize) -> Result<JsValue, JsValue>;
    pub(crate) fn listen(promise: &JsValue, number: usize, settle: &Settle);
    #[wasm_bindgen(js_name = startTimer)]
    pub(crate) fn start_timer(milliseconds: i32, number: usize, settle: &Settle) -> JsValue;
    #[wasm_bindgen(js_name = stopTimer)]
    pub(crate) fn stop_timer(timer: &JsValue);
    pub(crate) fn promise(number: usize, context: &JsValue) -> JsValue;
    pub(crate) fn resolve(number: usize, value: JsValue);
    #[wasm_bindgen(js_name = answerCall)]
    pub(crate) fn answer_call(start: usize, length: usize) -> JsValue;
    #[wasm_bindgen(catch)]
    pub(crate) fn call(
        namespace: &JsValue,
        name: &str,
        start: usize,
        length: usize,
    ) -> Result<JsValue, JsValue>;
    pub(crate) fn controller() -> JsValue;
    pub(crate) fn abort(controller: &JsValue);
    pub(crate) fn exchange(
        url: &str,
        head: &str,
        body: Vec<u8>,
        limit: usize,
        controller: &JsValue,
    ) -> JsValue;
    #[wasm_bindgen(js_name = headOf)]
    pub(crate) fn head_of(answer: &JsValue) -> String;
    #[wasm_bindgen(js_name = bodyOf)]
    pub(crate) fn body_of(answer: &JsValue) -> Vec<u8>;
}

/// Start and length of bytes in the module's memory, of which JavaScript makes a copy. As the argument `&[u8]` they
/// would cross over as a view, which costs more.
pub(crate) fn place(bytes: &[u8]) -> (usize, usize) {
    thread_local! {
        static IS_KNOWN: Cell<bool> = const { Cell::new(false) };
    }
    if !IS_KNOWN.replace(true) {
        keep_memory(&wasm_bindgen::memory());
    }
    // Exposed: somebody else reads there.
    (bytes.as_ptr().expose_provenance(), bytes.len())
}
