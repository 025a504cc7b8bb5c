use std::future::Future;
use std::time::Duration;

use espressync_client::Clock;
use espressync_model::Timestamp;
use gloo_timers::future::sleep;

/// The browser's clock and timers.
#[derive(Debug, Clone, Copy, Default)]
pub struct BrowserClock;

/// `setTimeout` takes no more, and fires at once on what is longer.
const LONGEST_SLEEP_MS: u64 = i32::MAX as u64;

impl Clock for BrowserClock {
    fn now(&self) -> Timestamp {
        now()
    }

    /// The deadline is a moment of the wall clock: after a laptop's sleep the timer is late, but
    /// resolves at once.
    fn sleep_until(&self, deadline: Timestamp) -> impl Future<Output = ()> + 'static {
        sleep_until(deadline)
    }
}

async fn sleep_until(deadline: Timestamp) {
    loop {
        match deadline.since(now()) {
            0 => return,
            left => sleep(Duration::from_millis(left.min(LONGEST_SLEEP_MS))).await,
        }
    }
}

#[allow(clippy::cast_possible_truncation, reason = "milliseconds since 1970, below 2^53")]
fn now() -> Timestamp {
    Timestamp(js_sys::Date::now() as i64)
}
