//! A short message at the foot of the page, which goes away by itself.

use leptos::prelude::*;

/// What happened, with at most one thing to do about it.
#[derive(Clone)]
pub struct Message {
    /// What happened.
    pub text: String,
    /// What can be done: the word on the button, and what it does.
    pub action: Option<(&'static str, Callback<()>)>,
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
                    {action.map(|(word, action)| view! { <Act word action message /> })}
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
    /// What is written on the button.
    word: &'static str,
    /// What it does.
    action: Callback<()>,
    /// The message it belongs to.
    message: RwSignal<Option<Message>>,
) -> impl IntoView {
    let act = move |_| {
        message.set(None);
        action.run(());
    };
    view! {
        <button type="button" class="c-toast__action" on:click=act>
            {word}
        </button>
    }
}
