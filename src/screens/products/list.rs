//! The products as rows.

use leptos::prelude::*;

use super::state::Editing;
use crate::components::button::IconButton;
use crate::components::icon::Glyph;
use crate::components::picture::Picture;
use crate::context::TillSettings;
use crate::domain::catalog::Product;

/// All products, in the order of the shelves.
#[component]
pub fn ProductList(
    /// What there is.
    products: Signal<Vec<Product>>,
    /// Where the choice to edit one goes.
    editing: RwSignal<Option<Editing>>,
) -> impl IntoView {
    view! {
        <ul class="c-products__list">
            <For each=move || products.get() key=Clone::clone let:product>
                <Row product editing />
            </For>
        </ul>
    }
}

#[component]
fn Row(
    /// The product.
    product: Product,
    /// Where the choice to edit it goes.
    editing: RwSignal<Option<Editing>>,
) -> impl IntoView {
    let settings = TillSettings::expect();
    let price = product.price;
    let edit = {
        let product = product.clone();
        Callback::new(move |()| editing.set(Some(Editing::Existing(product.clone()))))
    };
    view! {
        <li class="c-product-row">
            <Picture address=product.picture />
            <span class="c-product-row__name">{product.name.clone()}</span>
            <span class="c-product-row__sku">{product.sku}</span>
            <span class="c-product-row__price">{move || settings.format(price)}</span>
            <IconButton
                label=format!("Edit {}", product.name)
                glyph=Glyph::Pen
                testid=format!("product-edit-{}", product.id)
                on_press=edit
            />
        </li>
    }
}
