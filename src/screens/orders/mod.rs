//! Orders by day, live from every till. Where there is room, the chosen one stands beside them.

pub mod day_list;
pub mod state;

use core::mem::discriminant;

use leptos::prelude::*;
use leptos_router::components::A;
use leptos_router::hooks::use_params_map;

use self::day_list::DayList;
use self::state::{Shown, show};
use crate::app_store::AppStore;
use crate::components::button::Button;
use crate::components::empty_state::EmptyState;
use crate::components::header::Header;
use crate::components::notice::Notice;
use crate::components::skeleton::{Shape, Skeleton};
use crate::context::Device;

/// How many more orders are shown at a time.
const PAGE: usize = 50;

/// The list of orders, and a place for one of them.
#[component]
pub fn OrdersScreen(
    /// The order that the path names, when it names one.
    children: ChildrenFn,
) -> impl IntoView {
    let (device, params) = (Device::expect(), use_params_map());
    // The list stays as it is while one order after the other is chosen.
    let is_one_chosen = Memo::new(move |_| params.with(|params| params.get("id").is_some()));
    let limit = RwSignal::new(PAGE);
    let orders = AppStore::expect().orders();
    let shown = Memo::new(move |_| orders.with(|load| show(load, limit.get(), device.day_of)));
    // The face changes seldom, the orders on it often: only the latter reach the list.
    let face = Memo::new(move |_| shown.with(discriminant));
    let days = Signal::derive(move || shown.with(Shown::days));
    let more = Memo::new(move |_| shown.with(Shown::more));
    let body = move || match face.with(|_| shown.get_untracked()) {
        Shown::Loading => view! { <Skeleton shape=Shape::Rows /> }.into_any(),
        Shown::Failed(error) => view! { <Notice text=error.to_string() /> }.into_any(),
        Shown::NoOrders => view! { <NoOrders /> }.into_any(),
        Shown::Days { .. } => view! {
            <DayList days />
            <Show when=move || { more.get() > 0 }>
                <Button on_press=Callback::new(move |()| limit.update(|limit| *limit += PAGE))>
                    {move || format!("Show {} more", more.get().min(PAGE))}
                </Button>
            </Show>
        }
        .into_any(),
    };
    view! {
        <div class="c-orders">
            <section class="c-orders__list">
                <Header title="Orders" />
                {body}
            </section>
            <div class="c-orders__one">
                <Show when=move || is_one_chosen.get() fallback=NoOrderChosen>
                    {children()}
                </Show>
            </div>
        </div>
    }
}

#[component]
fn NoOrders() -> impl IntoView {
    view! {
        <EmptyState
            picture="/products/espresso.svg"
            title="No orders yet"
            text="Orders of all tills appear here as they are taken, also while offline."
        >
            <A href="/" {..} class="c-button c-button--primary">"Take an order"</A>
        </EmptyState>
    }
}

/// Stands beside the list until an order is chosen.
#[component]
fn NoOrderChosen() -> impl IntoView {
    view! {
        <div class="c-orders__hint">
            <EmptyState title="No order chosen" text="Choose one to see its receipt." />
        </div>
    }
}
