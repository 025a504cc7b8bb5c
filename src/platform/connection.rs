//! Whether the browser believes that there is a network.

use leptos::ev;
use leptos::prelude::{ReadSignal, Set, signal, window, window_event_listener};

/// Follows the browser's own view of its connection, for as long as the page lives.
///
/// It is a hint: `true` says only that some network is there.
#[must_use]
pub fn watch_connection() -> ReadSignal<bool> {
    let (online, set_online) = signal(window().navigator().on_line());
    let _lives_with_the_page = window_event_listener(ev::online, move |_| set_online.set(true));
    let _lives_with_the_page = window_event_listener(ev::offline, move |_| set_online.set(false));
    online
}
