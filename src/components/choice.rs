//! A labelled list to choose one entry from.

use leptos::prelude::*;

/// A drop-down list.
#[component]
pub fn Choice(
    /// The field's name, unique on its page.
    name: &'static str,
    /// What the user reads above it.
    label: &'static str,
    /// The entries: what is stored, and what is read.
    options: Vec<(String, String)>,
    /// The entry that holds.
    #[prop(into)]
    value: Signal<String>,
    /// What the user reads below it.
    hint: &'static str,
    /// Whether another entry may not be chosen now.
    #[prop(into)]
    disabled: Signal<bool>,
    /// Hears the entry that is wanted instead.
    on_change: Callback<String>,
) -> impl IntoView {
    let options: Vec<_> = options
        .into_iter()
        .map(|(code, text)| {
            let chosen = code.clone();
            view! {
                <option value=code selected=move || value.get() == chosen>
                    {text}
                </option>
            }
        })
        .collect();
    view! {
        <div class="c-field">
            <label class="c-field__label" for=name>{label}</label>
            <select
                class="c-field__input c-field__input--list"
                id=name
                name=name
                disabled=move || disabled.get()
                on:change:target=move |event| on_change.run(event.target().value())
            >
                {options}
            </select>
            <p class="c-field__message">{hint}</p>
        </div>
    }
}
