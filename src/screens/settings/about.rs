//! The version, and the next one.

use leptos::prelude::*;

use crate::components::button::{Button, Weight};
use crate::components::card::Card;
use crate::context::Device;

/// What is installed, and a new version when one waits.
#[component]
pub fn About() -> impl IntoView {
    let device = Device::expect();
    let install = device.install_update;
    view! {
        <Card title="About">
            <dl class="c-facts">
                <dt>"Espressync point of sale"</dt>
                <dd>{env!("CARGO_PKG_VERSION")}</dd>
            </dl>
            <Show
                when=move || device.update_ready.get()
                fallback=|| view! { <p class="c-card__text">"This version is kept on the device and opens without a network."</p> }
            >
                <p class="c-card__text">
                    "A new version is on this device. Installing it takes a second; finish the open order first."
                </p>
                <div class="c-card__actions">
                    <Button
                        weight=Weight::Primary
                        testid="install-update"
                        on_press=Callback::new(move |()| install())
                    >
                        "Install update"
                    </Button>
                </div>
            </Show>
        </Card>
    }
}
