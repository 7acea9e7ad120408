//! Promises and timers of JavaScript as futures.

use std::cell::RefCell;
use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use slab::Slab;
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::Closure;

use super::bindings::{self, Settle};

/// State of a wait for JavaScript.
enum Wait {
    /// The promise has not settled.
    Pending(Option<Waker>),
    /// The promise has settled.
    Settled(Result<JsValue, JsValue>),
    /// The future was dropped. JavaScript still holds the slot's number, so the slot stays taken
    /// until the promise settles.
    Abandoned,
}

thread_local! {
    static WAITS: RefCell<Slab<Wait>> = const { RefCell::new(Slab::new()) };
    static SETTLE: Settle = Closure::new(settle);
}

/// Stores the outcome of a wait and wakes its task. JavaScript calls this.
fn settle(slot: usize, ok: bool, value: JsValue) {
    let result = if ok { Ok(value) } else { Err(value) };
    let waker = WAITS.with_borrow_mut(|waits| {
        let wait = waits.get_mut(slot)?;
        if let Wait::Pending(waker) = std::mem::replace(wait, Wait::Settled(result)) {
            waker
        } else {
            waits.try_remove(slot);
            None
        }
    });
    if let Some(waker) = waker {
        waker.wake();
    }
}

/// Slot in [`WAITS`], released on drop. `None` once the outcome has been taken.
struct Slot(Option<usize>);

impl Slot {
    /// Takes a free slot. Returns it with its number for JavaScript.
    fn take() -> (Self, usize) {
        let number = WAITS.with_borrow_mut(|waits| waits.insert(Wait::Pending(None)));
        (Self(Some(number)), number)
    }

    fn poll(&mut self, context: &Context<'_>) -> Poll<Result<JsValue, JsValue>> {
        let Some(number) = self.0 else {
            return Poll::Pending;
        };
        WAITS.with_borrow_mut(|waits| match waits.get_mut(number) {
            Some(Wait::Pending(waker)) => {
                *waker = Some(context.waker().clone());
                Poll::Pending
            }
            _ => match waits.try_remove(number) {
                Some(Wait::Settled(result)) => {
                    self.0 = None;
                    Poll::Ready(result)
                }
                _ => Poll::Pending,
            },
        })
    }

    /// Releases the slot at once. Only for a number that JavaScript will not use any more.
    fn release(&mut self) {
        if let Some(number) = self.0.take() {
            WAITS.with_borrow_mut(|waits| waits.try_remove(number));
        }
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        let Some(number) = self.0 else {
            return;
        };
        WAITS.with_borrow_mut(|waits| match waits.get_mut(number) {
            Some(wait @ Wait::Pending(_)) => *wait = Wait::Abandoned,
            _ => drop(waits.try_remove(number)),
        });
    }
}

/// Future of a JavaScript promise.
///
/// ```no_run
/// use connect_worker::PromiseFuture;
/// use wasm_bindgen::JsValue;
/// use worker::js_sys::Promise;
///
/// async fn text(promise: &Promise) -> Result<Option<String>, JsValue> {
///     let value = PromiseFuture::new(promise).await?;
///     Ok(value.as_string())
/// }
/// ```
pub struct PromiseFuture(Slot);

impl PromiseFuture {
    /// Observes `promise` from now on, so that it may settle before the first poll.
    #[must_use]
    pub fn new(promise: &JsValue) -> Self {
        let (slot, number) = Slot::take();
        SETTLE.with(|settle| bindings::observe_promise(promise, number, settle));
        Self(slot)
    }
}

impl Future for PromiseFuture {
    type Output = Result<JsValue, JsValue>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        self.0.poll(context)
    }
}

impl fmt::Debug for PromiseFuture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("PromiseFuture").field(&self.0.0).finish()
    }
}

/// Timer that starts with the first poll: a call that is ready before then needs no timer.
pub(crate) struct Sleep {
    milliseconds: i32,
    timer: Option<(Slot, JsValue)>,
}

/// Longest delay of `setTimeout`. A longer one would wrap and fire at once.
const MAX_DELAY_MS: i32 = i32::MAX;

impl Sleep {
    pub(crate) fn new(duration: Duration) -> Self {
        Self {
            milliseconds: i32::try_from(duration.as_millis()).unwrap_or(MAX_DELAY_MS),
            timer: None,
        }
    }
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let milliseconds = self.milliseconds;
        let (slot, _) = self.timer.get_or_insert_with(|| {
            let (slot, number) = Slot::take();
            let start = |settle: &Settle| bindings::start_timer(milliseconds, number, settle);
            (slot, SETTLE.with(start))
        });
        slot.poll(context).map(drop)
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        if let Some((slot, timer)) = &mut self.timer
            && slot.0.is_some()
        {
            bindings::stop_timer(timer);
            slot.release();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::task::Wake;

    use super::*;

    #[derive(Default)]
    struct WasWoken(AtomicBool);

    impl Wake for WasWoken {
        fn wake(self: Arc<Self>) {
            self.0.store(true, Ordering::Relaxed);
        }
    }

    fn poll(slot: &mut Slot) -> Poll<Result<JsValue, JsValue>> {
        slot.poll(&Context::from_waker(Waker::noop()))
    }

    fn taken_slots() -> usize {
        WAITS.with_borrow(Slab::len)
    }

    #[test]
    fn outcome_before_the_first_poll_is_kept() {
        let (mut slot, number) = Slot::take();
        settle(number, false, JsValue::UNDEFINED);
        assert!(matches!(poll(&mut slot), Poll::Ready(Err(_))));
        assert_eq!(taken_slots(), 0);
    }

    #[test]
    fn settled_promise_wakes_its_task() {
        let woken = Arc::new(WasWoken::default());
        let (mut slot, number) = Slot::take();
        let waker = Waker::from(Arc::clone(&woken));
        assert!(slot.poll(&Context::from_waker(&waker)).is_pending());
        settle(number, true, JsValue::UNDEFINED);
        assert!(woken.0.load(Ordering::Relaxed));
        assert!(matches!(poll(&mut slot), Poll::Ready(Ok(_))));
        assert!(poll(&mut slot).is_pending());
    }

    #[test]
    fn slot_of_a_dropped_future_stays_taken_until_its_promise_settles() {
        let (slot, number) = Slot::take();
        drop(slot);
        assert_eq!(taken_slots(), 1);
        let (other, other_number) = Slot::take();
        assert_ne!(other_number, number);
        settle(number, true, JsValue::UNDEFINED);
        drop(other);
        settle(other_number, true, JsValue::UNDEFINED);
        assert_eq!(taken_slots(), 0);
    }

    #[test]
    fn released_slot_is_free_at_once() {
        let (mut slot, number) = Slot::take();
        slot.release();
        drop(slot);
        assert_eq!(taken_slots(), 0);
        settle(number, true, JsValue::UNDEFINED);
    }
}
