//! Subtotal, tax and total, one under the other.

use leptos::prelude::*;

/// The sums of an order, written out.
#[component]
pub fn TotalsTable(
    /// The sum of the lines.
    subtotal: Signal<String>,
    /// What the tax is called: `Tax 8 %`.
    tax_label: Signal<String>,
    /// The tax.
    tax: Signal<String>,
    /// What is to be paid.
    total: Signal<String>,
    /// The handle tests know the total by.
    #[prop(optional)]
    testid: Option<&'static str>,
) -> impl IntoView {
    view! {
        <dl class="c-totals">
            <dt>"Subtotal"</dt>
            <dd>{subtotal}</dd>
            <dt>{tax_label}</dt>
            <dd>{tax}</dd>
            <dt class="c-totals__total">"Total"</dt>
            <dd class="c-totals__total" data-testid=testid>{total}</dd>
        </dl>
    }
}
