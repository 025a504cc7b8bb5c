use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::ws::{CloseFrame, Message, WebSocket, close_code};
use espressync_model::remote::{RemoteError, RemoteErrorKind};
use espressync_resolver::Caller;
use espressync_wire::realtime::{ClientFrame, FrameError, ServerFrame};
use futures::stream::{SplitSink, SplitStream};
use futures::{SinkExt, StreamExt};
use serde_json::{Map, Value as Json};
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::task::{AbortHandle, JoinSet};
use tokio::time::{MissedTickBehavior, interval, timeout};
use tokio_util::sync::CancellationToken;

use super::hub::Changes;
use crate::app::AppState;
use crate::graphql::{Request, Subscription};

/// After this long without a message a client takes the socket for dead.
const CONNECTION_TIMEOUT_MS: u32 = 300_000;

/// How often the server says that it is there.
const KEEP_ALIVE: Duration = Duration::from_secs(30);

/// How long a client may take to say `connection_init`.
const INIT_TIMEOUT: Duration = Duration::from_secs(30);

/// How long one message may take to leave, before the client is taken for gone.
const SEND_TIMEOUT: Duration = Duration::from_secs(20);

/// How many messages may wait for one socket. One that reads slower is cut off.
const WAITING_MESSAGES: usize = 1024;

/// How many subscriptions one socket may have: three for each of 300 models.
const MOST_SUBSCRIPTIONS: usize = 900;

/// One realtime socket.
pub(super) struct Session {
    state: Arc<AppState>,
    out: Sender<Message>,
    subscriptions: BTreeMap<String, AbortHandle>,
    forwarders: JoinSet<()>,
    /// Ends the session at once, without a word: the client does not read.
    cut: CancellationToken,
}

/// Whether a session goes on.
#[derive(PartialEq, Eq)]
enum Next {
    Message,
    End,
}

impl Session {
    /// Serves a socket until either side ends it. `admitted` says whether its handshake showed
    /// good credentials.
    pub(super) async fn run(
        state: Arc<AppState>,
        socket: WebSocket,
        admitted: Result<Arc<Caller>, RemoteError>,
    ) {
        let (sink, mut messages) = socket.split();
        let (out, queue) = channel(WAITING_MESSAGES);
        let cut = CancellationToken::new();
        let sender = tokio::spawn(send_all(sink, queue, cut.clone()));
        let stop = state.shutdown.clone();
        let mut session = Self {
            state,
            out,
            subscriptions: BTreeMap::new(),
            forwarders: JoinSet::new(),
            cut: cut.clone(),
        };
        let greeting = timeout(INIT_TIMEOUT, session.greeting(&mut messages, &admitted));
        let is_greeted = tokio::select! {
            greeted = greeting => greeted == Ok(true),
            () = stop.cancelled() => session.goodbye() == Next::Message,
        };
        if let (true, Ok(caller)) = (is_greeted, admitted) {
            session.serve(caller, &mut messages, &stop).await;
        }
        session.end();
        if cut.is_cancelled() {
            sender.abort();
        }
        // What waits to be sent is sent, or times out.
        let _ = sender.await;
    }

    /// Waits for `connection_init` and says whether the session is open.
    async fn greeting(
        &self,
        messages: &mut SplitStream<WebSocket>,
        admitted: &Result<Arc<Caller>, RemoteError>,
    ) -> bool {
        while let Some(Ok(message)) = messages.next().await {
            match self.greet(message, admitted) {
                Greeting::Wait => {}
                Greeting::Done => return true,
                Greeting::Refused => return false,
            }
        }
        false
    }

    async fn serve(
        &mut self,
        caller: Arc<Caller>,
        messages: &mut SplitStream<WebSocket>,
        stop: &CancellationToken,
    ) {
        let cut = self.cut.clone();
        let mut alive = interval(KEEP_ALIVE);
        alive.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let next = tokio::select! {
                () = cut.cancelled() => Next::End,
                () = stop.cancelled() => self.goodbye(),
                // The first tick comes at once, right after the acknowledgement.
                _ = alive.tick() => self.send(&ServerFrame::KeepAlive),
                message = messages.next() => match message {
                    Some(Ok(message)) => self.received(&caller, message).await,
                    Some(Err(_)) | None => Next::End,
                },
            };
            if next == Next::End {
                break;
            }
        }
    }

    fn greet(&self, message: Message, admitted: &Result<Arc<Caller>, RemoteError>) -> Greeting {
        let Message::Text(text) = message else { return Greeting::Wait };
        match (ClientFrame::parse(&text), admitted) {
            (Ok(ClientFrame::ConnectionInit), Ok(_)) => {
                self.send(&ServerFrame::ConnectionAck { timeout_ms: CONNECTION_TIMEOUT_MS });
                Greeting::Done
            }
            (Ok(ClientFrame::ConnectionInit), Err(error)) => {
                let errors = vec![FrameError::of(error)];
                self.send(&ServerFrame::ConnectionError { errors });
                self.close(close_code::POLICY, "unauthorized");
                Greeting::Refused
            }
            (Ok(ClientFrame::Start { .. } | ClientFrame::Stop { .. }), _) => {
                self.error(None, &invalid("say connection_init first"));
                Greeting::Wait
            }
            (Err(error), _) => {
                self.error(None, &invalid(error.to_string()));
                Greeting::Wait
            }
        }
    }

    async fn received(&mut self, caller: &Arc<Caller>, message: Message) -> Next {
        let text = match message {
            Message::Text(text) => text,
            Message::Close(_) => return Next::End,
            Message::Binary(_) => return self.error(None, &invalid("messages are text")),
            // The library answers pings.
            Message::Ping(_) | Message::Pong(_) => return Next::Message,
        };
        match ClientFrame::parse(&text) {
            // Said twice, answered twice.
            Ok(ClientFrame::ConnectionInit) => {
                self.send(&ServerFrame::ConnectionAck { timeout_ms: CONNECTION_TIMEOUT_MS })
            }
            Ok(ClientFrame::Start { id, document, authorization }) => {
                let Json::Object(variables) = document.variables else {
                    return self.error(Some(id), &invalid("variables should be an object"));
                };
                let request = Request { query: document.text, variables, operation_name: None };
                self.start(caller, id, request, &authorization).await
            }
            Ok(ClientFrame::Stop { id }) => {
                self.stop(&id);
                self.send(&ServerFrame::Complete { id })
            }
            Err(error) => {
                let id = id_of(&text);
                self.error(id, &invalid(error.to_string()))
            }
        }
    }

    /// Begins a subscription; one of the same id is replaced, so a `start` sent twice is harmless.
    async fn start(
        &mut self,
        caller: &Arc<Caller>,
        id: String,
        request: Request,
        authorization: &Map<String, Json>,
    ) -> Next {
        // The handshake was good; a start that shows credentials of its own must show good ones.
        let caller = match authorization.is_empty() {
            true => Ok(Arc::clone(caller)),
            false => self.state.keys.check_object(authorization),
        };
        let caller = match caller {
            Ok(caller) => caller,
            Err(error) => return self.error(Some(id), &error),
        };
        let subscription = match self.state.api.subscribe(caller, request).await {
            Ok(subscription) => Arc::new(subscription),
            Err(errors) => {
                let errors = errors.iter().map(frame_error).collect();
                return self.send(&ServerFrame::Error { id: Some(id), errors });
            }
        };
        self.stop(&id);
        if self.subscriptions.len() >= MOST_SUBSCRIPTIONS {
            let error = FrameError {
                error_type: "MaxSubscriptionsReachedError".to_owned(),
                message: format!("a socket has at most {MOST_SUBSCRIPTIONS} subscriptions"),
                code: Some(429),
            };
            return self.send(&ServerFrame::Error { id: Some(id), errors: vec![error] });
        }
        let changes = self.state.hub.subscribe(Arc::clone(&subscription));
        let acknowledged = self.send(&ServerFrame::StartAck { id: id.clone() });
        let forwarder = Forwarder {
            id: id.clone(),
            state: Arc::clone(&self.state),
            subscription,
            out: self.out.clone(),
            cut: self.cut.clone(),
        };
        let handle = self.forwarders.spawn(forwarder.run(changes));
        self.subscriptions.insert(id, handle);
        acknowledged
    }

    fn stop(&mut self, id: &str) {
        if let Some(forwarder) = self.subscriptions.remove(id) {
            forwarder.abort();
        }
        // Those that were stopped are let go of.
        while self.forwarders.try_join_next().is_some() {}
    }

    /// The server stops: says so for each subscription and closes.
    fn goodbye(&self) -> Next {
        for id in self.subscriptions.keys() {
            self.send(&ServerFrame::Complete { id: id.clone() });
        }
        self.close(close_code::AWAY, "the server is shutting down");
        Next::End
    }

    fn end(mut self) {
        self.forwarders.abort_all();
    }

    fn error(&self, id: Option<String>, error: &RemoteError) -> Next {
        self.send(&ServerFrame::Error { id, errors: vec![FrameError::of(error)] })
    }

    fn send(&self, frame: &ServerFrame) -> Next {
        self.push(Message::Text(frame.to_text().into()))
    }

    fn close(&self, code: u16, reason: &'static str) {
        self.push(Message::Close(Some(CloseFrame { code, reason: reason.into() })));
    }

    fn push(&self, message: Message) -> Next {
        if self.out.try_send(message).is_ok() {
            return Next::Message;
        }
        self.cut.cancel();
        Next::End
    }
}

/// What came of a message before the session was open.
enum Greeting {
    Wait,
    Done,
    Refused,
}

/// Carries the changes of one subscription to its socket.
struct Forwarder {
    id: String,
    state: Arc<AppState>,
    subscription: Arc<Subscription>,
    out: Sender<Message>,
    cut: CancellationToken,
}

impl Forwarder {
    async fn run(self, mut changes: Changes) {
        while let Some(change) = changes.next().await {
            let payload = self.state.api.event(&self.subscription, &change).await;
            let frame = ServerFrame::Data { id: self.id.clone(), payload };
            if self.out.try_send(Message::Text(frame.to_text().into())).is_err() {
                break;
            }
            self.state.metrics.events_sent.inc();
        }
        tracing::info!("a realtime socket that read too slowly was cut off");
        if !self.cut.is_cancelled() {
            self.state.metrics.cut_off.inc();
        }
        self.cut.cancel();
    }
}

/// Sends what is queued until there is no more to come or the client does not take it.
async fn send_all(
    mut sink: SplitSink<WebSocket, Message>,
    mut queue: Receiver<Message>,
    cut: CancellationToken,
) {
    while let Some(message) = queue.recv().await {
        let is_last = matches!(message, Message::Close(_));
        if !matches!(timeout(SEND_TIMEOUT, sink.send(message)).await, Ok(Ok(()))) {
            cut.cancel();
            return;
        }
        if is_last {
            return;
        }
    }
}

fn invalid(message: impl Into<String>) -> RemoteError {
    RemoteError::new(RemoteErrorKind::Invalid, message)
}

/// An entry of `errors` as a frame shows it.
fn frame_error(json: &Json) -> FrameError {
    let text = |name: &str| json.get(name).and_then(Json::as_str).unwrap_or_default().to_owned();
    FrameError { error_type: text("errorType"), message: text("message"), code: None }
}

/// The id of a message that could not be read, if at least that much is there.
fn id_of(text: &str) -> Option<String> {
    let json: Json = serde_json::from_str(text).ok()?;
    json.get("id").and_then(Json::as_str).map(ToOwned::to_owned)
}
