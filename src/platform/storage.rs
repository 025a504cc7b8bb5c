//! Small things that belong to this device alone: settings and the open cart.

use leptos::logging::warn;
use leptos::prelude::window;
use serde::Serialize;
use serde::de::DeserializeOwned;
use web_sys::Storage;

/// Reads a value. One that is missing or unreadable gives the default: the till must open.
#[must_use]
pub fn read<T: DeserializeOwned + Default>(key: &str) -> T {
    let Some(text) = local_storage().and_then(|storage| storage.get_item(key).ok().flatten())
    else {
        return T::default();
    };
    serde_json::from_str(&text).unwrap_or_else(|error| {
        warn!("{key} on this device is unreadable and starts afresh: {error}");
        T::default()
    })
}

/// Writes a value. Where the browser refuses, the value lives as long as the page does.
pub fn write<T: Serialize>(key: &str, value: &T) {
    let written = serde_json::to_string(value)
        .ok()
        .zip(local_storage())
        .is_some_and(|(text, storage)| storage.set_item(key, &text).is_ok());
    if !written {
        warn!("{key} could not be kept on this device");
    }
}

fn local_storage() -> Option<Storage> {
    window().local_storage().ok().flatten()
}
