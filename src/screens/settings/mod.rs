//! Settings: this till, its data, its connection, its version.

pub mod about;
pub mod data;
pub mod state;
pub mod sync;
pub mod till;

use leptos::prelude::*;

use self::about::About;
use self::data::DataCard;
use self::sync::SyncCard;
use self::till::TillCard;
use crate::components::header::Header;

/// The screen for whoever looks after the till.
#[component]
pub fn SettingsScreen() -> impl IntoView {
    view! {
        <section class="c-settings">
            <Header title="Settings" />
            <div class="c-settings__cards">
                <TillCard />
                <SyncCard />
                <DataCard />
                <About />
            </div>
        </section>
    }
}
