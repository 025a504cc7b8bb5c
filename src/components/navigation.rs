//! The way between screens: a bar of tabs on a phone, a rail on anything larger.

use leptos::prelude::*;
use leptos_router::components::A;

use super::icon::{Glyph, Icon};

/// One destination.
#[derive(Clone, Copy)]
pub struct Destination {
    /// Where it leads.
    pub path: &'static str,
    /// What it is called.
    pub label: &'static str,
    /// Its icon.
    pub glyph: Glyph,
}

/// The list of destinations. The one the user is at is marked with `aria-current`.
#[component]
pub fn Navigation(
    /// Where one can go.
    destinations: &'static [Destination],
    /// The path of a destination that has news, if any.
    #[prop(into)]
    news: Signal<Option<&'static str>>,
) -> impl IntoView {
    let entries: Vec<_> = destinations
        .iter()
        .map(|entry| {
            let path = entry.path;
            view! {
                <A href=path exact=path == "/" {..} class="c-nav__entry">
                    <span class="c-nav__icon">
                        <Icon glyph=entry.glyph />
                        <Show when=move || news.get() == Some(path)>
                            <span class="c-nav__news" role="img" aria-label="has news"></span>
                        </Show>
                    </span>
                    <span class="c-nav__label">{entry.label}</span>
                </A>
            }
        })
        .collect();
    view! {
        <nav class="c-nav" aria-label="Screens">
            <img class="c-nav__brand" src="/icons/icon.svg" alt="" />
            {entries}
        </nav>
    }
}
