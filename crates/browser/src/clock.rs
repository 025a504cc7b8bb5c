use std::future::Future;
use std::time::Duration;

use espressync_client::Clock;
use espressync_model::Timestamp;
use futures::channel::oneshot;
use futures::future::select;
use gloo_render::request_animation_frame;
use gloo_timers::future::sleep;

use crate::scope;

/// The browser's clock and timers. The clock is set once, by the wall clock, when it is first read;
/// from then on it only runs, so that a wall clock that is set back or forward later neither stalls
/// what waits nor hurries it.
#[derive(Debug, Clone, Copy, Default)]
pub struct BrowserClock;

/// `setTimeout` takes no more, and fires at once on what is longer.
const LONGEST_SLEEP_MS: u64 = i32::MAX as u64;

impl Clock for BrowserClock {
    fn now(&self) -> Timestamp {
        now()
    }

    /// The deadline is a moment of this clock, which in most browsers stands while a laptop sleeps:
    /// what waited then waits on for the rest of its time.
    fn sleep_until(&self, deadline: Timestamp) -> impl Future<Output = ()> + 'static {
        sleep_until(deadline)
    }

    fn next_frame(&self) -> impl Future<Output = ()> + 'static {
        next_frame()
    }
}

/// A page that is hidden draws no frames, and a worker has none: there a frame lasts so long, in
/// milliseconds.
const UNSEEN_FRAME_MS: u64 = 100;

/// The frame is asked for at once, not when the future is first polled: a change that comes long
/// after the last one finds it over.
fn next_frame() -> impl Future<Output = ()> + 'static {
    let unseen = sleep(Duration::from_millis(UNSEEN_FRAME_MS));
    let (drawn, frame) = oneshot::channel();
    let request = scope::window().is_some().then(|| {
        request_animation_frame(move |_| {
            // Whoever waited may have gone.
            let _ = drawn.send(());
        })
    });
    async move {
        match request {
            // Dropped, the request is taken back.
            Some(_request) => drop(select(frame, unseen).await),
            None => unseen.await,
        }
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

thread_local! {
    /// What to add to the monotonic clock to have the time since 1970.
    static START: f64 = js_sys::Date::now() - scope::running_for();
}

#[allow(clippy::cast_possible_truncation, reason = "milliseconds since 1970, below 2^53")]
fn now() -> Timestamp {
    Timestamp((START.with(|start| *start) + scope::running_for()) as i64)
}

#[cfg(test)]
#[cfg(target_arch = "wasm32")]
mod tests {
    use super::*;
    use futures::FutureExt;
    use wasm_bindgen::JsValue;
    use wasm_bindgen_test::wasm_bindgen_test;

    #[wasm_bindgen_test]
    fn a_wall_clock_that_is_set_back_does_not_set_this_one_back() {
        let before = now();
        let eval = |code: &str| js_sys::eval(code).unwrap();
        let was: JsValue = eval("globalThis.trueNow = Date.now; Date.now = () => 5; Date.now()");
        let after = now();
        eval("Date.now = globalThis.trueNow");
        assert_eq!(was.as_f64(), Some(5.0));
        assert!(after >= before && after.since(before) < 60_000, "{before:?} to {after:?}");
    }

    #[wasm_bindgen_test]
    async fn a_frame_passes_while_nobody_looks() {
        let asked = next_frame();
        sleep(Duration::from_millis(3 * UNSEEN_FRAME_MS)).await;
        assert!(asked.now_or_never().is_some());
    }

    #[wasm_bindgen_test]
    async fn frames_come_and_one_that_is_given_up_does_no_harm() {
        let before = now();
        for _ in 0..3 {
            assert!(next_frame().now_or_never().is_none());
            next_frame().await;
        }
        assert!(now().since(before) < 3 * UNSEEN_FRAME_MS + 1_000);
    }
}
