use std::pin::Pin;
use std::task::{Context, Poll};

use futures::channel::mpsc;
use futures::{Stream, StreamExt};
use web_sys::VisibilityState;

use crate::listener::Listener;
use crate::scope;

/// Whether the browser thinks there is a network: at once, at every change, and whenever the page
/// is looked at again, which is the moment to try anew whatever it thinks.
///
/// `true` promises little: a cable without a network behind it counts. Never ends.
#[derive(Debug)]
pub struct Connectivity {
    news: mpsc::UnboundedReceiver<bool>,
    _listeners: Vec<Listener>,
}

impl Connectivity {
    /// Begins to watch.
    #[must_use]
    pub fn watch() -> Self {
        let (sender, news) = mpsc::unbounded();
        let tell = move || {
            // Whoever drops the watch does not want to hear.
            let _ = sender.unbounded_send(scope::is_online());
        };
        tell();
        let mut listeners = Vec::new();
        if let Some(target) = scope::events() {
            for name in ["online", "offline"] {
                let tell = tell.clone();
                listeners.push(Listener::new(&target, name, move |_| tell()));
            }
        }
        if let Some(document) = scope::window().and_then(|window| window.document()) {
            let page = document.clone();
            let looked_at = move |_| {
                if page.visibility_state() == VisibilityState::Visible {
                    tell();
                }
            };
            listeners.push(Listener::new(&document, "visibilitychange", looked_at));
        }
        Self { news, _listeners: listeners }
    }
}

impl Stream for Connectivity {
    type Item = bool;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<bool>> {
        self.news.poll_next_unpin(context)
    }
}
