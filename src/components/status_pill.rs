//! How the till stands with the server: a few quiet words.

use leptos::prelude::*;

use crate::domain::sync_status::{SyncStatus, Tone};

const fn class(tone: Tone) -> &'static str {
    match tone {
        Tone::Settled => "c-pill c-pill--settled",
        Tone::Busy => "c-pill c-pill--busy",
        Tone::Apart => "c-pill c-pill--apart",
        Tone::Attention => "c-pill c-pill--attention",
    }
}

/// The pill. It is announced politely when it changes and never asks for anything.
#[component]
pub fn StatusPill(
    /// How things stand.
    status: Signal<SyncStatus>,
) -> impl IntoView {
    view! {
        <div
            class=move || class(status.with(SyncStatus::tone))
            role="status"
            aria-live="polite"
            data-testid="sync-status"
            data-network=move || status.with(|status| status.network.word())
            data-pending=move || status.with(|status| status.pending.to_string())
        >
            <span class="c-pill__dot" aria-hidden="true"></span>
            {move || status.with(SyncStatus::label)}
        </div>
    }
}
