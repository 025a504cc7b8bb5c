//! Where this till's data stands.

use leptos::prelude::*;

use crate::app_store::AppStore;
use crate::components::card::Card;
use crate::context::Device;
use crate::domain::sync_status::{Network, SyncStatus};

/// Connection, waiting changes, last time in step, and what needs a look.
#[component]
pub fn SyncCard() -> impl IntoView {
    let status = AppStore::expect().sync_status();
    let device = Device::expect();
    let last = move || {
        let moment = status.with(|status| status.last_synced.clone());
        moment.map_or_else(|| "Not yet".to_owned(), |moment| (device.date_and_time_of)(&moment))
    };
    view! {
        <Card title="Sync">
            <p class="c-card__text">{move || status.with(explain)}</p>
            <dl class="c-facts">
                <dt>"Waiting to be sent"</dt>
                <dd data-testid="sync-pending">{move || status.with(|status| status.pending)}</dd>
                <dt>"Needs a look"</dt>
                <dd data-testid="sync-problems">{move || status.with(|status| status.problems)}</dd>
                <dt>"Last in step"</dt>
                <dd>{last}</dd>
            </dl>
        </Card>
    }
}

/// Says in a sentence what the connection means for the shop.
const fn explain(status: &SyncStatus) -> &'static str {
    match status.network {
        Network::Connecting => "Reaching for the server. Selling works meanwhile.",
        Network::Online => "Connected. Every change is shared with the other tills at once.",
        Network::Offline => {
            "Offline. Selling goes on, and changes are sent when the network is back."
        }
        Network::Unauthorized => {
            "The server does not accept this till's key. Selling goes on, and changes are kept here."
        }
        Network::Local => "This till works alone. Everything stays on this device.",
    }
}
