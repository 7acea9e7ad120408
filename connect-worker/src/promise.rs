//! Promises and timers of the runtime, as futures.

use std::cell::RefCell;
use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use slab::Slab;
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::Closure;

use crate::runtime::{self, Settle};

/// What is waited for.
enum Wait {
    /// It has not come.
    Pending(Option<Waker>),
    /// It has.
    Settled(Result<JsValue, JsValue>),
    /// Nobody waits any more. The number stays taken until it has come, as JavaScript still knows it.
    Abandoned,
}

thread_local! {
    static WAITS: RefCell<Slab<Wait>> = const { RefCell::new(Slab::new()) };
    static SETTLE: Settle = Closure::new(settle);
}

fn settle(number: usize, ok: bool, value: JsValue) {
    let result = if ok { Ok(value) } else { Err(value) };
    let waker = WAITS.with_borrow_mut(|waits| {
        let wait = waits.get_mut(number)?;
        if let Wait::Pending(waker) = std::mem::replace(wait, Wait::Settled(result)) {
            waker
        } else {
            // Nobody waits for it any more.
            waits.try_remove(number);
            None
        }
    });
    if let Some(waker) = waker {
        waker.wake();
    }
}

/// A place in [`WAITS`], given back when it is dropped.
struct Place(Option<usize>);

impl Place {
    /// A new one, and its number for JavaScript.
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

    /// Gives it back though JavaScript knows its number, which it will not use any more.
    fn free(&mut self) {
        if let Some(number) = self.0.take() {
            WAITS.with_borrow_mut(|waits| waits.try_remove(number));
        }
    }
}

impl Drop for Place {
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

/// A promise of JavaScript as a future of what becomes of it.
pub struct Promised(Place);

impl Promised {
    /// Starts to listen: not polling it loses nothing.
    #[must_use]
    pub fn new(promise: &JsValue) -> Self {
        let (place, number) = Place::take();
        SETTLE.with(|settle| runtime::listen(promise, number, settle));
        Self(place)
    }
}

impl Future for Promised {
    type Output = Result<JsValue, JsValue>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        self.0.poll(context)
    }
}

impl fmt::Debug for Promised {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Promised").field(&self.0.0).finish()
    }
}

/// A timer, which is set when it is polled first: what is ready before needs none.
pub(crate) struct Sleep {
    milliseconds: i32,
    timer: Option<(Place, JsValue)>,
}

/// What the timer can wait at most: beyond it `setTimeout` would wrap and fire at once.
const LONGEST_SLEEP_MS: i32 = i32::MAX;

impl Sleep {
    pub(crate) fn new(duration: Duration) -> Self {
        Self {
            milliseconds: i32::try_from(duration.as_millis()).unwrap_or(LONGEST_SLEEP_MS),
            timer: None,
        }
    }
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let milliseconds = self.milliseconds;
        let (place, _) = self.timer.get_or_insert_with(|| {
            let (place, number) = Place::take();
            let start = |settle: &Settle| runtime::start_timer(milliseconds, number, settle);
            (place, SETTLE.with(start))
        });
        place.poll(context).map(drop)
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        if let Some((place, timer)) = &mut self.timer
            && place.0.is_some()
        {
            runtime::stop_timer(timer);
            place.free();
        }
    }
}
