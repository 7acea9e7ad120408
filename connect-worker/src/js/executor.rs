//! Executor of futures whose results JavaScript receives as promises.
//!
//! `wasm-bindgen-futures` does this too, and crates like `worker` use it inside. This executor
//! polls a future when it is passed in, so a future that waits for nothing returns its value
//! without a promise. When a promise settles it polls at once, without a microtask and two closures
//! with finalizers per wait. `docs/performance.md` measures the gain.

use std::cell::RefCell;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};

use slab::Slab;
use wasm_bindgen::JsValue;

use super::bindings;

type Task = Pin<Box<dyn Future<Output = JsValue>>>;

/// State of a task that is not complete.
enum TaskState {
    /// The task waits for its waker.
    Waiting(Task),
    /// The task is being polled; `woken` if its waker was called meanwhile.
    Running { woken: bool },
}

thread_local! {
    static TASKS: RefCell<Slab<TaskState>> = const { RefCell::new(Slab::new()) };
}

/// Runs a future to completion and returns its value, or a promise of its value if the future has
/// to wait.
///
/// `context` is the context of a fetch event, or `undefined`. It stays alive until the promise
/// settles. Without its context a waiting future would never be woken, and its memory never freed.
///
/// ```no_run
/// use connect_worker::{event_context, run_future};
/// use wasm_bindgen::JsValue;
///
/// async fn refresh_cache() {}
///
/// fn refresh_in_background(event: &JsValue) {
///     run_future(&event_context(event), async {
///         refresh_cache().await;
///         JsValue::UNDEFINED
///     });
/// }
/// ```
pub fn run_future(context: &JsValue, future: impl Future<Output = JsValue> + 'static) -> JsValue {
    let id = TASKS.with_borrow_mut(|tasks| tasks.insert(TaskState::Running { woken: false }));
    match poll_task(id, Box::pin(future)) {
        Some(value) => value,
        None => bindings::create_promise(id, context),
    }
}

/// Polls a task until it waits or is complete. Returns the value of a complete task.
fn poll_task(id: usize, mut task: Task) -> Option<JsValue> {
    let waker = Waker::from(Arc::new(TaskWaker(id)));
    loop {
        if let Poll::Ready(value) = task.as_mut().poll(&mut Context::from_waker(&waker)) {
            TASKS.with_borrow_mut(|tasks| tasks.try_remove(id));
            return Some(value);
        }
        let woken = TASKS.with_borrow_mut(|tasks| match tasks.get_mut(id) {
            Some(TaskState::Running { woken }) if *woken => {
                *woken = false;
                Some(task)
            }
            Some(state) => {
                *state = TaskState::Waiting(task);
                None
            }
            None => None,
        });
        task = woken?;
    }
}

/// Waker of a task. The id of a complete task may belong to another task now, for which the wakeup
/// is spurious.
struct TaskWaker(usize);

impl Wake for TaskWaker {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        let Self(id) = **self;
        let task = TASKS.with_borrow_mut(|tasks| {
            let state = tasks.get_mut(id)?;
            match std::mem::replace(state, TaskState::Running { woken: true }) {
                TaskState::Waiting(task) => {
                    *state = TaskState::Running { woken: false };
                    Some(task)
                }
                TaskState::Running { .. } => None,
            }
        });
        if let Some(value) = task.and_then(|task| poll_task(id, task)) {
            bindings::resolve_promise(id, value);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::future::poll_fn;
    use std::rc::Rc;

    use super::*;

    #[test]
    fn future_that_does_not_wait_is_complete_without_a_promise() {
        // Creating a promise would panic outside of WebAssembly.
        run_future(&JsValue::UNDEFINED, async { JsValue::UNDEFINED });
        assert_eq!(TASKS.with_borrow(Slab::len), 0);
    }

    #[test]
    fn task_that_is_woken_while_it_runs_is_polled_again() {
        let polls = Rc::new(Cell::new(0));
        let count = Rc::clone(&polls);
        let future = poll_fn(move |context| {
            count.set(count.get() + 1);
            if count.get() < 3 {
                context.waker().wake_by_ref();
                return Poll::Pending;
            }
            Poll::Ready(JsValue::UNDEFINED)
        });
        run_future(&JsValue::UNDEFINED, future);
        assert_eq!(polls.get(), 3);
    }
}
