//! The receipt of one order: on screen, and on paper.

pub mod paper;
pub mod state;

use leptos::prelude::*;
use leptos_router::components::A;
use leptos_router::hooks::{use_location, use_params_map};

use self::paper::Paper;
use self::state::{Change, change_of};
use crate::app_store::AppStore;
use crate::app_store::load::Load;
use crate::components::button::Button;
use crate::components::empty_state::EmptyState;
use crate::components::icon::{Glyph, Icon};
use crate::components::notice::Notice;
use crate::components::skeleton::{Shape, Skeleton};
use crate::context::{Device, TillSettings};
use crate::domain::receipt::{OrderId, OrderWithLines};

/// The order named in the path. Straight after a sale it says first what change is due.
#[component]
pub fn ReceiptScreen() -> impl IntoView {
    let (store, params) = (AppStore::expect(), use_params_map());
    let order = Memo::new(move |_| {
        let id = params.with(|params| params.get("id")).unwrap_or_default();
        store.order(OrderId(id)).get()
    });
    let body = move || match order.get() {
        Load::Loading => view! { <Skeleton shape=Shape::Rows /> }.into_any(),
        Load::Failed(error) => view! { <Notice text=error.to_string() /> }.into_any(),
        Load::Ready(None) => view! { <Unknown /> }.into_any(),
        Load::Ready(Some(order)) => view! { <Found order /> }.into_any(),
    };
    view! { <article class="c-receipt">{body}</article> }
}

/// An order this device does not know.
#[component]
fn Unknown() -> impl IntoView {
    view! {
        <EmptyState
            title="This order is not here"
            text="It may not have reached this till yet, or it was cleared from it."
        >
            <A href="/orders" {..} class="c-button">"All orders"</A>
        </EmptyState>
    }
}

#[component]
fn Found(
    /// The order.
    order: OrderWithLines,
) -> impl IntoView {
    let (device, query) = (Device::expect(), use_location().query);
    let total = order.totals.total;
    let received = query.with_untracked(|query| query.get("received"));
    let just_taken = received.is_some();
    let change = received.and_then(|received| change_of(&received, total));
    let print = device.print;
    let next_weight = if just_taken { "c-button c-button--primary" } else { "c-button" };
    view! {
        <div class="c-receipt__actions">
            <A href="/orders" {..} class="c-header__back" aria-label="All orders">
                <Icon glyph=Glyph::Back />
            </A>
            <Button on_press=Callback::new(move |()| print())>
                <Icon glyph=Glyph::Printer />
                <span>"Print"</span>
            </Button>
            <A href="/" {..} class=next_weight data-testid="new-order">"New order"</A>
        </div>
        {change.map(|change| view! { <ChangeDue change /> })}
        <Paper order change />
    }
}

/// What goes back over the counter, large enough to read from the other side.
#[component]
fn ChangeDue(
    /// What was received and what goes back.
    change: Change,
) -> impl IntoView {
    let settings = TillSettings::expect();
    view! {
        <div class="c-change" role="status">
            <span class="c-change__label">"Change due"</span>
            <span class="c-change__amount" data-testid="receipt-change">
                {move || settings.format(change.due)}
            </span>
            <span class="c-change__label">
                {move || format!("from {}", settings.format(change.received))}
            </span>
        </div>
    }
}
