//! Wiring: contexts, routes, and the frame around the screens. No rules live here.

mod engine;

use core::time::Duration;

use leptos::prelude::*;
use leptos_router::components::{FlatRoutes, Route, Router};
use leptos_router::path;

use crate::app_store::{AppStore, Host};
use crate::components::empty_state::EmptyState;
use crate::components::icon::Glyph;
use crate::components::navigation::{Destination, Navigation};
use crate::components::status_pill::StatusPill;
use crate::components::toast::{Message, Toast};
use crate::context::{CurrentCart, Device, Messages, TillSettings};
use crate::domain::cart::Cart;
use crate::domain::settings::Settings;
use crate::platform::{clock, identity, printer, screen, service_worker, storage, text};
use crate::screens::cart::CartScreen;
use crate::screens::catalog::CatalogScreen;
use crate::screens::checkout::CheckoutScreen;
use crate::screens::orders::OrdersScreen;
use crate::screens::products::ProductsScreen;
use crate::screens::receipt::ReceiptScreen;
use crate::screens::settings::SettingsScreen;

const SETTINGS_KEY: &str = "espressync.settings";
const CART_KEY: &str = "espressync.cart";

/// How long a message stays that can be acted on.
const UNDO_STAYS: Duration = Duration::from_secs(6);

/// How long a message stays that only says something.
const NEWS_STAYS: Duration = Duration::from_secs(3);

static DESTINATIONS: &[Destination] = &[
    Destination { path: "/", label: "Sell", glyph: Glyph::Cup },
    Destination { path: "/orders", label: "Orders", glyph: Glyph::Receipt },
    Destination { path: "/products", label: "Products", glyph: Glyph::Tag },
    Destination { path: "/settings", label: "Settings", glyph: Glyph::Sliders },
];

/// The point of sale.
#[component]
pub fn App() -> impl IntoView {
    provide_till();
    provide_device();
    let store = provide_store();
    let (device, messages) = (Device::expect(), Messages::expect());
    let_messages_go(messages.0);
    let news = move || device.update_ready.get().then_some("/settings");
    view! {
        <Router>
            <div class="c-shell">
                <Navigation destinations=DESTINATIONS news=Signal::derive(news) />
                <main class="c-shell__main">
                    <Screens />
                </main>
                <div class="c-shell__status">
                    <StatusPill status=store.sync_status() />
                </div>
                <Toast message=messages.0 />
            </div>
        </Router>
    }
}

#[component]
fn Screens() -> impl IntoView {
    view! {
        <FlatRoutes fallback=NotFound>
            <Route path=path!("/") view=Sell />
            <Route path=path!("/checkout") view=CheckoutScreen />
            <Route path=path!("/orders/:id?") view=Orders />
            <Route path=path!("/products") view=ProductsScreen />
            <Route path=path!("/settings") view=SettingsScreen />
        </FlatRoutes>
    }
}

/// Catalog and cart, side by side or one above the other.
#[component]
fn Sell() -> impl IntoView {
    view! {
        <div class="c-sell">
            <CatalogScreen />
            <CartScreen />
        </div>
    }
}

/// The list of orders, and the receipt of the one that the path names.
#[component]
fn Orders() -> impl IntoView {
    view! {
        <OrdersScreen>
            <ReceiptScreen />
        </OrdersScreen>
    }
}

#[component]
fn NotFound() -> impl IntoView {
    view! {
        <EmptyState title="There is nothing here" text="The address leads to no screen of this till.">
            <a href="/" class="c-button c-button--primary">"Back to selling"</a>
        </EmptyState>
    }
}

/// Takes each message away when it has been there long enough.
fn let_messages_go(messages: RwSignal<Option<Message>>) {
    Effect::new(move |timer: Option<Option<TimeoutHandle>>| {
        if let Some(timer) = timer.flatten() {
            timer.clear();
        }
        let stays = messages.with(|message| message.as_ref().map(stays))?;
        // Without a timer the message simply stays.
        set_timeout_with_handle(move || messages.set(None), stays).ok()
    });
}

const fn stays(message: &Message) -> Duration {
    if message.action.is_some() { UNDO_STAYS } else { NEWS_STAYS }
}

/// Cart and settings, read from the device and written back whenever they change.
fn provide_till() {
    let settings = RwSignal::new(storage::read::<Settings>(SETTINGS_KEY));
    let mut cart: Cart = storage::read(CART_KEY);
    cart.name_order(identity::new_id);
    let cart = RwSignal::new(cart);
    Effect::new(move |_| settings.with(|settings| storage::write(SETTINGS_KEY, settings)));
    Effect::new(move |_| cart.with(|cart| storage::write(CART_KEY, cart)));
    provide_context(TillSettings(settings));
    provide_context(CurrentCart(cart, identity::new_id));
    provide_context(Messages(RwSignal::new(None)));
}

fn provide_device() {
    provide_context(Device {
        wide: screen::watch_wide().into(),
        update_ready: service_worker::register().into(),
        install_update: service_worker::install_update,
        print: printer::print,
        lower_case: text::lower_case,
        day_of: clock::day_of,
        time_of: clock::time_of,
        date_and_time_of: clock::date_and_time_of,
    });
}

fn provide_store() -> AppStore {
    let settings = TillSettings::expect();
    let host = Host {
        now: clock::now,
        moment_of: clock::moment_of,
        new_id: identity::new_id,
        currency: Signal::derive(move || settings.currency()),
    };
    let store = AppStore::open(host, engine::open());
    provide_context(store);
    store
}
