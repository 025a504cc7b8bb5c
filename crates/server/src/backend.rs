use std::sync::Arc;

use espressync_model::remote::{Change, Mutation, RemoteError, RemoteErrorKind};
use espressync_model::{FieldId, Key, ModelId, Record, Timestamp, Value};
use espressync_resolver::Caller;
use futures::future::BoxFuture;
use thiserror::Error;

/// Where records live. SQLite is the one there is; PostgreSQL and DynamoDB are to follow.
///
/// A backend carries out mutations by [`resolver::mutate`](espressync_resolver::mutate) inside its
/// own transaction, tells its [`Events`] after the commit, in commit order per record, and keeps a
/// journal of every accepted write.
pub trait Backend: Send + Sync {
    /// Carries out a caller's mutations in their order and answers one by one, once they are durable. One
    /// that fails does not touch the others.
    fn write(&self, caller: Arc<Caller>, mutations: Vec<Mutation>) -> BoxFuture<'_, Vec<Written>>;

    /// The records of these keys, in their order, tombstones included.
    fn get(&self, model: ModelId, keys: Vec<Key>) -> Answer<'_, Vec<Option<Stored>>>;

    /// A run of a model's records in key order, tombstones included, after a key.
    fn list(&self, model: ModelId, after: Option<Key>, limit: usize) -> Answer<'_, Listing>;

    /// For each parent a run of the records whose foreign key holds the parent's values, in key
    /// order. The fields must be those of a relation in the schema, which are indexed.
    fn related(
        &self,
        model: ModelId,
        fields: Vec<FieldId>,
        parents: Vec<Parent>,
        limit: usize,
    ) -> Answer<'_, Vec<Listing>>;

    /// A run of the journal: a model's changes at or after a moment, in commit order.
    fn changes(
        &self,
        model: ModelId,
        since: Timestamp,
        after: Option<Position>,
        limit: usize,
    ) -> Answer<'_, Changes>;

    /// The `startedAt` of a query that begins to read after this call: no commit that it does not
    /// see is older (see [`CommitClock`](crate::clock::CommitClock)).
    fn horizon(&self) -> Timestamp;

    /// The moment since which the journal holds every change.
    fn journal_start(&self) -> Timestamp;

    /// Finishes the commits under way and refuses new ones.
    fn close(&self) -> BoxFuture<'_, ()>;
}

/// What a backend tells of its commits. Called on the writer's thread: it must not block.
pub trait Events: Send + Sync {
    /// Records have changed; in commit order.
    fn publish(&self, changes: Vec<Change>);
}

/// The answer to one mutation: the record as it is now, or why it was refused.
pub type Written = Result<Record, RemoteError>;

/// A backend's answer to a reader.
pub type Answer<'a, T> = BoxFuture<'a, Result<T, BackendError>>;

/// A record as it was found.
#[derive(Debug, Clone, PartialEq)]
pub struct Stored {
    /// Its key.
    pub key: Key,
    /// The record, or why it cannot be read.
    pub record: Result<Record, String>,
}

/// A run of records in key order.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Listing {
    /// The records.
    pub rows: Vec<Stored>,
    /// The key after which the next run begins, if there is one.
    pub next: Option<Key>,
}

/// Whose related records are asked for.
#[derive(Debug, Clone, PartialEq)]
pub struct Parent {
    /// The values of its key, in the order of the foreign key's fields.
    pub values: Vec<Value>,
    /// The related record after which the run begins.
    pub after: Option<Key>,
}

/// A place in the journal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Position {
    /// The time of the change.
    pub changed_at: Timestamp,
    /// Its number, which tells changes of one moment apart.
    pub number: i64,
}

/// A run of the journal.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Changes {
    /// The records as they were after each change.
    pub rows: Vec<Stored>,
    /// The place after which the next run begins, if there is one.
    pub next: Option<Position>,
}

/// Why a backend could not answer. All of it passes by itself or is an operator's to mend: a
/// client keeps what it has and comes again.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum BackendError {
    /// More writes wait than the queue holds.
    #[error("the server has more writes waiting than it takes; try again")]
    Busy,
    /// The server stops.
    #[error("the server is shutting down; try again")]
    ShuttingDown,
    /// A thread of the backend has panicked, which its log tells more of.
    #[error("the server failed; its log says why")]
    Panicked,
    /// A stored record cannot be read.
    #[error("the stored {model} {key} cannot be read: {reason}")]
    Unreadable {
        /// The model.
        model: String,
        /// The record.
        key: Key,
        /// What is wrong with it.
        reason: String,
    },
    /// SQLite has failed.
    #[error("the database failed: {0}")]
    Sqlite(#[from] rusqlite::Error),
}

impl From<&BackendError> for RemoteError {
    fn from(error: &BackendError) -> Self {
        Self::new(RemoteErrorKind::Unavailable, error.to_string())
    }
}
