//! A product as a key of the till.

use leptos::prelude::*;

use super::picture::Picture;

/// A tile with picture, name and price. A tap anywhere on it adds one piece.
#[component]
pub fn ProductCard(
    /// The handle tests know it by.
    testid: String,
    /// What it is called.
    name: String,
    /// What one costs, written out.
    price: Signal<String>,
    /// Its picture.
    picture: Option<String>,
    /// How many are in the cart already.
    quantity: Signal<u32>,
    /// What happens when it is tapped.
    on_add: Callback<()>,
) -> impl IntoView {
    let label = {
        let name = name.clone();
        move || format!("Add {name}, {}", price.get())
    };
    let chosen = move || quantity.get() > 0;
    view! {
        <button
            type="button"
            class="c-product"
            class=("c-product--chosen", chosen)
            aria-label=label
            data-testid=testid
            on:click=move |_| on_add.run(())
        >
            <Picture address=picture />
            <span class="c-product__name">{name}</span>
            <span class="c-product__price">{price}</span>
            <Show when=chosen>
                <span class="c-product__count">{move || quantity.get()}</span>
            </Show>
        </button>
    }
}
