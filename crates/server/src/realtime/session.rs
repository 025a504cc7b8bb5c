use std::collections::BTreeMap;
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::time::Duration;

use axum::extract::ws::{Message, WebSocket, close_code};
use espressync_model::remote::{RemoteError, RemoteErrorKind};
use espressync_resolver::Caller;
use espressync_wire::realtime::{ClientFrame, FrameError, ServerFrame};
use futures::StreamExt;
use futures::stream::SplitStream;
use serde_json::{Map, Value as Json};
use tokio::time::{MissedTickBehavior, interval, sleep, timeout};

use super::group::Member;
use super::hub::Membership;
use super::outlet::Outlet;
use crate::app::AppState;
use crate::auth::Shown;
use crate::graphql::Request;

/// After this long without a message a client takes the socket for dead.
const CONNECTION_TIMEOUT_MS: u32 = 300_000;

/// How long a `start` waits for its turn; clients wait 15 s for the answer (contract 5.4).
const TURN: Duration = Duration::from_secs(10);

/// One realtime socket.
pub(super) struct Session {
    state: Arc<AppState>,
    outlet: Arc<Outlet>,
    /// By the client's names for them.
    subscriptions: BTreeMap<String, Started>,
    /// Of what is asked for, only a hash is kept.
    hasher: RandomState,
}

/// A subscription that goes on.
struct Started {
    /// What was shown for it.
    shown: Shown,
    /// By what request, and with what shown: the same again is there already. A client sends all
    /// of its `start`s again when one of them was answered too late.
    asked: u64,
    _membership: Membership,
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
        admitted: Result<Shown, RemoteError>,
    ) {
        let (sink, mut messages) = socket.split();
        let (outlet, queue) = Outlet::open(&state.realtime, Arc::clone(&state.metrics));
        let sender = tokio::spawn(queue.drain(sink));
        let stop = state.shutdown.clone();
        let (subscriptions, hasher) = (BTreeMap::new(), RandomState::new());
        let mut session = Self { state, outlet: Arc::clone(&outlet), subscriptions, hasher };
        let greeting = session.greeting(&mut messages, &admitted);
        let is_greeted = tokio::select! {
            greeted = timeout(session.state.realtime.greeting, greeting) => greeted == Ok(true),
            () = stop.cancelled() => session.goodbye() == Next::Message,
        };
        if let (true, Ok(shown)) = (is_greeted, admitted) {
            session.serve(shown, &mut messages).await;
        }
        drop(session);
        if outlet.is_cut() {
            sender.abort();
        }
        drop(outlet);
        // What waits to be sent is sent, or times out.
        let _ = sender.await;
    }

    /// Waits for `connection_init` and says whether the session is open.
    async fn greeting(
        &self,
        messages: &mut SplitStream<WebSocket>,
        admitted: &Result<Shown, RemoteError>,
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

    async fn serve(&mut self, shown: Shown, messages: &mut SplitStream<WebSocket>) {
        let (outlet, stop) = (Arc::clone(&self.outlet), self.state.shutdown.clone());
        let mut alive = interval(self.state.realtime.keep_alive);
        alive.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut lifetime = std::pin::pin!(sleep(self.state.realtime.lifetime));
        loop {
            let next = tokio::select! {
                () = outlet.ended() => Next::End,
                () = stop.cancelled() => self.goodbye(),
                () = &mut lifetime => {
                    self.outlet.close(close_code::AWAY, "a socket lives no longer: open another");
                    Next::End
                }
                // The first tick comes at once, right after the acknowledgement.
                _ = alive.tick() => self.keep_alive(&shown),
                message = messages.next() => match message {
                    Some(Ok(message)) => self.received(&shown, message).await,
                    Some(Err(_)) | None => Next::End,
                },
            };
            if next == Next::End {
                break;
            }
        }
    }

    /// Says that the server is there. What was started by credentials that are good no longer ends
    /// here, and so does the socket that was opened by such when nothing is left: a key that was
    /// revoked hears nothing more, and what others have started goes on.
    fn keep_alive(&mut self, handshake: &Shown) -> Next {
        let gate = &self.state.gate;
        let started = self.subscriptions.iter();
        let refused = started.filter_map(|(id, started)| {
            let refused = gate.still(&started.shown).err();
            refused.map(|error| (id.clone(), error))
        });
        for (id, error) in refused.collect::<Vec<_>>() {
            self.subscriptions.remove(&id);
            self.error(Some(id), &error);
        }
        if self.subscriptions.is_empty() && self.state.gate.still(handshake).is_err() {
            self.outlet.close(close_code::POLICY, "unauthorized");
            return Next::End;
        }
        self.say(&ServerFrame::KeepAlive)
    }

    fn greet(&self, message: Message, admitted: &Result<Shown, RemoteError>) -> Greeting {
        let Message::Text(text) = message else { return Greeting::Wait };
        match (ClientFrame::parse(&text), admitted) {
            (Ok(ClientFrame::ConnectionInit), Ok(_)) => {
                let most = self.state.realtime.sockets;
                if self.state.sockets.len() > most {
                    let error = limit_error(format!("Max number of {most} connections reached"));
                    return self.refuse(error, close_code::AGAIN, "too many connections");
                }
                self.say(&ServerFrame::ConnectionAck { timeout_ms: CONNECTION_TIMEOUT_MS });
                Greeting::Done
            }
            (Ok(ClientFrame::ConnectionInit), Err(error)) => {
                self.refuse(FrameError::of(error), close_code::POLICY, "unauthorized")
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

    /// Says why there is no session. The client comes again, but for bad credentials, by the code
    /// of the error.
    fn refuse(&self, error: FrameError, code: u16, reason: &'static str) -> Greeting {
        self.say(&ServerFrame::ConnectionError { errors: vec![error] });
        self.outlet.close(code, reason);
        Greeting::Refused
    }

    async fn received(&mut self, shown: &Shown, message: Message) -> Next {
        let text = match message {
            Message::Text(text) => text,
            Message::Close(_) => return Next::End,
            Message::Binary(_) => return self.error(None, &invalid("messages are text")),
            // The library answers pings.
            Message::Ping(_) | Message::Pong(_) => return Next::Message,
        };
        let most = self.state.realtime.message_bytes;
        if text.len() > most {
            let message = format!("the message has {} bytes; at most {most} are taken", text.len());
            let (id, errors) = (id_of(&text), vec![limit_error(message)]);
            return self.say(&ServerFrame::Error { id, errors });
        }
        match ClientFrame::parse(&text) {
            // Said twice, answered twice.
            Ok(ClientFrame::ConnectionInit) => {
                self.say(&ServerFrame::ConnectionAck { timeout_ms: CONNECTION_TIMEOUT_MS })
            }
            Ok(ClientFrame::Start { id, document, authorization }) => {
                let Json::Object(variables) = document.variables else {
                    return self.error(Some(id), &invalid("variables should be an object"));
                };
                let request = Request { query: document.text, variables, operation_name: None };
                self.start(shown, id, request, &authorization).await
            }
            Ok(ClientFrame::Stop { id }) => {
                self.subscriptions.remove(&id);
                self.say(&ServerFrame::Complete { id })
            }
            Err(error) => self.error(id_of(&text), &invalid(error.to_string())),
        }
    }

    /// Begins a subscription; one of the same id is replaced, so a `start` sent twice is harmless.
    async fn start(
        &mut self,
        handshake: &Shown,
        id: String,
        request: Request,
        authorization: &Map<String, Json>,
    ) -> Next {
        // The handshake was good, but its token may have expired since.
        let shown = match authorization.is_empty() {
            true => handshake.clone(),
            false => Shown::in_object(authorization),
        };
        let caller = match self.state.gate.admit(&shown).await {
            Ok(caller) => caller,
            Err(error) if error.kind == RemoteErrorKind::Unavailable => {
                return self.put_off(&id, &error);
            }
            Err(error) => return self.error(Some(id), &error),
        };
        let asked = self.hasher.hash_one((&request.query, &request.variables, &shown));
        if self.subscriptions.get(&id).is_some_and(|started| started.asked == asked) {
            return self.say(&ServerFrame::StartAck { id });
        }
        if let Err(error) = self.turn(&caller, &shown).await {
            return self.put_off(&id, &error);
        }
        let subscription = match self.state.api.subscribe(caller, request).await {
            Ok(subscription) => subscription,
            Err(errors) => {
                let errors = errors.iter().map(frame_error).collect();
                return self.say(&ServerFrame::Error { id: Some(id), errors });
            }
        };
        let most = self.state.realtime.subscriptions;
        if self.subscriptions.len() >= most && !self.subscriptions.contains_key(&id) {
            let error = FrameError {
                error_type: "MaxSubscriptionsReachedError".to_owned(),
                message: format!("Max number of {most} subscriptions reached"),
                code: Some(429),
            };
            return self.say(&ServerFrame::Error { id: Some(id), errors: vec![error] });
        }
        let member = Member { id: id.clone(), outlet: Arc::clone(&self.outlet) };
        let membership = self.state.hub.subscribe(&self.state, subscription, member);
        // The one that is replaced ends only now: between the two no change is missed.
        self.subscriptions.insert(id, Started { shown, asked, _membership: membership });
        Next::Message
    }

    /// Waits until the rate of whoever shows this lets a subscription begin; meanwhile the socket's
    /// next messages wait too.
    async fn turn(&self, caller: &Caller, shown: &Shown) -> Result<(), RemoteError> {
        let turn = self.state.limits.turn(caller, shown);
        let came = tokio::select! {
            came = timeout(TURN, turn) => came.is_ok(),
            () = self.outlet.ended() => true,
            () = self.state.shutdown.cancelled() => true,
        };
        if came {
            return Ok(());
        }
        self.state.metrics.rate_limited.inc();
        let message = "this key is kept busy by others who use it";
        Err(RemoteError::new(RemoteErrorKind::Throttled, message))
    }

    /// Says nothing to a `start` that may be good another time. An error would end all of a
    /// DataStore's subscriptions for good; without an answer `aws-amplify` sends it again after
    /// some seconds, on the same socket (contract 5.4).
    fn put_off(&self, id: &str, error: &RemoteError) -> Next {
        tracing::warn!(id, reason = %error, "put off");
        Next::Message
    }

    /// The server stops, or goes on under another schema: says so for each subscription and closes.
    fn goodbye(&self) -> Next {
        for id in self.subscriptions.keys() {
            self.say(&ServerFrame::Complete { id: id.clone() });
        }
        self.outlet.close(close_code::AWAY, "the server stops or starts anew; connect again");
        Next::End
    }

    fn error(&self, id: Option<String>, error: &RemoteError) -> Next {
        self.say(&ServerFrame::Error { id, errors: vec![FrameError::of(error)] })
    }

    fn say(&self, frame: &ServerFrame) -> Next {
        self.outlet.say(frame.to_text());
        Next::Message
    }
}

/// What came of a message before the session was open.
enum Greeting {
    Wait,
    Done,
    Refused,
}

fn invalid(message: impl Into<String>) -> RemoteError {
    RemoteError::new(RemoteErrorKind::Invalid, message)
}

/// Something of which there is too much.
fn limit_error(message: String) -> FrameError {
    FrameError { error_type: "LimitExceededError".to_owned(), message, code: Some(429) }
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
