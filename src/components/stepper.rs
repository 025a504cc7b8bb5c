//! A quantity with one key to each side of it.

use leptos::prelude::*;

use super::button::IconButton;
use super::icon::Glyph;

/// Shows a quantity and changes it, by one or by typing.
#[component]
pub fn Stepper(
    /// What is counted, for those who cannot see it.
    #[prop(into)]
    what: String,
    /// How many there are.
    quantity: Signal<u32>,
    /// The largest number allowed.
    most: u32,
    /// Hears the number that is wanted instead, from 1 to `most`.
    on_change: Callback<u32>,
) -> impl IntoView {
    // The field goes back to the number that holds when what was typed is none.
    let typed = move |event: web_sys::Event| {
        let wanted = event_target_value(&event).trim().parse::<u32>().ok();
        let number = wanted.unwrap_or_else(|| quantity.get_untracked()).clamp(1, most);
        event_target::<web_sys::HtmlInputElement>(&event).set_value(&number.to_string());
        on_change.run(number);
    };
    view! {
        <div class="c-stepper" role="group" aria-label=format!("Quantity of {what}")>
            <IconButton
                label=format!("One {what} less")
                glyph=Glyph::Minus
                disabled=Signal::derive(move || quantity.get() <= 1)
                on_press=Callback::new(move |()| {
                    on_change.run(quantity.get_untracked().saturating_sub(1).max(1));
                })
            />
            <input
                class="c-stepper__number"
                aria-label=format!("How many {what}")
                inputmode="numeric"
                autocomplete="off"
                prop:value=move || quantity.get().to_string()
                on:change=typed
            />
            <IconButton
                label=format!("One {what} more")
                glyph=Glyph::Plus
                disabled=Signal::derive(move || quantity.get() >= most)
                on_press=Callback::new(move |()| on_change.run(quantity.get_untracked() + 1))
            />
        </div>
    }
}
