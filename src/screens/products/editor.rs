//! The form of one product.

use leptos::prelude::*;
use leptos::task::spawn_local;

use super::picture_choice::PictureChoice;
use super::state::{Editing, Form};
use crate::app_store::AppStore;
use crate::components::button::{Button, Weight};
use crate::components::field::Field;
use crate::components::notice::Notice;
use crate::context::{Messages, TillSettings};
use crate::domain::catalog::{Product, ProductDraft};

/// Name, price, stock number and picture, checked when the user saves.
#[component]
pub fn Editor(
    /// What is edited.
    subject: Editing,
    /// Hears that the form is done with.
    on_done: Callback<()>,
) -> impl IntoView {
    let (store, messages) = (AppStore::expect(), Messages::expect());
    let currency = TillSettings::expect().0.with_untracked(|settings| settings.currency());
    let form = RwSignal::new(Form::of(&subject, currency));
    let failure = RwSignal::new(None::<String>);
    let id = subject.id().unwrap_or_else(|| store.new_product_id());
    let existing = match subject {
        Editing::New => None,
        Editing::Existing(product) => Some(product),
    };
    let busy = RwSignal::new(false);
    let shown = existing.clone();
    let save = Callback::new(move |()| {
        if busy.get_untracked() {
            return;
        }
        let Some(fields) = form.try_update(|form| form.submit(currency)).flatten() else {
            return;
        };
        busy.set(true);
        let (id, shown, name) = (id.clone(), shown.clone(), fields.name.clone());
        spawn_local(async move {
            match store.save_product(id, shown, fields).await {
                Ok(()) => {
                    messages.say(format!("{name} saved"));
                    // The form may be gone by now.
                    on_done.try_run(());
                }
                Err(error) => {
                    failure.try_set(Some(error.to_string()));
                }
            }
            busy.try_set(false);
        });
    });
    view! {
        <form
            class="c-editor"
            on:submit=move |event| {
                event.prevent_default();
                save.run(());
            }
        >
            <Fields form />
            <Show when=move || failure.with(Option::is_some)>
                <Notice text=Signal::derive(move || failure.get().unwrap_or_default()) />
            </Show>
            <div class="c-editor__actions">
                {existing.map(|product| view! { <Delete product on_done /> })}
                <button type="submit" class="c-button c-button--primary" data-testid="product-save">
                    "Save"
                </button>
            </div>
        </form>
    }
}

#[component]
fn Fields(
    /// The form's memory.
    form: RwSignal<Form>,
) -> impl IntoView {
    let currency = TillSettings::expect().0.with_untracked(|settings| settings.currency());
    let edit = move |change: fn(&mut ProductDraft, String)| {
        Callback::new(move |text: String| {
            form.update(|form| form.edit(currency, |draft| change(draft, text)));
        })
    };
    let read = move |field: fn(&ProductDraft) -> &String| {
        Signal::derive(move || form.with(|form| field(&form.draft).clone()))
    };
    let choose = Callback::new(move |picture| {
        form.update(|form| form.edit(currency, |draft| draft.picture = picture));
    });
    view! {
        <Field
            name="name"
            label="Name"
            value=read(|draft| &draft.name)
            error=Signal::derive(move || form.with(|form| form.errors.name.clone()))
            on_input=edit(|draft, text| draft.name = text)
        />
        <Field
            name="price"
            label="Price"
            hint="Before tax"
            keyboard="decimal"
            value=read(|draft| &draft.price)
            error=Signal::derive(move || {
                form.with(|form| form.errors.price.map(|error| error.to_string()))
            })
            on_input=edit(|draft, text| draft.price = text)
        />
        <Field
            name="sku"
            label="Stock number"
            hint="Optional"
            value=read(|draft| &draft.sku)
            error=Signal::derive(move || form.with(|form| form.errors.sku.clone()))
            on_input=edit(|draft, text| draft.sku = text)
        />
        <PictureChoice
            chosen=Signal::derive(move || form.with(|form| form.draft.picture.clone()))
            on_choose=choose
        />
    }
}

/// Deletes the product, after asking once.
#[component]
fn Delete(
    /// What would be deleted.
    product: Product,
    /// Hears that the form is done with.
    on_done: Callback<()>,
) -> impl IntoView {
    let (store, messages) = (AppStore::expect(), Messages::expect());
    let asked = RwSignal::new(false);
    let delete = Callback::new(move |()| {
        if !asked.get_untracked() {
            asked.set(true);
            return;
        }
        let (id, name) = (product.id.clone(), product.name.clone());
        spawn_local(async move {
            match store.delete_product(id).await {
                Ok(()) => messages.say(format!("{name} deleted")),
                Err(error) => messages.say(error.to_string()),
            }
            on_done.try_run(());
        });
    });
    let words = move || if asked.get() { "Really delete?" } else { "Delete" };
    view! {
        <Button weight=Weight::Grave testid="product-delete" on_press=delete>
            {words}
        </Button>
    }
}
