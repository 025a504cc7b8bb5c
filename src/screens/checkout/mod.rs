//! Checkout: what is owed, what was handed over, and the one key that takes the order.

pub mod cash;
pub mod state;

use leptos::prelude::*;
use leptos::task::spawn_local;
use leptos_router::NavigateOptions;
use leptos_router::components::A;
use leptos_router::hooks::use_navigate;

use self::cash::CashHelper;
use self::state::{Payment, receipt_path};
use crate::app_store::AppStore;
use crate::components::button::{Button, Weight};
use crate::components::empty_state::EmptyState;
use crate::components::header::Header;
use crate::components::icon::{Glyph, Icon};
use crate::components::notice::Notice;
use crate::components::totals::TotalsTable;
use crate::context::{CurrentCart, TillSettings};
use crate::domain::cart::Totals;
use crate::domain::cash::CashEntry;

/// The screen between cart and receipt.
#[component]
pub fn CheckoutScreen() -> impl IntoView {
    let cart = CurrentCart::expect().0;
    let empty = Memo::new(move |_| cart.with(|cart| cart.is_empty()));
    view! {
        <section class="c-checkout">
            <Header title="Checkout">
                <A href="/" {..} class="c-header__back" aria-label="Back to the cart">
                    <Icon glyph=Glyph::Back />
                </A>
            </Header>
            <Show when=move || !empty.get() fallback=NothingToPay>
                <Till />
            </Show>
        </section>
    }
}

#[component]
fn NothingToPay() -> impl IntoView {
    view! {
        <EmptyState title="Nothing to pay" text="The cart is empty.">
            <A href="/" {..} class="c-button c-button--primary">"Take an order"</A>
        </EmptyState>
    }
}

/// Sums, cash and the key.
#[component]
fn Till() -> impl IntoView {
    let (cart, settings) = (CurrentCart::expect().0, TillSettings::expect());
    let totals = Memo::new(move |_| cart.with(|cart| cart.totals(settings.tax())));
    let entry = RwSignal::new(CashEntry::default());
    let error = RwSignal::new(None::<String>);
    view! {
        <div class="c-checkout__panes">
            <div class="c-checkout__bill">
                <Bill totals />
            </div>
            <div class="c-checkout__cash">
                <CashHelper total=Signal::derive(move || totals.get().total) entry />
                <Show when=move || error.with(Option::is_some)>
                    <Notice text=Signal::derive(move || error.get().unwrap_or_default()) />
                </Show>
                <PayButton totals entry error />
            </div>
        </div>
    }
}

/// The lines and sums of what is about to be paid.
#[component]
fn Bill(
    /// The sums.
    totals: Memo<Totals>,
) -> impl IntoView {
    let (cart, settings) = (CurrentCart::expect().0, TillSettings::expect());
    let lines = move || {
        let row = |line: &crate::domain::cart::CartLine| {
            view! {
                <li class="c-bill__line">
                    <span class="c-bill__count">{line.quantity}</span>
                    <span class="c-bill__name">{line.name.clone()}</span>
                    <span class="c-bill__amount">{settings.format(line.total())}</span>
                </li>
            }
        };
        cart.with(|cart| cart.lines().iter().map(row).collect::<Vec<_>>())
    };
    view! {
        <ul class="c-bill">{lines}</ul>
        <TotalsTable
            subtotal=Signal::derive(move || settings.format(totals.get().subtotal))
            tax_label=Signal::derive(move || format!("Tax {} %", settings.tax().percent()))
            tax=Signal::derive(move || settings.format(totals.get().tax))
            total=Signal::derive(move || settings.format(totals.get().total))
            testid="checkout-total"
        />
    }
}

/// Takes the order. It can be pressed once; what was sold leaves the cart only when the
/// order is stored.
#[component]
fn PayButton(
    /// What is owed.
    totals: Memo<Totals>,
    /// What was handed over.
    entry: RwSignal<CashEntry>,
    /// Where a failure is told.
    error: RwSignal<Option<String>>,
) -> impl IntoView {
    let (store, cart, settings) =
        (AppStore::expect(), CurrentCart::expect(), TillSettings::expect());
    let busy = RwSignal::new(false);
    let payment = move || Payment::of(entry.get(), totals.get().total);
    let navigate = use_navigate();
    let pay = Callback::new(move |()| {
        if busy.get_untracked() {
            return;
        }
        busy.set(true);
        let (paid, sums) = (cart.0.get_untracked(), totals.get_untracked());
        let received = entry.get_untracked().received();
        let navigate = navigate.clone();
        spawn_local(async move {
            match store.checkout(paid, sums).await {
                Ok(order) => {
                    navigate(&receipt_path(&order.id, received), NavigateOptions::default());
                    cart.change(|cart| cart.take_sold(&order.id, &order.lines));
                }
                Err(failure) => error.set(Some(failure.to_string())),
            }
            busy.set(false);
        });
    });
    let words = move || match payment() {
        Payment::Missing(amount) => format!("{} missing", settings.format(amount)),
        Payment::Enough => "Take payment".to_owned(),
    };
    let out_of_use = move || busy.get() || payment() != Payment::Enough;
    view! {
        <Button
            weight=Weight::Primary
            testid="pay-button"
            disabled=Signal::derive(out_of_use)
            on_press=pay
        >
            <span>{words}</span>
            <span class="c-button__amount">
                {move || settings.format(totals.get().total)}
            </span>
        </Button>
    }
}
