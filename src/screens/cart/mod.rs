//! The cart: always open beside the catalog where there is room, else a sheet behind a bar.

pub mod line;
pub mod panel;

use leptos::prelude::*;

use self::panel::Panel;
use crate::components::icon::{Glyph, Icon};
use crate::components::sheet::Sheet;
use crate::components::toast::Toast;
use crate::context::{CurrentCart, Device, Messages, TillSettings};

/// The cart in the form that fits the screen.
#[component]
pub fn CartScreen() -> impl IntoView {
    let wide = Device::expect().wide;
    move || {
        if wide.get() {
            view! { <aside class="c-cart" aria-label="Cart"><Panel /></aside> }.into_any()
        } else {
            view! { <BarAndSheet /> }.into_any()
        }
    }
}

/// The bar at the foot of a phone's screen, and the sheet it opens.
#[component]
fn BarAndSheet() -> impl IntoView {
    let (cart, settings) = (CurrentCart::expect().0, TillSettings::expect());
    let messages = Messages::expect();
    let open = RwSignal::new(false);
    let pieces = Memo::new(move |_| cart.with(|cart| cart.pieces()));
    let total = move || settings.format(cart.with(|cart| cart.totals(settings.tax()).total));
    let title = Signal::derive(move || count_text(pieces.get()));
    view! {
        <Show when=move || { pieces.get() > 0 }>
            <div class="c-cart-bar">
                <button
                    type="button"
                    class="c-button c-button--primary c-cart-bar__button"
                    data-testid="cart-bar"
                    on:click=move |_| open.set(true)
                >
                    <Icon glyph=Glyph::Bag />
                    <span>{title}</span>
                    <span class="c-cart-bar__total">{total}</span>
                </button>
            </div>
        </Show>
        <Sheet testid="cart-sheet" title open on_close=Callback::new(move |()| open.set(false))>
            <Panel />
            // What lies behind an open sheet cannot be reached, so its messages are on it.
            <Toast message=messages.0 />
        </Sheet>
    }
}

/// Says how many pieces there are.
fn count_text(pieces: u32) -> String {
    match pieces {
        0 => "Nothing yet".to_owned(),
        1 => "1 item".to_owned(),
        pieces => format!("{pieces} items"),
    }
}
