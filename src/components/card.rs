//! A titled group on a page.

use leptos::prelude::*;

/// A group with a heading.
#[component]
pub fn Card(
    /// Its heading.
    title: &'static str,
    /// What is in it.
    children: Children,
) -> impl IntoView {
    view! {
        <section class="c-card">
            <h2 class="c-card__title">{title}</h2>
            {children()}
        </section>
    }
}
