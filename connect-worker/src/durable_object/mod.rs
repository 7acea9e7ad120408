//! Calls to Durable Objects by the runtime's own RPC: [`call`] in the Worker, [`handle_call`] in
//! the object.
//!
//! Messages are opaque bytes both ways. A call costs less than a request by `fetch`, which
//! `docs/performance.md` measures. The class of the objects, in JavaScript, passes each call on:
//!
//! ```js
//! export class Counter extends DurableObject {
//!   #object = instance.object(() => new module.Counter());
//!
//!   call(message) {
//!     const object = this.#object();
//!     return instance.run(() => object.call(new Uint8Array(message)));
//!   }
//! }
//! ```

mod rpc;

pub use rpc::{call, handle_call};
