//! What one call uses of a store that others use at the same time.

use std::cell::Cell;
use std::future::poll_fn;
use std::pin::Pin;

use super::store::Cost;

/// Does some work, and returns what it used of a store that counts on `meter`: that alone, though other work goes on whenever
/// this waits.
pub async fn metered<T>(
    meter: &Cell<Cost>,
    mut work: Pin<&mut impl Future<Output = T>>,
) -> (T, Cost) {
    let mut own = Cost::default();
    let done = poll_fn(|context| {
        // Nothing else is counted while this is polled.
        let others = meter.replace(own);
        let poll = work.as_mut().poll(context);
        own = meter.replace(others);
        poll
    })
    .await;
    (done, own)
}

#[cfg(test)]
mod tests {
    use std::pin::pin;

    use futures_executor::block_on;
    use futures_util::future::join;

    use super::*;

    /// Reads some rows and waits, again and again.
    async fn reads(meter: &Cell<Cost>, rows: u64) {
        for _ in 0..3 {
            let mut cost = meter.get();
            cost.rows_read += rows;
            meter.set(cost);
            let mut is_waiting = true;
            poll_fn(|context| {
                context.waker().wake_by_ref();
                if std::mem::take(&mut is_waiting) {
                    std::task::Poll::Pending
                } else {
                    std::task::Poll::Ready(())
                }
            })
            .await;
        }
    }

    #[test]
    fn work_that_takes_turns_is_counted_apart() {
        let meter = Cell::new(Cost::default());
        let one = pin!(reads(&meter, 1));
        let other = pin!(reads(&meter, 10));
        let both = join(metered(&meter, one), metered(&meter, other));
        let (((), one), ((), other)) = block_on(both);
        assert_eq!((one.rows_read, other.rows_read), (3, 30));
        assert_eq!(meter.get(), Cost::default());
    }
}
