//! The page: how much room there is, and loading it anew.

use leptos::logging::warn;
use leptos::prelude::{ReadSignal, Set, signal, window};
use wasm_bindgen::JsCast as _;
use wasm_bindgen::closure::Closure;
use web_sys::MediaQueryList;

/// From this width on the cart stands beside the catalog. The styles use the same number.
const WIDE: &str = "(min-width: 900px)";

/// Follows whether the screen is wide enough for two panes, for as long as the page lives.
#[must_use]
pub fn watch_wide() -> ReadSignal<bool> {
    let query = window().match_media(WIDE).ok().flatten();
    let (wide, set_wide) = signal(query.as_ref().is_some_and(MediaQueryList::matches));
    if let Some(query) = query {
        let list = query.clone();
        let changed = Closure::<dyn FnMut()>::new(move || set_wide.set(list.matches()));
        query.set_onchange(Some(changed.as_ref().unchecked_ref()));
        changed.forget();
    }
    wide
}

/// Loads the page anew.
pub fn reload() {
    if let Err(error) = window().location().reload() {
        warn!("the page could not be loaded anew: {error:?}");
    }
}
