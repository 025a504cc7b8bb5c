//! The number keys of a till.

use leptos::prelude::*;

use super::icon::{Glyph, Icon};
use crate::domain::cash::Key;

/// Twelve keys for an amount of money.
#[component]
pub fn KeyPad(
    /// Hears each key.
    on_key: Callback<Key>,
) -> impl IntoView {
    let digits = (1..=9).map(|digit| (Key::Digit(digit), digit.to_string()));
    let last = [(Key::DoubleZero, "00".to_owned()), (Key::Digit(0), "0".to_owned())];
    let keys: Vec<_> = digits
        .chain(last)
        .map(|(key, text)| {
            view! {
                <button type="button" class="c-key-pad__key" on:click=move |_| on_key.run(key)>
                    {text}
                </button>
            }
        })
        .collect();
    view! {
        <div class="c-key-pad" role="group" aria-label="Cash received">
            {keys}
            <button
                type="button"
                class="c-key-pad__key"
                aria-label="Delete the last digit"
                on:click=move |_| on_key.run(Key::Back)
            >
                <Icon glyph=Glyph::Backspace />
            </button>
        </div>
    }
}
