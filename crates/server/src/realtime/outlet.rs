use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use axum::extract::ws::{CloseFrame, Message, WebSocket};
use futures::SinkExt;
use futures::stream::SplitSink;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::RealtimeLimits;
use crate::metrics::Metrics;

/// How many messages may leave in one go.
const TOGETHER: usize = 64;

/// The way out of one socket. Whoever has something to say never waits: it is queued, and a client
/// that does not take what waits for it is cut off, so that it holds up nobody.
#[derive(Debug)]
pub(super) struct Outlet {
    queue: UnboundedSender<Message>,
    state: Arc<State>,
}

#[derive(Debug)]
struct State {
    waiting: AtomicUsize,
    most: usize,
    is_cut: AtomicBool,
    ended: CancellationToken,
    metrics: Arc<Metrics>,
}

/// The other end, which [`drain`](Queue::drain) empties into the socket.
#[derive(Debug)]
pub(super) struct Queue {
    messages: UnboundedReceiver<Message>,
    state: Arc<State>,
    stall: Duration,
}

impl Outlet {
    pub(super) fn open(limits: &RealtimeLimits, metrics: Arc<Metrics>) -> (Arc<Self>, Queue) {
        let (queue, messages) = unbounded_channel();
        let state = Arc::new(State {
            waiting: AtomicUsize::new(0),
            most: limits.waiting_bytes,
            is_cut: AtomicBool::new(false),
            ended: CancellationToken::new(),
            metrics,
        });
        let outlet = Self { queue, state: Arc::clone(&state) };
        (Arc::new(outlet), Queue { messages, state, stall: limits.stall })
    }

    /// Says a text, if not too much waits already; else the socket is cut off.
    pub(super) fn say(&self, text: String) {
        let waiting = self.state.waiting.fetch_add(text.len(), Ordering::Relaxed);
        if waiting > self.state.most {
            return self.cut_off();
        }
        // The queue ends with the socket; then there is nobody to tell.
        let _ = self.queue.send(Message::Text(text.into()));
    }

    /// Ends the session after what waits has been said, with the reason.
    pub(super) fn close(&self, code: u16, reason: &'static str) {
        let _ = self.queue.send(Message::Close(Some(CloseFrame { code, reason: reason.into() })));
        self.state.ended.cancel();
    }

    /// Ends the session at once and without a word: the client does not read.
    pub(super) fn cut_off(&self) {
        self.state.cut_off();
    }

    pub(super) fn is_cut(&self) -> bool {
        self.state.is_cut.load(Ordering::Relaxed)
    }

    /// Resolves when the session is to end.
    pub(super) async fn ended(&self) {
        self.state.ended.cancelled().await;
    }
}

impl State {
    fn cut_off(&self) {
        if !self.is_cut.swap(true, Ordering::Relaxed) {
            tracing::info!("a realtime socket that read too slowly was cut off");
            self.metrics.cut_off.inc();
        }
        self.ended.cancel();
    }
}

impl Queue {
    /// Sends what is queued until there is no more to come or the client does not take it. What
    /// waits together leaves together: a system call for each message would cost more than all
    /// the rest.
    pub(super) async fn drain(mut self, mut sink: SplitSink<WebSocket, Message>) {
        let mut messages = Vec::with_capacity(TOGETHER);
        while self.messages.recv_many(&mut messages, TOGETHER).await > 0 {
            for message in messages.drain(..) {
                let bytes = if let Message::Text(text) = &message { text.len() } else { 0 };
                let is_last = matches!(message, Message::Close(_));
                let sent = timeout(self.stall, sink.feed(message)).await;
                self.state.waiting.fetch_sub(bytes, Ordering::Relaxed);
                if !matches!(sent, Ok(Ok(()))) {
                    return self.state.cut_off();
                }
                if is_last {
                    let _ = timeout(self.stall, sink.close()).await;
                    return;
                }
            }
            if !matches!(timeout(self.stall, sink.flush()).await, Ok(Ok(()))) {
                return self.state.cut_off();
            }
        }
    }
}
