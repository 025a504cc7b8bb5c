//! What the cart shows, wherever it is shown.

use leptos::prelude::*;
use leptos_router::hooks::use_navigate;

use super::count_text;
use super::line::Line;
use crate::components::button::{Button, Weight};
use crate::components::empty_state::EmptyState;
use crate::components::totals::TotalsTable;
use crate::context::{CurrentCart, Messages, TillSettings};

/// Lines, sums and the way to pay.
#[component]
pub fn Panel() -> impl IntoView {
    let (cart, messages) = (CurrentCart::expect(), Messages::expect());
    let empty = Memo::new(move |_| cart.0.with(|cart| cart.is_empty()));
    let clear = Callback::new(move |()| {
        let before = cart.change(|cart| cart.clear()).unwrap_or_default();
        messages.offer("Cart emptied", "Undo", move || cart.0.set(before.clone()));
    });
    let products = move || {
        cart.0.with(|cart| cart.lines().iter().map(|line| line.product.clone()).collect::<Vec<_>>())
    };
    view! {
        <div class="c-cart__header">
            <h2 class="c-cart__title">{move || count_text(cart.0.with(|cart| cart.pieces()))}</h2>
            <Show when=move || !empty.get()>
                <Button weight=Weight::Quiet on_press=clear>"Clear"</Button>
            </Show>
        </div>
        <Show when=move || !empty.get() fallback=Empty>
            <ul class="c-cart__lines">
                <For each=products key=Clone::clone let:product>
                    <Line product />
                </For>
            </ul>
        </Show>
        <Foot />
    }
}

#[component]
fn Empty() -> impl IntoView {
    view! { <EmptyState title="A fresh order" text="Tap a product to add it." /> }
}

/// The sums and the one primary action.
#[component]
fn Foot() -> impl IntoView {
    let (cart, settings) = (CurrentCart::expect().0, TillSettings::expect());
    let totals = Memo::new(move |_| cart.with(|cart| cart.totals(settings.tax())));
    let empty = Signal::derive(move || cart.with(|cart| cart.is_empty()));
    let navigate = use_navigate();
    let pay =
        Callback::new(move |()| navigate("/checkout", leptos_router::NavigateOptions::default()));
    let total = Signal::derive(move || settings.format(totals.get().total));
    view! {
        <footer class="c-cart__foot">
            <TotalsTable
                subtotal=Signal::derive(move || settings.format(totals.get().subtotal))
                tax_label=Signal::derive(move || format!("Tax {} %", settings.tax().percent()))
                tax=Signal::derive(move || settings.format(totals.get().tax))
                total
            />
            <Button
                weight=Weight::Primary
                testid="checkout-button"
                disabled=empty
                on_press=pay
            >
                <span>"Checkout"</span>
                <span class="c-button__amount">{total}</span>
            </Button>
        </footer>
    }
}
