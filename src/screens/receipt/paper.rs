//! The slip itself, which is all that a printer gets.

use leptos::prelude::*;

use super::state::Change;
use crate::components::totals::TotalsTable;
use crate::context::{Device, TillSettings};
use crate::domain::receipt::{OrderWithLines, ReceiptLine};

/// Shop, number, lines, sums and thanks.
#[component]
pub fn Paper(
    /// The order.
    order: OrderWithLines,
    /// The cash, if the order was paid with it just now.
    change: Option<Change>,
) -> impl IntoView {
    let (settings, device) = (TillSettings::expect(), Device::expect());
    let totals = order.totals;
    let number = order.id.number();
    let taken = (device.date_and_time_of)(&order.taken);
    let lines: Vec<_> = order.lines.into_iter().map(|line| view! { <Line line /> }).collect();
    view! {
        <div class="c-paper">
            <header class="c-paper__head">
                <p class="c-paper__shop">{move || settings.0.with(|all| all.till_name.clone())}</p>
                <h2 class="c-paper__number">{format!("Order #{number}")}</h2>
                <p class="c-paper__time">{taken}</p>
            </header>
            <ul class="c-paper__lines">{lines}</ul>
            <TotalsTable
                subtotal=Signal::derive(move || settings.format(totals.subtotal))
                tax_label=Signal::stored("Tax".to_owned())
                tax=Signal::derive(move || settings.format(totals.tax))
                total=Signal::derive(move || settings.format(totals.total))
                testid="receipt-total"
            />
            {change.map(|change| view! { <Cash change /> })}
            <p class="c-paper__thanks">"Thank you, see you soon"</p>
        </div>
    }
}

#[component]
fn Line(
    /// The line.
    line: ReceiptLine,
) -> impl IntoView {
    let settings = TillSettings::expect();
    let ReceiptLine { name, quantity, price, total, .. } = line;
    let each = move || settings.format(price);
    view! {
        <li class="c-paper__line">
            <span class="c-paper__count">{format!("{quantity} ×")}</span>
            <span class="c-paper__name">{name}</span>
            <span class="c-paper__each">{(quantity > 1).then_some(each)}</span>
            <span class="c-paper__amount">{move || settings.format(total)}</span>
        </li>
    }
}

#[component]
fn Cash(
    /// The cash.
    change: Change,
) -> impl IntoView {
    let settings = TillSettings::expect();
    view! {
        <dl class="c-totals">
            <dt>"Cash"</dt>
            <dd>{move || settings.format(change.received)}</dd>
            <dt>"Change"</dt>
            <dd>{move || settings.format(change.due)}</dd>
        </dl>
    }
}
