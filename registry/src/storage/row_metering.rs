//! The rows that one call uses of a store that other calls use at the same time.

use std::cell::Cell;
use std::future::poll_fn;
use std::pin::Pin;

use crate::proto::Cost;

/// Runs `work`, and returns the rows that it alone used of a store which counts on `meter`, though
/// other work proceeds whenever `work` waits.
pub async fn with_row_count<T>(
    meter: &Cell<Cost>,
    mut work: Pin<&mut impl Future<Output = T>>,
) -> (T, Cost) {
    let mut own = Cost::default();
    let done = poll_fn(|context| {
        // Nothing else counts while this future is polled.
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

    /// Reads some rows and waits, three times.
    async fn reads(meter: &Cell<Cost>, rows: i64) {
        for _ in 0..3 {
            meter.set(meter.get().plus(rows, 0));
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
    fn interleaved_calls_are_counted_apart() {
        let meter = Cell::new(Cost::default());
        let one = pin!(reads(&meter, 1));
        let other = pin!(reads(&meter, 10));
        let both = join(with_row_count(&meter, one), with_row_count(&meter, other));
        let (((), one), ((), other)) = block_on(both);
        assert_eq!((one.rows_read, other.rows_read), (3, 30));
        assert_eq!(meter.get(), Cost::default());
    }
}
