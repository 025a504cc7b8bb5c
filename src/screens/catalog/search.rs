//! The search field above the grid.

use leptos::prelude::*;

use crate::components::icon::{Glyph, Icon};

/// Narrows the catalog while the user types.
#[component]
pub fn SearchField(
    /// What is searched for.
    text: RwSignal<String>,
) -> impl IntoView {
    view! {
        <label class="c-search">
            <Icon glyph=Glyph::Search />
            <input
                class="c-search__input"
                type="search"
                aria-label="Search products"
                placeholder="Search"
                autocomplete="off"
                enterkeyhint="search"
                prop:value=text
                on:input:target=move |event| text.set(event.target().value())
            />
        </label>
    }
}
