use std::sync::Arc;
use std::time::Duration;

use espressync_model::remote::{Change, Mutation, RemoteError, RemoteErrorKind};
use espressync_model::{Direction, Key, ModelId, Record, Timestamp, Value};
use espressync_resolver::Caller;
use futures::future::BoxFuture;
use thiserror::Error;

use crate::ways::Way;

/// Where records live. SQLite is the one there is; PostgreSQL and DynamoDB are to follow.
///
/// A backend carries out mutations by [`resolver::mutate`](espressync_resolver::mutate) inside its
/// own transaction, tells its [`Events`] after the commit, in commit order per record, and keeps a
/// journal of every accepted write.
pub trait Backend: Send + Sync {
    /// Carries out a caller's mutations in their order and answers one by one, once they are
    /// durable. One that fails does not touch the others.
    fn write(&self, caller: Arc<Caller>, mutations: Vec<Mutation>) -> BoxFuture<'_, Vec<Written>>;

    /// The records of these keys, in their order, tombstones included.
    fn get(&self, model: ModelId, keys: Vec<Key>) -> Answer<'_, Vec<Option<Stored>>>;

    /// A run of a model's records in key order, tombstones included, after a key.
    fn list(&self, model: ModelId, after: Option<Key>, limit: usize) -> Answer<'_, Listing>;

    /// From each start a run of a model's records, tombstones included. The way must be one of
    /// the schema's [`ways`](crate::ways::ways), for which there is an index.
    fn walk(
        &self,
        model: ModelId,
        walk: Walk,
        starts: Vec<Start>,
        limit: usize,
    ) -> Answer<'_, Vec<Listing>>;

    /// A run of the journal: a model's changes at or after a moment, in commit order;
    /// [`JournalGone`](BackendError::JournalGone) when it no longer holds all of them.
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

    /// Looks at a batch of a model's journal, from a place on, and removes what was changed before
    /// a moment and is no base of a later change. The journal's start is moved first.
    fn sweep_journal(
        &self,
        model: ModelId,
        before: Timestamp,
        from: Option<Position>,
    ) -> Answer<'_, Swept>;

    /// Removes a batch of a model's tombstones of before a moment, which must not be later than
    /// the journal's start, with what is left of them in the journal.
    fn sweep_tombstones(&self, model: ModelId, before: Timestamp) -> Answer<'_, Swept>;

    /// A secret of the database's own, which goes out to nobody.
    fn secret(&self) -> &str;

    /// Whether it works: answers a read, and takes a write.
    fn check(&self) -> Answer<'_, ()>;

    /// How many requests' mutations wait to be written.
    fn waiting(&self) -> usize;

    /// Finishes the commits under way and refuses new ones.
    fn close(&self) -> BoxFuture<'_, ()>;
}

/// What a backend tells of its commits. Called on the writer's thread: it must not block.
pub trait Events: Send + Sync {
    /// Records have changed; in commit order.
    fn publish(&self, changes: Vec<Change>);

    /// A batch of mutations has been committed, before any of them is answered.
    fn committed(&self, _commit: &Commit) {}

    /// Nothing of a batch could be written.
    fn failed(&self) {}

    /// A handler has not decided a conflict, for this reason. Its client comes again.
    fn undecided(&self, _reason: Undecided) {}
}

/// Why a handler has not decided a conflict.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Undecided {
    /// It gave no answer.
    NoAnswer,
    /// Its answer is none of those it may give: it has to be mended.
    BadAnswer,
    /// The record kept changing meanwhile.
    Restless,
}

/// What became of the mutations that shared a commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Commit {
    /// How many were carried out, or had been before.
    pub accepted: usize,
    /// How many were refused.
    pub refused: usize,
    /// How long it took.
    pub took: Duration,
}

/// The answer to one mutation: what it has led to, or why it was refused.
pub type Written = Result<Accepted, RemoteError>;

/// What a mutation that was not refused has led to.
#[derive(Debug, Clone, PartialEq)]
pub struct Accepted {
    /// The record as it is now.
    pub record: Record,
    /// Whether the mutation made this version; else there was nothing left to do.
    pub is_new: bool,
}

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

/// A run of records in some order.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Listing {
    /// The records.
    pub rows: Vec<Stored>,
    /// The place after which the next run begins, if there is one.
    pub next: Option<Place>,
}

/// A record's place in an order.
#[derive(Debug, Clone, PartialEq)]
pub struct Place {
    /// What it is sorted by, in the backend's own form; null where keys alone order.
    pub sort: Value,
    /// The record's key.
    pub key: Key,
}

/// How to go through records that an index orders.
#[derive(Debug, Clone, PartialEq)]
pub struct Walk {
    /// The way.
    pub way: Way,
    /// The part of it.
    pub range: Range,
    /// Up or down.
    pub direction: Direction,
}

/// A condition on what orders the records: values for the first of the way's sort fields, or for
/// more of them. Those of several are compared as one text, joined by `#`.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum Range {
    /// No condition.
    #[default]
    All,
    /// The same.
    Eq(Vec<Value>),
    /// Less.
    Lt(Vec<Value>),
    /// Less or the same.
    Le(Vec<Value>),
    /// Greater.
    Gt(Vec<Value>),
    /// Greater or the same.
    Ge(Vec<Value>),
    /// From the first to the second, both included.
    Between(Vec<Value>, Vec<Value>),
    /// Text that begins with this.
    BeginsWith(Vec<Value>),
}

/// Where a walk begins.
#[derive(Debug, Clone, PartialEq)]
pub struct Start {
    /// The values of the way's fields that are given.
    pub values: Vec<Value>,
    /// The place after which the run begins.
    pub after: Option<Place>,
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

/// What a batch of sweeping came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Swept {
    /// How many rows were removed.
    pub removed: usize,
    /// Where the next batch begins, if there is one.
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
    /// What was asked for has been swept from the journal: all records tell it too.
    #[error("the journal no longer holds all changes since then; ask for everything")]
    JournalGone,
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
    /// A push has brought the database to another schema, which the server is about to take up.
    #[error("the server is taking up a new schema; try again")]
    Superseded,
    /// Another program, such as a push, writes to the database.
    #[error("the database is being changed by another program; try again")]
    Locked,
    /// SQLite has failed.
    #[error("the database failed: {0}")]
    Sqlite(#[source] rusqlite::Error),
}

impl From<rusqlite::Error> for BackendError {
    fn from(error: rusqlite::Error) -> Self {
        match error.sqlite_error_code() {
            Some(rusqlite::ErrorCode::DatabaseBusy) => Self::Locked,
            _ => Self::Sqlite(error),
        }
    }
}

impl From<&BackendError> for RemoteError {
    fn from(error: &BackendError) -> Self {
        Self::new(RemoteErrorKind::Unavailable, error.to_string())
    }
}
