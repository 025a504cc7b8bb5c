//! Demo products in, local data out.

use leptos::prelude::*;
use leptos::task::spawn_local;

use crate::app_store::error::AppError;
use crate::app_store::{AppStore, Clear};
use crate::components::button::{Button, Weight};
use crate::components::card::Card;
use crate::components::sheet::Sheet;
use crate::context::Messages;
use crate::domain::sync_status::Network;

/// What can be done to the data on this device.
#[component]
pub fn DataCard() -> impl IntoView {
    let (store, messages) = (AppStore::expect(), Messages::expect());
    let asking = RwSignal::new(false);
    let load = Callback::new(move |()| {
        spawn_local(async move {
            match store.load_demo_products().await {
                Ok(count) => messages.say(format!("{count} demo products loaded")),
                Err(error) => messages.say(error.to_string()),
            }
        });
    });
    view! {
        <Card title="Data on this device">
            <p class="c-card__text">
                "Demo products fill an empty shop. Clearing removes products and orders from this device; the server keeps its copy."
            </p>
            <div class="c-card__actions">
                <Button testid="load-demo" on_press=load>"Load demo products"</Button>
                <Button
                    weight=Weight::Grave
                    testid="clear-data"
                    on_press=Callback::new(move |()| asking.set(true))
                >
                    "Clear local data"
                </Button>
            </div>
            <Sheet
                testid="clear-sheet"
                title="Clear local data?"
                open=asking
                on_close=Callback::new(move |()| asking.set(false))
            >
                <ClearQuestion asking />
            </Sheet>
        </Card>
    }
}

/// Asks once, and once more with the number when unsent changes would be lost.
#[component]
fn ClearQuestion(
    /// Whether the question stands.
    asking: RwSignal<bool>,
) -> impl IntoView {
    let (store, messages) = (AppStore::expect(), Messages::expect());
    let refused = RwSignal::new(None::<AppError>);
    let clear = Callback::new(move |()| {
        // Only who was told how many changes would be lost may lose them.
        let was_told =
            |error: &Option<AppError>| matches!(error, Some(AppError::ChangesWaiting { .. }));
        let how =
            if refused.with_untracked(was_told) { Clear::Anyway } else { Clear::WhenNothingWaits };
        spawn_local(async move {
            match store.clear_local_data(how).await {
                Ok(()) => {
                    asking.set(false);
                    messages.say("Local data cleared");
                }
                Err(error) => refused.set(Some(error)),
            }
        });
    });
    let status = store.sync_status();
    let is_online = move || status.with(|status| status.network == Network::Online);
    let text = move || match refused.get() {
        None if is_online() => "Products and orders are removed from this device.".to_owned(),
        None => "Products and orders are removed from this device. It cannot be filled again \
                 before it is connected."
            .to_owned(),
        Some(error @ AppError::ChangesWaiting { .. }) => {
            format!("{error}. Connect first to keep them.")
        }
        Some(error) => error.to_string(),
    };
    let word = move || match refused.get() {
        Some(AppError::ChangesWaiting { .. }) => "Clear anyway",
        Some(_) => "Try again",
        None => "Clear",
    };
    view! {
        <p class="c-card__text" role="status" data-testid="clear-text">{text}</p>
        <div class="c-card__actions">
            <Button on_press=Callback::new(move |()| asking.set(false))>"Keep"</Button>
            <Button weight=Weight::Grave testid="clear-confirm" on_press=clear>
                {word}
            </Button>
        </div>
    }
}
