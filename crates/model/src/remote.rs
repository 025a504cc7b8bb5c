//! What a client asks of a server and what the server answers, free of GraphQL and JSON:
//! `wire` turns these into AppSync's documents and back, `resolver` computes the answers.

use thiserror::Error;

use crate::{Key, ModelId, Patch, Predicate, Record, Timestamp};

/// What a mutation does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Operation {
    /// Makes a record.
    Create,
    /// Changes fields of a record.
    Update,
    /// Turns a record into a tombstone.
    Delete,
    /// Turns a tombstone back into a record; no operation of AppSync's. Subscribers are told of
    /// it as an update.
    Undelete,
}

/// One write to the server.
#[derive(Debug, Clone, PartialEq)]
pub struct Mutation {
    /// The model.
    pub model: ModelId,
    /// The record.
    pub key: Key,
    /// What is done.
    pub operation: Operation,
    /// The fields it sets, the key's own among them; empty for a delete and an undelete.
    pub fields: Patch,
    /// The version the change was made on; 0 for a create, and for an undelete of whatever version
    /// the tombstone is.
    pub version: u64,
    /// A condition that the stored row must meet, else the server refuses.
    pub condition: Predicate,
    /// Names an update that must not count twice, such as an addition. It is carried out on
    /// exactly its version or not at all, and sent again it is answered with what is stored. Only
    /// our own server knows the name; for AppSync the condition does what it can.
    pub once: Option<u64>,
}

/// Asks for a page of a model's records.
#[derive(Debug, Clone, PartialEq)]
pub struct SyncRequest {
    /// The model.
    pub model: ModelId,
    /// Changes since this moment; `None` asks for everything.
    pub last_sync: Option<Timestamp>,
    /// The page, from the one before.
    pub next_token: Option<String>,
    /// How many rows the server looks at for the page.
    pub limit: u32,
    /// Which records.
    pub filter: Predicate,
}

/// A page of records, tombstones included, in the order of their changes.
#[derive(Debug, Clone, PartialEq)]
pub struct SyncPage {
    /// The records.
    pub records: Vec<Record>,
    /// The next page, if there is one.
    pub next_token: Option<String>,
    /// When the server began the first page: the next `last_sync`.
    pub started_at: Timestamp,
    /// Whether the server read its whole table though changes since a moment were asked for,
    /// because that moment is too long ago: then what no page holds is gone.
    pub is_base: bool,
    /// What could not be read, in words; the records beside it are good.
    pub unreadable: Vec<String>,
}

/// A question to the server.
#[derive(Debug, Clone, PartialEq)]
pub enum Request {
    /// Writes, carried out in order and answered one by one.
    Mutate(Vec<Mutation>),
    /// One page of records.
    Sync(SyncRequest),
    /// One record.
    Get(ModelId, Key),
}

/// The server's answer to the [`Request`] of the same name.
#[derive(Debug, Clone, PartialEq)]
pub enum Answer {
    /// For each mutation the stored record, or why it was refused.
    Mutate(Vec<Result<Record, RemoteError>>),
    /// The page.
    Sync(SyncPage),
    /// The record, if there is one.
    Get(Option<Record>),
}

/// A record that another client (or this one) has changed, as a subscription tells it.
#[derive(Debug, Clone, PartialEq)]
pub struct Change {
    /// The model.
    pub model: ModelId,
    /// What was done.
    pub operation: Operation,
    /// The record as it is now; a tombstone after a delete.
    pub record: Record,
}

/// Why a request or a mutation in it failed, and whose turn it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum RemoteErrorKind {
    /// No answer: no network, connection reset, timeout. It may have been carried out.
    Offline,
    /// The server asks to come back later: 429 and throttling errors.
    Throttled,
    /// The server failed: 5xx, restart, storage busy. It may have been carried out.
    Unavailable,
    /// The credentials were not taken: a wrong key, an expired token.
    Unauthenticated,
    /// The credentials are good and do not allow this.
    Unauthorized,
    /// The stored version differs and the server does not merge.
    Conflict,
    /// What decides conflicts for the server has decided what cannot be done: an operator's to
    /// mend.
    ConflictHandler,
    /// The record kept changing while its conflict was being decided.
    MaxConflicts,
    /// The record exists already, does not exist, or does not meet the condition.
    ConditionFailed,
    /// The server understood and will never accept it.
    Invalid,
    /// The answer could not be understood.
    Malformed,
}

/// Why a request or a mutation in it failed.
#[derive(Debug, Clone, PartialEq, Error)]
#[error("{message}")]
pub struct RemoteError {
    /// The kind, on which callers branch.
    pub kind: RemoteErrorKind,
    /// For people: what, where, which value.
    pub message: String,
    /// The server's record, where it showed it.
    pub stored: Option<Box<Record>>,
}

impl RemoteError {
    /// An error without a record.
    pub fn new(kind: RemoteErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), stored: None }
    }

    /// This error with the server's record.
    #[must_use]
    pub fn with_stored(mut self, stored: Record) -> Self {
        self.stored = Some(Box::new(stored));
        self
    }

    /// Whether the same request can succeed later, so that nothing may be given up for it.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        match self.kind {
            RemoteErrorKind::Offline
            | RemoteErrorKind::Throttled
            | RemoteErrorKind::Unavailable
            | RemoteErrorKind::Unauthenticated
            | RemoteErrorKind::ConflictHandler
            | RemoteErrorKind::MaxConflicts
            | RemoteErrorKind::Malformed => true,
            RemoteErrorKind::Unauthorized
            | RemoteErrorKind::Conflict
            | RemoteErrorKind::ConditionFailed
            | RemoteErrorKind::Invalid => false,
        }
    }
}
