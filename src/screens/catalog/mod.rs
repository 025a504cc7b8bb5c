//! The catalog: every product as a key of the till.

pub mod grid;
pub mod search;
pub mod state;

use core::mem::discriminant;

use leptos::prelude::*;
use leptos::task::spawn_local;
use leptos_router::components::A;

use self::grid::Grid;
use self::search::SearchField;
use self::state::{Shown, show};
use crate::app_store::AppStore;
use crate::components::button::{Button, Weight};
use crate::components::empty_state::EmptyState;
use crate::components::header::Header;
use crate::components::notice::Notice;
use crate::components::skeleton::{Shape, Skeleton};
use crate::context::{Device, Messages, TillSettings};

/// The screen a till opens with.
#[component]
pub fn CatalogScreen() -> impl IntoView {
    let (settings, device) = (TillSettings::expect(), Device::expect());
    let search = RwSignal::new(String::new());
    let products = AppStore::expect().products();
    let shown = Memo::new(move |_| {
        products.with(|load| search.with(|text| show(load, text, device.lower_case)))
    });
    // The face changes seldom, the products on it often: only the latter reach the grid.
    let face = Memo::new(move |_| shown.with(discriminant));
    let searchable = Memo::new(move |_| shown.with(Shown::is_searchable));
    let body = move || match face.with(|_| shown.get_untracked()) {
        Shown::Loading => view! { <Skeleton shape=Shape::Tiles /> }.into_any(),
        Shown::Failed(error) => view! { <Notice text=error.to_string() /> }.into_any(),
        Shown::NoProducts => view! { <NoProducts /> }.into_any(),
        Shown::NoMatch => view! {
            <EmptyState title="Nothing found" text="No product has these words in its name." />
        }
        .into_any(),
        Shown::Products(_) => {
            let products = Signal::derive(move || shown.with(Shown::products));
            view! { <Grid products /> }.into_any()
        }
    };
    view! {
        <section class="c-catalog">
            <div class="c-catalog__top">
                <Header title=Signal::derive(move || {
                    settings.0.with(|all| all.till_name.clone())
                }) />
                <Show when=move || searchable.get()>
                    <SearchField text=search />
                </Show>
            </div>
            {body}
        </section>
    }
}

/// The first thing a new shop sees.
#[component]
fn NoProducts() -> impl IntoView {
    let (store, messages) = (AppStore::expect(), Messages::expect());
    let load = Callback::new(move |()| {
        spawn_local(async move {
            match store.load_demo_products().await {
                Ok(count) => messages.say(format!("{count} products loaded")),
                Err(error) => messages.say(error.to_string()),
            }
        });
    });
    view! {
        <EmptyState
            picture="/products/flat-white.svg"
            title="A shop with empty shelves"
            text="Load sixteen demo products to try the till, or add your own."
        >
            <Button weight=Weight::Primary on_press=load>"Load demo products"</Button>
            <A href="/products" {..} class="c-button">"Add your own"</A>
        </EmptyState>
    }
}
