//! Name, tax and currency of this till. Stored at once.

use leptos::prelude::*;

use super::state::TillForm;
use crate::components::card::Card;
use crate::components::choice::Choice;
use crate::components::field::Field;
use crate::context::{CurrentCart, TillSettings};
use crate::domain::currency::CURRENCIES;

/// The settings that change how orders are taken.
#[component]
pub fn TillCard() -> impl IntoView {
    let (settings, cart) = (TillSettings::expect().0, CurrentCart::expect().0);
    let form = RwSignal::new(settings.with_untracked(TillForm::of));
    let edit = move |change: fn(&mut TillForm, String)| {
        Callback::new(move |text: String| {
            form.update(|form| change(form, text));
            settings.update(|settings| form.with_untracked(|form| form.apply(settings)));
        })
    };
    let currencies = CURRENCIES
        .iter()
        .map(|entry| (entry.code.to_owned(), format!("{} ({})", entry.name, entry.code)))
        .collect();
    view! {
        <Card title="This till">
            <Field
                name="till-name"
                label="Till name"
                hint="Shown on screen and on receipts"
                value=Signal::derive(move || form.with(|form| form.name.clone()))
                error=Signal::derive(move || form.with(TillForm::name_error))
                on_input=edit(|form, text| form.name = text)
            />
            <Field
                name="tax-rate"
                label="Tax rate in percent"
                hint="Applied once to each order"
                keyboard="decimal"
                value=Signal::derive(move || form.with(|form| form.tax.clone()))
                error=Signal::derive(move || form.with(TillForm::tax_error))
                on_input=edit(|form, text| form.tax = text)
            />
            <Choice
                name="currency"
                label="Currency"
                options=currencies
                hint="How prices are read; to be changed while the cart is empty"
                disabled=Signal::derive(move || cart.with(|cart| !cart.is_empty()))
                value=Signal::derive(move || settings.with(|settings| settings.currency.clone()))
                on_change=Callback::new(move |code| {
                    settings.update(|settings| settings.currency = code);
                })
            />
        </Card>
    }
}
