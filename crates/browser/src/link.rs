use std::collections::VecDeque;
use std::fmt;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Duration;

use espressync_client::LinkEvent;
use espressync_model::Schema;
use espressync_model::remote::{RemoteError, RemoteErrorKind};
use espressync_wire::Auth;
use espressync_wire::realtime::{ClientSession, Event, Output, host_of, realtime_url};
use futures::{FutureExt, Sink, Stream, StreamExt};
use gloo_net::websocket::futures::WebSocket;
use gloo_net::websocket::{Message, State, WebSocketError};
use gloo_timers::future::TimeoutFuture;
use js_sys::Array;
use wasm_bindgen::JsValue;

/// A realtime connection over the browser's WebSocket. It moves text between the socket and
/// `wire`'s session, and gives up when the subscriptions do not stand in time; whether an
/// established connection has fallen silent is for the engine to watch. Dropping it closes the
/// socket.
pub struct Link {
    socket: Option<WebSocket>,
    session: ClientSession<Rc<Schema>>,
    is_opened: bool,
    /// Until every subscription stands.
    deadline: Option<TimeoutFuture>,
    events: VecDeque<LinkEvent>,
}

impl fmt::Debug for Link {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Link").field("session", &self.session).finish_non_exhaustive()
    }
}

impl Link {
    pub(crate) fn open(schema: Rc<Schema>, auth: &Auth, endpoint: &str, within: Duration) -> Self {
        let session = ClientSession::new(schema, auth, host_of(endpoint));
        let milliseconds = within.as_millis().try_into().unwrap_or(u32::MAX);
        let mut link = Self {
            socket: None,
            session,
            is_opened: false,
            deadline: Some(TimeoutFuture::new(milliseconds)),
            events: VecDeque::new(),
        };
        let protocols: Array = link.session.protocols().iter().map(JsValue::from).collect();
        let url = realtime_url(endpoint);
        let raw = web_sys::WebSocket::new_with_str_sequence(&url, &protocols);
        match raw.map(WebSocket::try_from) {
            Ok(Ok(socket)) => link.socket = Some(socket),
            Ok(Err(_)) | Err(_) => link.close(format!("{url} is no address for a WebSocket")),
        }
        link
    }

    /// Closes the socket and says why, last of all.
    fn close(&mut self, message: impl Into<String>) {
        self.fail(RemoteError::new(RemoteErrorKind::Offline, message));
    }

    fn fail(&mut self, error: RemoteError) {
        self.socket = None;
        self.deadline = None;
        self.events.push_back(LinkEvent::Closed(error));
    }

    /// Greets the server once the socket is open.
    fn greet(&mut self, context: &mut Context<'_>) {
        let Some(socket) = &mut self.socket else { return };
        if self.is_opened || Pin::new(&mut *socket).poll_ready(context).is_pending() {
            return;
        }
        // Ready to be written to, it may also have failed; then the stream says so.
        if matches!(socket.state(), State::Open) {
            self.is_opened = true;
            let outputs = self.session.opened();
            self.carry_out(outputs);
        }
    }

    fn carry_out(&mut self, outputs: Vec<Output>) {
        for output in outputs {
            match output {
                Output::Send(text) => self.send(text),
                Output::Event(event) => self.tell(event),
            }
        }
    }

    fn send(&mut self, text: String) {
        let Some(socket) = &mut self.socket else { return };
        if Pin::new(socket).start_send(Message::Text(text)).is_err() {
            self.close("the realtime connection takes no message");
        }
    }

    fn tell(&mut self, event: Event) {
        let event = match event {
            Event::Ready => {
                self.deadline = None;
                LinkEvent::Ready
            }
            Event::Alive => LinkEvent::Alive,
            Event::Change(change) => LinkEvent::Change(change),
            Event::Unreadable(model, message) => {
                // The sync that follows names the record; what is wrong with it is said here.
                warn(&format!("a change could not be read: {message}"));
                LinkEvent::Missed(model)
            }
            Event::Refused(model, _, error) => LinkEvent::Refused(model, error),
            Event::Failed(error) => return self.fail(error),
        };
        self.events.push_back(event);
    }

    /// What the socket brought; nothing when there is nothing yet.
    fn hear(&mut self, context: &mut Context<'_>) -> Poll<()> {
        let Some(socket) = &mut self.socket else { return Poll::Ready(()) };
        match socket.poll_next_unpin(context) {
            Poll::Pending => return Poll::Pending,
            Poll::Ready(Some(Ok(Message::Text(text)))) => {
                let outputs = self.session.received(&text);
                self.carry_out(outputs);
            }
            Poll::Ready(Some(Ok(Message::Bytes(_)))) => {}
            Poll::Ready(Some(Err(WebSocketError::ConnectionClose(closed)))) => {
                self.close(format!("closed by the server ({}) {}", closed.code, closed.reason));
            }
            Poll::Ready(Some(Err(_)) | None) => self.close("the realtime connection is lost"),
        }
        Poll::Ready(())
    }

    fn is_too_late(&mut self, context: &mut Context<'_>) -> bool {
        let deadline = self.deadline.as_mut();
        deadline.is_some_and(|deadline| deadline.poll_unpin(context).is_ready())
    }
}

impl Stream for Link {
    type Item = LinkEvent;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<LinkEvent>> {
        loop {
            if let Some(event) = self.events.pop_front() {
                return Poll::Ready(Some(event));
            }
            if self.socket.is_none() {
                return Poll::Ready(None);
            }
            self.greet(context);
            if self.hear(context).is_pending() {
                if !self.is_too_late(context) {
                    return Poll::Pending;
                }
                self.close("the server has not taken the subscriptions in time");
            }
        }
    }
}

fn warn(message: &str) {
    web_sys::console::warn_1(&JsValue::from(format!("espressync: {message}")));
}
