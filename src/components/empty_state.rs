//! What a screen shows when there is nothing to show.

use leptos::prelude::*;

/// A picture, a sentence, and room for what can be done.
#[component]
pub fn EmptyState(
    /// The picture.
    #[prop(default = "/products/none.svg")]
    picture: &'static str,
    /// What is the case.
    #[prop(into)]
    title: String,
    /// What that means, or what to do.
    #[prop(into)]
    text: String,
    /// Buttons, if something can be done at once.
    #[prop(optional)]
    children: Option<Children>,
) -> impl IntoView {
    view! {
        <div class="c-empty">
            <img class="c-empty__picture" src=picture alt="" />
            <h2 class="c-empty__title">{title}</h2>
            <p class="c-empty__text">{text}</p>
            {children.map(|children| view! { <div class="c-empty__actions">{children()}</div> })}
        </div>
    }
}
