//! A labelled input with room for a hint or for what is wrong.

use leptos::prelude::*;

/// A line of text with its label above and its message below.
#[component]
pub fn Field(
    /// The field's name, unique on its page.
    name: &'static str,
    /// What the user reads above it.
    label: &'static str,
    /// What helps while nothing is wrong.
    #[prop(optional)]
    hint: &'static str,
    /// The keyboard a phone shows.
    #[prop(default = "text")]
    keyboard: &'static str,
    /// What stands in it.
    #[prop(into)]
    value: Signal<String>,
    /// What is wrong with it, if anything.
    #[prop(optional, into)]
    error: Signal<Option<String>>,
    /// Hears every change.
    on_input: Callback<String>,
) -> impl IntoView {
    let wrong = move || error.with(Option::is_some);
    let message_id = format!("{name}-message");
    view! {
        <div class="c-field" class=("c-field--wrong", wrong)>
            <label class="c-field__label" for=name>{label}</label>
            <input
                class="c-field__input"
                id=name
                name=name
                inputmode=keyboard
                autocomplete="off"
                aria-invalid=move || wrong().to_string()
                aria-describedby=message_id.clone()
                prop:value=value
                on:input:target=move |event| on_input.run(event.target().value())
            />
            <p class="c-field__message" id=message_id>
                {move || error.get().unwrap_or_else(|| hint.to_owned())}
            </p>
        </div>
    }
}
