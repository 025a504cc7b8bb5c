//! What every screen can reach without being handed it: newtypes, provided once in `app`.

use std::sync::Arc;

use leptos::prelude::{RwSignal, Set, Signal, Update, With, expect_context};

use crate::components::toast::{Action, Message};
use crate::domain::cart::Cart;
use crate::domain::currency::Currency;
use crate::domain::day::Day;
use crate::domain::money::Money;
use crate::domain::receipt::Moment;
use crate::domain::settings::Settings;
use crate::domain::tax::TaxRate;

/// The order being taken, and what names it.
#[derive(Clone, Copy)]
pub struct CurrentCart(pub RwSignal<Cart>, pub fn() -> String);

impl CurrentCart {
    /// Gives the cart of this till.
    #[must_use]
    pub fn expect() -> Self {
        expect_context()
    }

    /// Changes the cart. With its first line it gets the identity of the order it becomes.
    pub fn change<T>(self, change: impl FnOnce(&mut Cart) -> T) -> Option<T> {
        let mut result = None;
        self.0.update(|cart| {
            result = Some(change(cart));
            cart.name_order(self.1);
        });
        result
    }
}

/// This till's settings.
#[derive(Clone, Copy)]
pub struct TillSettings(pub RwSignal<Settings>);

impl TillSettings {
    /// Gives the settings of this till.
    #[must_use]
    pub fn expect() -> Self {
        expect_context()
    }

    /// Gives the currency amounts are in, and follows it.
    #[must_use]
    pub fn currency(self) -> &'static Currency {
        self.0.with(Settings::currency)
    }

    /// Gives the tax rate, and follows it.
    #[must_use]
    pub fn tax(self) -> TaxRate {
        self.0.with(|settings| settings.tax)
    }

    /// Writes an amount in the till's currency, and follows it.
    #[must_use]
    pub fn format(self, amount: Money) -> String {
        amount.format(self.currency())
    }
}

/// The message shown at the moment, if any.
#[derive(Clone, Copy)]
pub struct Messages(pub RwSignal<Option<Message>>);

impl Messages {
    /// Gives the place messages go to.
    #[must_use]
    pub fn expect() -> Self {
        expect_context()
    }

    /// Says what happened.
    pub fn say(self, text: impl Into<String>) {
        self.0.set(Some(Message { text: text.into(), action: None }));
    }

    /// Says what happened and offers one thing to do about it.
    pub fn offer(
        self,
        text: impl Into<String>,
        word: &'static str,
        action: impl Fn() + Send + Sync + 'static,
    ) {
        let action = Some(Action { word, run: Arc::new(action) });
        self.0.set(Some(Message { text: text.into(), action }));
    }
}

/// What the device can do, as functions, so that screens need no browser.
#[derive(Clone, Copy)]
pub struct Device {
    /// Whether there is room for two panes.
    pub wide: Signal<bool>,
    /// Whether a new version of the app waits to be installed.
    pub update_ready: Signal<bool>,
    /// Installs it and loads the page again.
    pub install_update: fn(),
    /// Opens the print dialog.
    pub print: fn(),
    /// Writes a text in small letters.
    pub lower_case: fn(&str) -> String,
    /// Gives the day a moment belongs to.
    pub day_of: fn(&Moment) -> Day,
    /// Gives the time of day.
    pub time_of: fn(&Moment) -> String,
    /// Gives date and time in short.
    pub date_and_time_of: fn(&Moment) -> String,
}

impl Device {
    /// Gives the device the till runs on.
    #[must_use]
    pub fn expect() -> Self {
        expect_context()
    }
}
