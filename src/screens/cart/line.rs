//! One product in the cart.

use leptos::prelude::*;

use crate::components::button::IconButton;
use crate::components::icon::Glyph;
use crate::components::picture::Picture;
use crate::components::stepper::Stepper;
use crate::context::{CurrentCart, Messages, TillSettings};
use crate::domain::cart::{CartLine, MAX_QUANTITY};
use crate::domain::catalog::ProductId;

/// Picture, name, quantity and sum of one line. It lives as long as its product is in the cart.
#[component]
pub fn Line(
    /// Which product.
    product: ProductId,
) -> impl IntoView {
    let (cart, settings, messages) =
        (CurrentCart::expect(), TillSettings::expect(), Messages::expect());
    let line = {
        let product = product.clone();
        Memo::new(move |_| cart.0.with(|cart| cart.line(&product).cloned()))
    };
    let CartLine { name, picture, price, .. } = line.get_untracked()?;
    let quantity =
        Signal::derive(move || line.with(|line| line.as_ref().map_or(1, |line| line.quantity)));
    let total = move || settings.format(price.times(quantity.get()));
    let testid = format!("cart-line-{product}");
    let change = {
        let product = product.clone();
        Callback::new(move |quantity| {
            cart.change(|cart| cart.set_quantity(&product, quantity));
        })
    };
    let remove = Callback::new(move |()| {
        if let Some(removed) = cart.change(|cart| cart.remove(&product)).flatten() {
            let text = format!("{} removed", removed.name());
            messages.offer(text, "Undo", move || {
                cart.change(|cart| cart.restore(removed.clone()));
            });
        }
    });
    Some(view! {
        <li class="c-cart-line" data-testid=testid>
            <Picture address=picture />
            <div class="c-cart-line__words">
                <span class="c-cart-line__name">{name.clone()}</span>
                <span class="c-cart-line__price">{move || settings.format(price)}</span>
            </div>
            <IconButton label=format!("Remove {name}") glyph=Glyph::Cross on_press=remove />
            <Stepper what=name quantity most=MAX_QUANTITY on_change=change />
            <span class="c-cart-line__total">{total}</span>
        </li>
    })
}
