//! Helps with cash: likely notes, a key pad, and the change.

use leptos::prelude::*;

use crate::components::key_pad::KeyPad;
use crate::context::TillSettings;
use crate::domain::cash::{CashEntry, Tender, likely_amounts};
use crate::domain::money::Money;

/// What was handed over, and what goes back.
#[component]
pub fn CashHelper(
    /// What is owed.
    total: Signal<Money>,
    /// What was handed over so far.
    entry: RwSignal<CashEntry>,
) -> impl IntoView {
    let settings = TillSettings::expect();
    let received = move || {
        let amount = entry.get().received();
        amount.map_or_else(|| "–".to_owned(), |amount| settings.format(amount))
    };
    let change = move || match entry.get().against(total.get()) {
        Tender::Change(amount) => settings.format(amount),
        Tender::Exact | Tender::Short(_) => "–".to_owned(),
    };
    let due = move || matches!(entry.get().against(total.get()), Tender::Change(_));
    view! {
        <div class="c-cash">
            <dl class="c-cash__display">
                <div class="c-cash__amount">
                    <dt>"Cash received"</dt>
                    <dd data-testid="cash-received">{received}</dd>
                </div>
                <div class="c-cash__amount" class=("c-cash__amount--due", due)>
                    <dt>"Change due"</dt>
                    <dd data-testid="change-due">{change}</dd>
                </div>
            </dl>
            <Offers total entry />
            <KeyPad on_key=Callback::new(move |key| {
                entry.update(|entry| *entry = entry.press(key));
            }) />
        </div>
    }
}

/// The exact amount and the notes customers are likely to pay with.
#[component]
fn Offers(
    /// What is owed.
    total: Signal<Money>,
    /// What was handed over so far.
    entry: RwSignal<CashEntry>,
) -> impl IntoView {
    let settings = TillSettings::expect();
    let offer = move |amount: Money, text: String| {
        let chosen = move || entry.get().received() == Some(amount);
        view! {
            <button
                type="button"
                class="c-cash__offer"
                aria-pressed=move || chosen().to_string()
                on:click=move |_| entry.set(CashEntry::of(amount))
            >
                {text}
            </button>
        }
    };
    let offers = move || {
        let exact = offer(total.get(), "Exact".to_owned());
        let likely = likely_amounts(total.get(), settings.currency());
        let notes = likely.into_iter().map(|amount| offer(amount, settings.format(amount)));
        std::iter::once(exact).chain(notes).collect::<Vec<_>>()
    };
    view! { <div class="c-cash__offers" role="group" aria-label="Likely amounts">{offers}</div> }
}
