//! A product's picture on its tile.

use leptos::prelude::*;

/// Shown where a product has no picture, or its picture cannot be had offline.
const NOTHING: &str = "/products/none.svg";

/// A picture. It repeats what the words beside it say, so it has no text of its own.
#[component]
pub fn Picture(
    /// Where it is, if there is one.
    address: Option<String>,
) -> impl IntoView {
    let missing = RwSignal::new(false);
    let source = move || match &address {
        Some(address) if !missing.get() => address.clone(),
        Some(_) | None => NOTHING.to_owned(),
    };
    view! {
        <span class="c-picture">
            <img
                class="c-picture__image"
                src=source
                alt=""
                loading="lazy"
                decoding="async"
                draggable="false"
                on:error=move |_| missing.set(true)
            />
        </span>
    }
}
