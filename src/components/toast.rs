//! A short message at the foot of the page, which goes away by itself.

use std::sync::Arc;

use leptos::prelude::*;

/// What happened, with at most one thing to do about it.
#[derive(Clone)]
pub struct Message {
    /// What happened.
    pub text: String,
    /// What can be done.
    pub action: Option<Action>,
}

/// Something that can be done about a message.
#[derive(Clone)]
pub struct Action {
    /// The word on its button.
    pub word: &'static str,
    /// What it does. Shared rather than a `Callback`, because a message often outlives the part of
    /// the page it comes from.
    pub run: Arc<dyn Fn() + Send + Sync>,
}

/// The place of messages. It is always on the page, so that what appears there is announced.
#[component]
pub fn Toast(
    /// The message of the moment. Emptied when its button is pressed.
    message: RwSignal<Option<Message>>,
) -> impl IntoView {
    let shown = move || {
        message.get().map(|Message { text, action }| {
            view! {
                <div class="c-toast">
                    <span class="c-toast__text">{text}</span>
                    {action.map(|action| view! { <Act action message /> })}
                </div>
            }
        })
    };
    view! {
        <div class="c-toast-place" role="status" aria-live="polite">
            {shown}
        </div>
    }
}

#[component]
fn Act(
    /// What can be done.
    action: Action,
    /// The message it belongs to.
    message: RwSignal<Option<Message>>,
) -> impl IntoView {
    let Action { word, run } = action;
    let act = move |_| {
        message.set(None);
        run();
    };
    view! {
        <button type="button" class="c-toast__action" on:click=act>
            {word}
        </button>
    }
}
