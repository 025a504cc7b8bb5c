//! The grid of product keys.

use leptos::prelude::*;

use crate::components::product_card::ProductCard;
use crate::context::{CurrentCart, TillSettings};
use crate::domain::catalog::Product;

/// The products, each a key that adds one piece to the cart.
#[component]
pub fn Grid(
    /// What is for sale.
    products: Signal<Vec<Product>>,
) -> impl IntoView {
    view! {
        <div class="c-catalog__grid">
            <For each=move || products.get() key=Clone::clone let:product>
                <Key product />
            </For>
        </div>
    }
}

#[component]
fn Key(
    /// What it sells.
    product: Product,
) -> impl IntoView {
    let (cart, settings) = (CurrentCart::expect(), TillSettings::expect());
    let (id, amount) = (product.id.clone(), product.price);
    let quantity = Signal::derive(move || cart.0.with(|cart| cart.quantity_of(&id)));
    let price = Signal::derive(move || settings.format(amount));
    view! {
        <ProductCard
            testid=format!("product-{}", product.id)
            name=product.name.clone()
            price
            picture=product.picture.clone()
            quantity
            on_add=Callback::new(move |()| {
                cart.change(|cart| cart.add(&product));
            })
        />
    }
}
