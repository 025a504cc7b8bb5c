//! SQLite: one writer thread that commits many waiting mutations at once, readers on a small pool.

mod codec;
mod described;
mod migrations;
mod offline;
mod pace;
mod push;
mod reader;
mod renames;
mod shape;
mod sweep;
mod tables;
mod walk;
mod writer;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use espressync_model::remote::{Mutation, RemoteError};
use espressync_model::{Key, ModelId, Timestamp};
use espressync_resolver::{Caller, Decision, Rules};
use futures::FutureExt;
use futures::future::{BoxFuture, join_all};
use rusqlite::Connection;
use tokio::runtime::Handle;
use tokio::sync::Notify;

use crate::backend::{
    Answer, Backend, BackendError, Changes, Events, Listing, Position, Start, Stored, Swept, Walk,
    Written,
};
use crate::clock::CommitClock;
use crate::conflicts::{Attempt, ConflictHandler, Referee};
pub(crate) use codec::read_value;
pub(crate) use described::{Described, DescribedModel, describe, stored_as};
pub use migrations::OpenError;
use migrations::{FileLock, Opened, lock, open};
pub(crate) use offline::{Change, JournalFaults, RawRow, Snapshot};
pub(crate) use push::{Push, Pushed, TakenUp, Uptake};
use reader::Readers;
pub(crate) use renames::{Moved, Renames};
use shape::Shape;
use sweep::JournalStart;
use writer::{Task, Writer};

/// How often a server looks whether a push has changed its file.
const LOOK: Duration = Duration::from_millis(250);

/// A database file that is open.
#[derive(Debug)]
pub struct SqliteBackend {
    shape: Arc<Shape>,
    clock: Arc<CommitClock>,
    writer: Writer,
    referee: Referee,
    readers: Readers,
    journal_start: Arc<JournalStart>,
    is_new: bool,
    identity: String,
    secret: String,
    file: PathBuf,
    /// How many pushes the file had seen when it was opened: what is written here is by the schema
    /// of that time.
    pushes: i64,
    superseded: Arc<Notify>,
    /// Held as long as the file is in use: a second server would break the order of commits.
    lock: FileLock,
}

impl SqliteBackend {
    /// Opens a file, or makes it, and brings its tables up to the schema.
    ///
    /// # Errors
    /// [`OpenError`], before anything in the file is changed, when it is in use, damaged, not
    /// ours, or of a newer version.
    pub fn open(
        file: &Path,
        rules: Arc<Rules>,
        time: impl Fn() -> Timestamp + Send + Sync + 'static,
        events: Arc<dyn Events>,
    ) -> Result<Self, OpenError> {
        let shape = Arc::new(Shape::of(rules));
        let lock = lock(file)?;
        let opened = open(&lock, file, &shape, time())?;
        let clock = CommitClock::new(time, opened.latest);
        Self::begin(file, shape, opened, clock, lock, events)
    }

    /// Opens the file of a backend that is [closed](Backend::close) under other rules. Nobody else
    /// gets it in between, and the clock goes on.
    ///
    /// # Errors
    /// [`OpenError`], as when it is opened for the first time.
    pub(crate) fn reopen(
        &self,
        rules: Arc<Rules>,
        events: Arc<dyn Events>,
    ) -> Result<Self, OpenError> {
        let shape = Arc::new(Shape::of(rules));
        let (clock, lock) = (Arc::clone(&self.clock), self.lock.clone());
        let opened = open(&lock, &self.file, &shape, clock.horizon())?;
        Self::begin(&self.file, shape, opened, clock, lock, events)
    }

    fn begin(
        file: &Path,
        shape: Arc<Shape>,
        opened: Opened,
        clock: Arc<CommitClock>,
        lock: FileLock,
        events: Arc<dyn Events>,
    ) -> Result<Self, OpenError> {
        let referee = Referee::new(Arc::clone(&shape.rules), Arc::clone(&events));
        let journal_start = Arc::new(JournalStart::at(opened.journal_start));
        let readers = Readers::open(file).map_err(|source| OpenError::of(file, source))?;
        let superseded = Arc::new(Notify::new());
        let writer = Writer::start(writer::Parts {
            connection: opened.connection,
            shape: Arc::clone(&shape),
            journal_start: Arc::clone(&journal_start),
            clock: Arc::clone(&clock),
            events,
            pushes: opened.pushes,
            superseded: Arc::clone(&superseded),
            runtime: Handle::try_current().ok(),
        })
        .map_err(|source| OpenError::Io { file: file.to_owned(), source })?;
        Ok(Self {
            shape,
            clock,
            writer,
            referee,
            readers,
            journal_start,
            is_new: opened.is_new,
            identity: opened.identity,
            secret: opened.secret,
            file: file.to_owned(),
            pushes: opened.pushes,
            superseded,
            lock,
        })
    }

    /// Resolves when a push has brought the file to another schema: what is written from then on
    /// is refused, as something to try again, until the file is [opened anew](Self::reopen).
    pub(crate) async fn superseded(&self) {
        loop {
            let pushes = self.readers.read(|connection| Ok(migrations::pushes(connection)?));
            match pushes.await {
                Ok(pushes) if pushes == self.pushes => {}
                Ok(_) => return,
                Err(error) => tracing::warn!(%error, "cannot look for a push"),
            }
            // Where there are writes, they find it first.
            let _ = tokio::time::timeout(LOOK, self.superseded.notified()).await;
        }
    }

    /// The schema that the last push has brought, with the number of that push.
    pub(crate) fn pushed(&self) -> Answer<'_, (i64, Option<Pushed>)> {
        self.readers.read(|connection| Ok(push::last(connection)?))
    }

    /// Tells a push what became of it.
    pub(crate) fn tell_push(&self, taken_up: TakenUp) -> Answer<'_, ()> {
        self.chore(move |connection| Ok(push::say(connection, &taken_up)?))
    }

    /// How many pushes the file had seen when it was opened.
    pub(crate) fn pushes(&self) -> i64 {
        self.pushes
    }

    /// This backend with who decides the conflicts of the models whose strategy is
    /// [`Handler`](espressync_resolver::ConflictStrategy::Handler).
    #[must_use]
    pub fn with_handler(mut self, handler: Arc<dyn ConflictHandler>) -> Self {
        self.referee = self.referee.with_handler(handler);
        self
    }

    /// Hands a decision about a contested mutation to the writer.
    async fn settle(&self, caller: Arc<Caller>, mutation: Mutation, decision: Decision) -> Attempt {
        let task = Task { mutation, decision: Some(decision) };
        let error = match self.writer.write(caller, vec![task]) {
            Ok(answers) => match answers.await.ok().and_then(|mut answers| answers.pop()) {
                Some(attempt) => return attempt,
                None => BackendError::ShuttingDown,
            },
            Err(error) => error,
        };
        Attempt::Done(Err(RemoteError::from(&error)))
    }

    /// Has the writer do something in a transaction of its own, between its batches.
    fn chore<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, BackendError> + Send + 'static,
    ) -> Answer<'_, T> {
        let answer = self.writer.carry_out(work);
        async move { answer?.await.unwrap_or(Err(BackendError::ShuttingDown)) }.boxed()
    }

    /// Names the database for ever: another one, with other records, has another name.
    #[must_use]
    pub fn identity(&self) -> &str {
        &self.identity
    }

    /// Whether nothing has ever been written to the file.
    #[must_use]
    pub fn is_new(&self) -> bool {
        self.is_new
    }
}

impl Backend for SqliteBackend {
    fn write(&self, caller: Arc<Caller>, mutations: Vec<Mutation>) -> BoxFuture<'_, Vec<Written>> {
        let count = mutations.len();
        let tasks = mutations.into_iter().map(|mutation| Task { mutation, decision: None });
        let answers = self.writer.write(Arc::clone(&caller), tasks.collect());
        async move {
            let refused = |error: BackendError| vec![Err(RemoteError::from(&error)); count];
            let attempts = match answers {
                Ok(answers) => match answers.await {
                    Ok(attempts) => attempts,
                    Err(_) => return refused(BackendError::ShuttingDown),
                },
                Err(error) => return refused(error),
            };
            let ends = attempts.into_iter().map(|attempt| {
                self.referee.end(&caller, attempt, |mutation, decision| {
                    self.settle(Arc::clone(&caller), mutation, decision)
                })
            });
            join_all(ends).await
        }
        .boxed()
    }

    fn get(&self, model: ModelId, keys: Vec<Key>) -> Answer<'_, Vec<Option<Stored>>> {
        if keys.is_empty() {
            return std::future::ready(Ok(Vec::new())).boxed();
        }
        let shape = Arc::clone(&self.shape);
        self.readers.read(move |connection| {
            keys.into_iter().map(|key| reader::get(connection, &shape, model, key)).collect()
        })
    }

    fn list(&self, model: ModelId, after: Option<Key>, limit: usize) -> Answer<'_, Listing> {
        let shape = Arc::clone(&self.shape);
        self.readers
            .read(move |connection| reader::list(connection, &shape, model, after.as_ref(), limit))
    }

    fn walk(
        &self,
        model: ModelId,
        walk: Walk,
        starts: Vec<Start>,
        limit: usize,
    ) -> Answer<'_, Vec<Listing>> {
        let shape = Arc::clone(&self.shape);
        self.readers.read(move |connection| {
            let starts = starts.iter();
            starts.map(|start| walk::walk(connection, &shape, model, &walk, start, limit)).collect()
        })
    }

    fn changes(
        &self,
        model: ModelId,
        since: Timestamp,
        after: Option<Position>,
        limit: usize,
    ) -> Answer<'_, Changes> {
        let (shape, start) = (Arc::clone(&self.shape), Arc::clone(&self.journal_start));
        self.readers.read(move |connection| {
            let changes = reader::changes(connection, &shape, model, since, after, limit)?;
            let wanted = after.map_or(since, |after| after.changed_at.max(since));
            if wanted < start.get() { Err(BackendError::JournalGone) } else { Ok(changes) }
        })
    }

    fn sweep_journal(
        &self,
        model: ModelId,
        before: Timestamp,
        from: Option<Position>,
    ) -> Answer<'_, Swept> {
        let (shape, start) = (Arc::clone(&self.shape), Arc::clone(&self.journal_start));
        self.chore(move |connection| {
            sweep::journal(connection, &shape, &start, (model, before), from)
        })
    }

    fn sweep_tombstones(&self, model: ModelId, before: Timestamp) -> Answer<'_, Swept> {
        let (shape, start) = (Arc::clone(&self.shape), Arc::clone(&self.journal_start));
        self.chore(move |connection| sweep::tombstones(connection, &shape, &start, (model, before)))
    }

    fn horizon(&self) -> Timestamp {
        self.clock.horizon()
    }

    fn journal_start(&self) -> Timestamp {
        self.journal_start.get()
    }

    fn secret(&self) -> &str {
        &self.secret
    }

    fn check(&self) -> Answer<'_, ()> {
        let answers = self.writer.write(Arc::new(Caller::Operator), Vec::new());
        async move {
            self.readers.read(reader::check).await?;
            answers?.await.map(|_| ()).map_err(|_| BackendError::ShuttingDown)
        }
        .boxed()
    }

    fn waiting(&self) -> usize {
        self.writer.waiting()
    }

    fn close(&self) -> BoxFuture<'_, ()> {
        let thread = self.writer.close();
        async move {
            if let Some(thread) = thread {
                let joined = tokio::task::spawn_blocking(move || thread.join()).await;
                if !matches!(joined, Ok(Ok(()))) {
                    tracing::error!("the writer ended in a panic");
                }
            }
        }
        .boxed()
    }
}
