//! A sheet over the page: from the bottom edge of a phone, in the middle of a larger screen.

use leptos::html;
use leptos::prelude::*;

use super::button::IconButton;
use super::icon::Glyph;

/// A modal sheet. The browser's `<dialog>` keeps the focus inside and gives it back afterwards.
#[component]
pub fn Sheet(
    /// The handle tests know it by.
    testid: &'static str,
    /// What the sheet is for; its heading.
    #[prop(into)]
    title: Signal<String>,
    /// Whether it is open.
    #[prop(into)]
    open: Signal<bool>,
    /// Hears that the user wants it closed.
    on_close: Callback<()>,
    /// What is on it, made anew each time it opens.
    children: ChildrenFn,
) -> impl IntoView {
    let dialog = NodeRef::<html::Dialog>::new();
    Effect::new(move |_| {
        let Some(dialog) = dialog.get() else {
            return;
        };
        match (open.get(), dialog.open()) {
            // Fails only for a dialog that has left the page, where there is nothing to show.
            (true, false) => drop(dialog.show_modal()),
            (false, true) => dialog.close(),
            (true, true) | (false, false) => {}
        }
    });
    // A press outside of the sheet lands on the dialog element itself.
    let pressed = move |event: web_sys::MouseEvent| {
        let outside = event.target() == event.current_target();
        if outside {
            on_close.run(());
        }
    };
    view! {
        <dialog
            node_ref=dialog
            class="c-sheet"
            data-testid=testid
            aria-label=title
            on:close=move |_| on_close.run(())
            on:mousedown=pressed
        >
            <Show when=move || open.get()>
                <div class="c-sheet__body">
                    <header class="c-sheet__header">
                        <h2 class="c-sheet__title">{title}</h2>
                        <IconButton label="Close" glyph=Glyph::Cross on_press=on_close />
                    </header>
                    {children()}
                </div>
            </Show>
        </dialog>
    }
}
