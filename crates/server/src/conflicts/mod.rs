//! Who decides conflicts where a schema's strategy is a handler's: AppSync's LAMBDA (contract 4.3).
//!
//! A handler may take seconds, so it is asked while no transaction is open: the backend answers a
//! contested mutation with the record that it found, the handler decides about that version, and
//! the decision goes to the backend as a write of its own, which counts only if the record is
//! still of that version. Else the handler is asked again, a bounded number of times. Nobody
//! else's write waits meanwhile. Of two mutations in one request the second may be carried out
//! while the first is being decided.
//!
//! Whatever goes wrong on the way, the client keeps its write (contract 6.4): a handler that does
//! not answer is a failure of the moment, and one that answers nonsense (`ConflictError`) is an
//! operator's to mend, so both are told under the message that makes clients come again. Such a
//! client sends its writes in their order, so all of them wait until the handler is mended: that is
//! said in the log at level error, once a minute for a model and reason, and counted in `/metrics`.

mod endpoint;
mod event;
mod reminder;
mod setting;

use std::future::Future;
use std::sync::Arc;
use std::time::Instant;

use espressync_model::remote::{Mutation, RemoteError, RemoteErrorKind};
use espressync_model::{ModelId, Record};
use espressync_resolver::{Caller, Decision, Resolution, Rules};
use futures::future::BoxFuture;
use thiserror::Error;

use crate::backend::{Events, Undecided, Written};
pub use endpoint::{Endpoint, Endpoints, HttpHandler};
use reminder::Reminder;
pub use setting::ConflictSetting;

/// How often a handler is asked about one mutation while the record keeps changing under it.
const MOST_ROUNDS: usize = 10;

/// Decides what becomes of a write on an older version. An embedder's own, or an HTTP endpoint.
///
/// The same write may be asked about more than once: when the record has changed meanwhile, and
/// when a client has not got its answer and sends it again.
pub trait ConflictHandler: Send + Sync {
    /// Decides. It may take its time; other writes go on.
    fn decide(&self, conflict: Conflict) -> BoxFuture<'_, Result<Resolution, HandlerError>>;
}

/// What a handler is to decide about.
#[derive(Debug, Clone)]
pub struct Conflict {
    /// The rules of the API, with the schema.
    pub rules: Arc<Rules>,
    /// Who wrote.
    pub caller: Arc<Caller>,
    /// What they wrote, on a version before the stored one.
    pub mutation: Mutation,
    /// The record as it is.
    pub stored: Record,
}

/// Why a handler has not decided. The client keeps its write and comes again.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum HandlerError {
    /// It gave no answer: it is away, slow or overloaded.
    #[error("the conflict handler gave no answer: {0}")]
    Unavailable(String),
    /// Its answer is none of those it may give.
    #[error("the conflict handler's answer cannot be used: {0}")]
    BadReply(String),
}

impl From<HandlerError> for RemoteError {
    fn from(error: HandlerError) -> Self {
        let kind = match &error {
            HandlerError::Unavailable(_) => RemoteErrorKind::Unavailable,
            HandlerError::BadReply(_) => RemoteErrorKind::ConflictHandler,
        };
        Self::new(kind, error.to_string())
    }
}

/// What a backend's writer says of a mutation.
#[derive(Debug)]
pub(crate) enum Attempt {
    /// It is decided.
    Done(Written),
    /// A handler is to decide between it and this record.
    Contested(Box<Mutation>, Box<Record>),
}

/// Asks the handler about contested mutations.
#[derive(Clone)]
pub(crate) struct Referee {
    rules: Arc<Rules>,
    handler: Option<Arc<dyn ConflictHandler>>,
    events: Arc<dyn Events>,
    reminder: Arc<Reminder>,
}

impl Referee {
    /// One without a handler. What is not decided is told to `events`.
    pub(crate) fn new(rules: Arc<Rules>, events: Arc<dyn Events>) -> Self {
        Self { rules, handler: None, events, reminder: Arc::default() }
    }

    pub(crate) fn with_handler(self, handler: Arc<dyn ConflictHandler>) -> Self {
        Self { handler: Some(handler), ..self }
    }

    /// Brings an attempt to its end. `settle` hands a decision to the writer.
    pub(crate) async fn end<F>(
        &self,
        caller: &Arc<Caller>,
        attempt: Attempt,
        settle: impl Fn(Mutation, Decision) -> F,
    ) -> Written
    where
        F: Future<Output = Attempt>,
    {
        let model = match &attempt {
            Attempt::Done(_) => None,
            Attempt::Contested(mutation, _) => Some(mutation.model),
        };
        let written = self.decided(caller, attempt, settle).await;
        if let (Some(model), Err(error)) = (model, &written) {
            self.tell(model, error);
        }
        written
    }

    /// Tells the operator of a conflict that was not decided.
    fn tell(&self, model: ModelId, error: &RemoteError) {
        let reasons = [
            (RemoteErrorKind::ConflictHandler, Undecided::BadAnswer),
            (RemoteErrorKind::MaxConflicts, Undecided::Restless),
            (RemoteErrorKind::Unavailable, Undecided::NoAnswer),
        ];
        let reason = reasons.into_iter().find(|(kind, _)| *kind == error.kind);
        // Else it was decided, or could not be written for a reason of its own.
        let Some((_, reason)) = reason else { return };
        self.events.undecided(reason);
        if let Some(left_out) = self.reminder.is_due(model, reason, Instant::now()) {
            let (error, model) = (&error.message, &self.rules.schema().model(model).name);
            tracing::error!(error, model, left_out, "a conflict was not decided; its client waits");
        }
    }

    async fn decided<F>(
        &self,
        caller: &Arc<Caller>,
        mut attempt: Attempt,
        settle: impl Fn(Mutation, Decision) -> F,
    ) -> Written
    where
        F: Future<Output = Attempt>,
    {
        for _ in 0..MOST_ROUNDS {
            let (mutation, stored) = match attempt {
                Attempt::Done(written) => return written,
                Attempt::Contested(mutation, stored) => (mutation, stored),
            };
            let version = stored.meta.version;
            let conflict = Conflict {
                rules: Arc::clone(&self.rules),
                caller: Arc::clone(caller),
                mutation: Mutation::clone(&mutation),
                stored: Record::clone(&stored),
            };
            let resolution = match self.decide(conflict).await {
                Ok(resolution) => resolution,
                Err(error) => return Err(RemoteError::from(error).with_stored(*stored)),
            };
            attempt = settle(*mutation, Decision { version, resolution }).await;
        }
        match attempt {
            Attempt::Done(written) => written,
            Attempt::Contested(mutation, stored) => Err(self.exhausted(&mutation, *stored)),
        }
    }

    async fn decide(&self, conflict: Conflict) -> Result<Resolution, HandlerError> {
        match &self.handler {
            Some(handler) => handler.decide(conflict).await,
            None => Err(HandlerError::Unavailable("the server has none".to_owned())),
        }
    }

    fn exhausted(&self, mutation: &Mutation, stored: Record) -> RemoteError {
        let name = &self.rules.schema().model(mutation.model).name;
        let message = format!(
            "the {name} {} kept changing while its conflict was being decided, {MOST_ROUNDS} times",
            mutation.key
        );
        RemoteError::new(RemoteErrorKind::MaxConflicts, message).with_stored(stored)
    }
}

impl std::fmt::Debug for Referee {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Referee").field("has_handler", &self.handler.is_some()).finish()
    }
}
