//! The pictures that ship with the app, to choose one from.

use leptos::prelude::*;

use crate::components::picture::Picture;
use crate::domain::catalog::{PICTURES, picture_address};

/// A group of pictures, one of which may be chosen.
#[component]
pub fn PictureChoice(
    /// The address of the picture that is chosen.
    chosen: Signal<Option<String>>,
    /// Hears the address of the one that is wanted instead.
    on_choose: Callback<Option<String>>,
) -> impl IntoView {
    let entries: Vec<_> = PICTURES
        .iter()
        .map(|(name, label)| {
            let address = picture_address(name);
            let (shown, own) = (address.clone(), address.clone());
            view! {
                <label class="c-picture-choice__entry">
                    <input
                        class="c-picture-choice__input"
                        type="radio"
                        name="picture"
                        aria-label=*label
                        prop:checked=move || chosen.with(|chosen| chosen.as_ref() == Some(&own))
                        on:change=move |_| on_choose.run(Some(address.clone()))
                    />
                    <Picture address=Some(shown) />
                </label>
            }
        })
        .collect();
    view! {
        <fieldset class="c-picture-choice">
            <legend class="c-field__label">"Picture"</legend>
            <div class="c-picture-choice__entries">{entries}</div>
        </fieldset>
    }
}
