//! Buttons: one look for each weight, at least 48 px high.

use leptos::prelude::*;

use super::icon::{Glyph, Icon};

/// How much a button asks for attention.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Weight {
    /// The one primary action of a screen.
    Primary,
    /// Any other action.
    #[default]
    Plain,
    /// An action in passing.
    Quiet,
    /// Something that takes data away.
    Grave,
}

impl Weight {
    const fn class(self) -> &'static str {
        match self {
            Self::Primary => "c-button c-button--primary",
            Self::Plain => "c-button",
            Self::Quiet => "c-button c-button--quiet",
            Self::Grave => "c-button c-button--grave",
        }
    }
}

/// A button with words on it.
#[component]
pub fn Button(
    /// How much it asks for attention.
    #[prop(optional)]
    weight: Weight,
    /// Whether it is out of use.
    #[prop(optional, into)]
    disabled: Signal<bool>,
    /// The handle tests know it by.
    #[prop(optional)]
    testid: Option<&'static str>,
    /// What happens when it is pressed.
    on_press: Callback<()>,
    /// What is written on it.
    children: Children,
) -> impl IntoView {
    view! {
        <button
            type="button"
            class=weight.class()
            disabled=disabled
            data-testid=testid
            on:click=move |_| on_press.run(())
        >
            {children()}
        </button>
    }
}

/// A square button with an icon, named for those who cannot see it.
#[component]
pub fn IconButton(
    /// What it does, in words.
    #[prop(into)]
    label: Signal<String>,
    /// Its icon.
    glyph: Glyph,
    /// Whether it is out of use.
    #[prop(optional, into)]
    disabled: Signal<bool>,
    /// The handle tests know it by.
    #[prop(optional, into)]
    testid: Option<String>,
    /// What happens when it is pressed.
    on_press: Callback<()>,
) -> impl IntoView {
    view! {
        <button
            type="button"
            class="c-icon-button"
            aria-label=label
            title=label
            disabled=disabled
            data-testid=testid
            on:click=move |_| on_press.run(())
        >
            <Icon glyph />
        </button>
    }
}
