use std::fmt;
use std::ops::Deref;

use espressync_model::remote::{Change, Operation, RemoteError, RemoteErrorKind};
use espressync_model::{ModelId, Schema};
use serde_json::{Map, Value as Json};

use crate::answer::GraphqlError;
use crate::document::Document;
use crate::failure::WireError;
use crate::json::record_from_json;
use crate::realtime::{ClientFrame, FrameError, ServerFrame, offered_protocols};
use crate::{Auth, names};

const OPERATIONS: [Operation; 3] = [Operation::Create, Operation::Update, Operation::Delete];

/// The client's half of one realtime connection: which subscriptions are asked for and which
/// stand. It holds no socket; whoever does passes the text of each message in and carries out
/// what comes back, in order.
///
/// Three subscriptions a model, under ids that are the same in every session, so that a repeated
/// `start` replaces instead of doubling. The schema is whatever leads to one: `&Schema`, or a
/// shared pointer.
pub struct ClientSession<S> {
    schema: S,
    header: Map<String, Json>,
    subscriptions: Vec<Subscription>,
    is_acknowledged: bool,
    is_ready: bool,
    timeout_ms: Option<u32>,
}

/// Without the header, which holds what the client is known by.
impl<S> fmt::Debug for ClientSession<S> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("ClientSession")
            .field("subscriptions", &self.subscriptions)
            .field("is_acknowledged", &self.is_acknowledged)
            .field("is_ready", &self.is_ready)
            .field("timeout_ms", &self.timeout_ms)
            .finish_non_exhaustive()
    }
}

#[derive(Debug)]
struct Subscription {
    /// The name of the subscription field, which is unique and so serves as the id.
    id: String,
    model: ModelId,
    operation: Operation,
    is_answered: bool,
}

/// What the holder of the socket does.
#[derive(Debug, Clone, PartialEq)]
pub enum Output {
    /// Sends this message.
    Send(String),
    /// Tells the client.
    Event(Event),
}

/// What a client learns from a session.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// Every subscription was answered: from now on no change is missed.
    Ready,
    /// A record has changed.
    Change(Change),
    /// A record has changed and could not be read; a sync query will bring it or say why not.
    Unreadable(ModelId, String),
    /// The server is there.
    Alive,
    /// A model's changes are not told to this client, now or from now on; the others are.
    Refused(ModelId, Operation, RemoteError),
    /// The session is over.
    Failed(RemoteError),
}

impl<S: Deref<Target = Schema>> ClientSession<S> {
    /// A session that subscribes to every model; `host` is that of the GraphQL endpoint (see
    /// [`host_of`](crate::realtime::host_of)).
    #[must_use]
    pub fn new(schema: S, auth: &Auth, host: &str) -> Self {
        let subscriptions =
            schema.models().filter(|(_, it)| !it.is_local).flat_map(|(id, model)| {
                OPERATIONS.map(|operation| Subscription {
                    id: names::subscription(model, operation),
                    model: id,
                    operation,
                    is_answered: false,
                })
            });
        let subscriptions = subscriptions.collect();
        let header = auth.realtime_header(host);
        Self {
            schema,
            header,
            subscriptions,
            is_acknowledged: false,
            is_ready: false,
            timeout_ms: None,
        }
    }

    /// The subprotocols to open the socket with.
    #[must_use]
    pub fn protocols(&self) -> [String; 2] {
        offered_protocols(&self.header)
    }

    /// The socket is open.
    pub fn opened(&mut self) -> Vec<Output> {
        vec![Output::Send(ClientFrame::ConnectionInit.to_text())]
    }

    /// After how many milliseconds without a message the server is gone, once it has said so.
    #[must_use]
    pub fn timeout_ms(&self) -> Option<u32> {
        self.timeout_ms
    }

    /// Whether every subscription was answered.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.is_ready
    }

    /// A message has arrived. Messages of unknown type and for unknown ids are passed over.
    pub fn received(&mut self, text: &str) -> Vec<Output> {
        match ServerFrame::parse(text) {
            Ok(frame) => self.frame(frame),
            Err(WireError::UnknownFrame { .. }) => Vec::new(),
            Err(error) => failed(error.into()),
        }
    }

    fn frame(&mut self, frame: ServerFrame) -> Vec<Output> {
        match frame {
            ServerFrame::ConnectionAck { timeout_ms } => self.acknowledged(timeout_ms),
            ServerFrame::KeepAlive => vec![Output::Event(Event::Alive)],
            ServerFrame::StartAck { id } => {
                self.answered(&id);
                self.ready().into_iter().collect()
            }
            ServerFrame::Data { id, payload } => self.data(&id, &payload),
            ServerFrame::Error { id: Some(id), errors } => self.refused(&id, &errors),
            ServerFrame::Error { id: None, errors } | ServerFrame::ConnectionError { errors } => {
                failed(first_of(&errors))
            }
            ServerFrame::Complete { id } => self.completed(&id),
        }
    }

    fn acknowledged(&mut self, timeout_ms: u32) -> Vec<Output> {
        self.timeout_ms = Some(timeout_ms);
        if std::mem::replace(&mut self.is_acknowledged, true) {
            return Vec::new();
        }
        let starts = self.subscriptions.iter().map(|subscription| {
            let (model, operation) = (subscription.model, subscription.operation);
            let frame = ClientFrame::Start {
                id: subscription.id.clone(),
                document: Document::subscription(&self.schema, model, operation),
                authorization: self.header.clone(),
            };
            Output::Send(frame.to_text())
        });
        let starts: Vec<Output> = starts.collect();
        // With no model there is nothing to wait for.
        starts.into_iter().chain(self.ready()).collect()
    }

    fn answered(&mut self, id: &str) -> Option<(ModelId, Operation)> {
        let found = self.subscriptions.iter_mut().find(|subscription| subscription.id == id)?;
        found.is_answered = true;
        Some((found.model, found.operation))
    }

    /// Says so once.
    fn ready(&mut self) -> Option<Output> {
        let all_answered = self.subscriptions.iter().all(|subscription| subscription.is_answered);
        if self.is_ready || !all_answered {
            return None;
        }
        self.is_ready = true;
        Some(Output::Event(Event::Ready))
    }

    fn data(&self, id: &str, payload: &Json) -> Vec<Output> {
        let found = self.subscriptions.iter().find(|subscription| subscription.id == id);
        let Some(Subscription { model, operation, .. }) = found else {
            return Vec::new();
        };
        let record = payload.get("data").and_then(|data| data.get(id)).unwrap_or(&Json::Null);
        let event = match record_from_json(&self.schema, *model, record) {
            Ok(record) => Event::Change(Change { model: *model, operation: *operation, record }),
            Err(error) => {
                let said = payload.pointer("/errors/0").map(|error| GraphqlError(error).message());
                let message = said.map_or_else(|| error.to_string(), ToOwned::to_owned);
                Event::Unreadable(*model, message)
            }
        };
        vec![Output::Event(event)]
    }

    /// Bad credentials end the session, as they hold for all of it; anything else concerns one
    /// subscription.
    fn refused(&mut self, id: &str, errors: &[FrameError]) -> Vec<Output> {
        let error = first_of(errors);
        if error.kind == RemoteErrorKind::Unauthenticated {
            return failed(error);
        }
        let Some((model, operation)) = self.answered(id) else {
            return Vec::new();
        };
        let refused = Output::Event(Event::Refused(model, operation, error));
        std::iter::once(refused).chain(self.ready()).collect()
    }

    fn completed(&mut self, id: &str) -> Vec<Output> {
        let message = format!("the server has ended the subscription `{id}`");
        let error = RemoteError::new(RemoteErrorKind::Unavailable, message);
        let of_this = |subscription: &Subscription| subscription.id == id;
        if self.subscriptions.iter().any(of_this) { failed(error) } else { Vec::new() }
    }
}

fn first_of(errors: &[FrameError]) -> RemoteError {
    errors.first().map_or_else(
        || RemoteError::new(RemoteErrorKind::Unavailable, "the server gave no reason"),
        FrameError::to_remote,
    )
}

fn failed(error: RemoteError) -> Vec<Output> {
    vec![Output::Event(Event::Failed(error))]
}
