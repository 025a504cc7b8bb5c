//! Something went wrong, said calmly and where it matters.

use leptos::prelude::*;

use super::icon::{Glyph, Icon};

/// A line that says what is the matter.
#[component]
pub fn Notice(
    /// What is the matter.
    #[prop(into)]
    text: Signal<String>,
) -> impl IntoView {
    view! {
        <div class="c-notice" role="alert">
            <Icon glyph=Glyph::Alert />
            <p class="c-notice__text">{text}</p>
        </div>
    }
}
