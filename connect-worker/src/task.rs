//! Runs futures on the runtime's promises.
//!
//! `wasm-bindgen-futures` can too, and is what crates like `worker` use inside. Here a future is
//! polled where it is made, so that an answer which needs nothing from outside is returned without a
//! promise, and polled again where a promise settles, without a microtask and two closures with
//! finalizers for each. What that is part of is measured in `docs/performance.md`.

use std::cell::RefCell;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};

use slab::Slab;
use wasm_bindgen::JsValue;

use crate::runtime;

type Task = Pin<Box<dyn Future<Output = JsValue>>>;

/// A future that has not come to its end.
enum State {
    /// It waits to be woken.
    Waiting(Task),
    /// It is being polled; `again` when it was woken meanwhile.
    Polled { again: bool },
}

thread_local! {
    static TASKS: RefCell<Slab<State>> = const { RefCell::new(Slab::new()) };
}

/// Runs a future to its end: at once if it can, and otherwise behind the promise that is returned.
///
/// The runtime does not end `context`, if it is one, before that promise: a future whose context is gone would never
/// be woken, and stay in memory.
pub fn run(context: &JsValue, future: impl Future<Output = JsValue> + 'static) -> JsValue {
    let number = TASKS.with_borrow_mut(|tasks| tasks.insert(State::Polled { again: false }));
    match drive(number, Box::pin(future)) {
        Some(value) => value,
        None => runtime::promise(number, context),
    }
}

/// Polls until the future waits or is done; its value if it is.
fn drive(number: usize, mut task: Task) -> Option<JsValue> {
    let waker = Waker::from(Arc::new(Wakeup(number)));
    loop {
        if let Poll::Ready(value) = task.as_mut().poll(&mut Context::from_waker(&waker)) {
            TASKS.with_borrow_mut(|tasks| tasks.try_remove(number));
            return Some(value);
        }
        let state = TASKS.with_borrow_mut(|tasks| match tasks.get_mut(number) {
            Some(State::Polled { again }) if *again => {
                *again = false;
                Some(task)
            }
            Some(state) => {
                *state = State::Waiting(task);
                None
            }
            None => None,
        });
        task = state?;
    }
}

/// Wakes a task. One that is over may have left its number to another, which is then polled in vain.
struct Wakeup(usize);

impl Wake for Wakeup {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        let Self(number) = **self;
        let task = TASKS.with_borrow_mut(|tasks| {
            let state = tasks.get_mut(number)?;
            match std::mem::replace(state, State::Polled { again: true }) {
                State::Waiting(task) => {
                    *state = State::Polled { again: false };
                    Some(task)
                }
                State::Polled { .. } => None,
            }
        });
        if let Some(value) = task.and_then(|task| drive(number, task)) {
            runtime::resolve(number, value);
        }
    }
}
