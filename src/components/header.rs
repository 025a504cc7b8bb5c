//! The top of a screen.

use leptos::prelude::*;

/// The screen's name and what belongs beside it.
#[component]
pub fn Header(
    /// The screen's name.
    #[prop(into)]
    title: Signal<String>,
    /// What stands beside the name.
    #[prop(optional)]
    children: Option<Children>,
) -> impl IntoView {
    view! {
        <header class="c-header">
            <h1 class="c-header__title">{title}</h1>
            {children.map(|children| children())}
        </header>
    }
}
