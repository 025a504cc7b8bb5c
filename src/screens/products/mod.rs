//! Products: what the shop sells, to be added, changed and taken away.

pub mod editor;
pub mod list;
pub mod picture_choice;
pub mod state;

use core::mem::discriminant;

use leptos::prelude::*;

use self::editor::Editor;
use self::list::ProductList;
use self::state::Editing;
use crate::app_store::AppStore;
use crate::app_store::load::Load;
use crate::components::button::{Button, Weight};
use crate::components::empty_state::EmptyState;
use crate::components::header::Header;
use crate::components::icon::{Glyph, Icon};
use crate::components::notice::Notice;
use crate::components::sheet::Sheet;
use crate::components::skeleton::{Shape, Skeleton};
use crate::domain::catalog::Product;

/// The list of products, and the sheet in which one is edited.
#[component]
pub fn ProductsScreen() -> impl IntoView {
    let editing = RwSignal::new(None::<Editing>);
    let products = AppStore::expect().products();
    let face = Memo::new(move |_| products.with(|load| (discriminant(load), is_empty(load))));
    let body = move || match face.with(|_| products.get_untracked()) {
        Load::Loading => view! { <Skeleton shape=Shape::Rows /> }.into_any(),
        Load::Failed(error) => view! { <Notice text=error.to_string() /> }.into_any(),
        Load::Ready(all) if all.is_empty() => view! {
            <EmptyState
                picture="/products/beans.svg"
                title="No products yet"
                text="Add the first one here, or load the demo products in the settings."
            />
        }
        .into_any(),
        Load::Ready(_) => {
            let all = move || products.with(|load| load.ready().cloned().unwrap_or_default());
            view! { <ProductList products=Signal::derive(all) editing /> }.into_any()
        }
    };
    view! {
        <section class="c-products">
            <Header title="Products">
                <Button
                    weight=Weight::Primary
                    testid="product-add"
                    on_press=Callback::new(move |()| editing.set(Some(Editing::New)))
                >
                    <Icon glyph=Glyph::Plus />
                    <span>"Add product"</span>
                </Button>
            </Header>
            {body}
            <EditorSheet editing />
        </section>
    }
}

#[component]
fn EditorSheet(
    /// What is being edited, if anything.
    editing: RwSignal<Option<Editing>>,
) -> impl IntoView {
    let close = Callback::new(move |()| editing.set(None));
    let title =
        move || editing.with(|editing| editing.as_ref().map_or("", Editing::title).to_owned());
    view! {
        <Sheet
            testid="product-sheet"
            title=Signal::derive(title)
            open=Signal::derive(move || editing.with(Option::is_some))
            on_close=close
        >
            {move || editing.get().map(|subject| view! { <Editor subject on_done=close /> })}
        </Sheet>
    }
}

fn is_empty(load: &Load<Vec<Product>>) -> bool {
    load.ready().is_none_or(Vec::is_empty)
}
