//! Time and the network's events in a real browser.

#![cfg(target_arch = "wasm32")]
#![allow(clippy::unwrap_used, reason = "tests")]

use espressync_browser::{BrowserClock, Connectivity};
use espressync_client::Clock;
use futures::{FutureExt, StreamExt};
use wasm_bindgen_test::{wasm_bindgen_test, wasm_bindgen_test_configure};
use web_sys::{Event, EventTarget};

wasm_bindgen_test_configure!(run_in_browser);

#[wasm_bindgen_test]
async fn a_sleep_ends_at_its_deadline() {
    let clock = BrowserClock;
    let deadline = clock.now() + 50;
    clock.sleep_until(deadline).await;
    assert!(clock.now() >= deadline);
    assert!(clock.now().since(deadline) < 2_000);
    assert!(clock.sleep_until(deadline).now_or_never().is_some());
}

#[wasm_bindgen_test]
fn a_sleep_of_months_does_not_end_at_once() {
    let clock = BrowserClock;
    let deadline = clock.now() + 100 * 24 * 60 * 60 * 1_000;
    assert!(clock.sleep_until(deadline).now_or_never().is_none());
}

#[wasm_bindgen_test]
async fn the_networks_events_and_a_look_at_the_page_are_told() {
    let window = web_sys::window().unwrap();
    let document = window.document().unwrap();
    let mut watch = Connectivity::watch();
    assert_eq!(watch.next().await, Some(true));
    assert!(watch.next().now_or_never().is_none());
    let targets: [(&EventTarget, &str); 3] =
        [(&window, "online"), (&window, "offline"), (&document, "visibilitychange")];
    for (target, name) in targets {
        target.dispatch_event(&Event::new(name).unwrap()).unwrap();
        // The browser is online all along; an event only says that it is worth asking.
        assert_eq!(watch.next().now_or_never(), Some(Some(true)), "{name}");
    }
    drop(watch);
    window.dispatch_event(&Event::new("online").unwrap()).unwrap();
}
