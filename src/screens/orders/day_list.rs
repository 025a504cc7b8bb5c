//! The orders, one group per day.

use leptos::prelude::*;
use leptos_router::components::A;

use crate::context::{Device, TillSettings};
use crate::domain::day::DayOfOrders;
use crate::domain::receipt::OrderSummary;

/// All days that are shown, newest first.
#[component]
pub fn DayList(
    /// The days.
    days: Signal<Vec<DayOfOrders>>,
) -> impl IntoView {
    view! {
        <For each=move || days.get() key=|day| day.day.clone() let:first>
            <OneDay first days />
        </For>
    }
}

/// One day. New orders join it without the others being drawn again.
#[component]
fn OneDay(
    /// The day as it was when it came up.
    first: DayOfOrders,
    /// All days as they are now.
    days: Signal<Vec<DayOfOrders>>,
) -> impl IntoView {
    let settings = TillSettings::expect();
    let day = first.day.clone();
    let now = Memo::new(move |_| {
        days.with(|days| days.iter().find(|now| now.day.key == first.day.key).cloned())
            .unwrap_or_else(|| first.clone())
    });
    let count = move || match now.with(|now| now.count) {
        1 => "1 order".to_owned(),
        count => format!("{count} orders"),
    };
    view! {
        <section class="c-day" data-testid=format!("day-{}", day.key)>
            <header class="c-day__header">
                <h2 class="c-day__label">{day.label}</h2>
                <span class="c-day__count">{count}</span>
                <span class="c-day__total">{move || settings.format(now.with(|now| now.total))}</span>
            </header>
            <ul class="c-day__orders">
                <For each=move || now.with(|now| now.orders.clone()) key=Clone::clone let:order>
                    <Row order />
                </For>
            </ul>
        </section>
    }
}

#[component]
fn Row(
    /// The order.
    order: OrderSummary,
) -> impl IntoView {
    let (settings, device) = (TillSettings::expect(), Device::expect());
    let testid = format!("order-{}", order.id);
    let total = order.total;
    view! {
        <li>
            <A
                href=format!("/orders/{}", order.id)
                {..}
                class="c-order-row"
                data-testid=testid
            >
                <span class="c-order-row__time">{(device.time_of)(&order.taken)}</span>
                <span class="c-order-row__title">{order.title}</span>
                <span class="c-order-row__number">{format!("#{}", order.id.number())}</span>
                <span class="c-order-row__total">{move || settings.format(total)}</span>
            </A>
        </li>
    }
}
