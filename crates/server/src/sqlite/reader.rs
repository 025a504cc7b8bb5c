use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use espressync_model::{Key, ModelId, Timestamp, Value};
use futures::FutureExt;
use rusqlite::{Connection, OptionalExtension, Row, params};
use tokio::sync::Semaphore;

use super::shape::{JOURNAL_CHANGES, Shape};
use super::tables::Found;
use crate::backend::{Answer, BackendError, Changes, Listing, Place, Position, Stored};

/// As many statements as a schema of a few dozen models needs.
const CACHED_STATEMENTS: usize = 256;

const MOST_READERS: usize = 8;

/// A few connections that only read. Each statement sees one moment of the file, and no reader
/// waits for the writer.
#[derive(Debug)]
pub(super) struct Readers {
    idle: Arc<Mutex<Vec<Connection>>>,
    permits: Arc<Semaphore>,
}

impl Readers {
    pub(super) fn open(file: &Path) -> rusqlite::Result<Self> {
        let processors = std::thread::available_parallelism().map_or(2, usize::from);
        let count = processors.clamp(2, MOST_READERS);
        let connections =
            (0..count).map(|_| connect(file)).collect::<rusqlite::Result<Vec<_>>>()?;
        let permits = Arc::new(Semaphore::new(count));
        Ok(Self { idle: Arc::new(Mutex::new(connections)), permits })
    }

    /// Runs `work` on a free connection, off the async threads. Dropping the future does not stop
    /// work that has begun.
    pub(super) fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, BackendError> + Send + 'static,
    ) -> Answer<'_, T> {
        let (idle, permits) = (Arc::clone(&self.idle), Arc::clone(&self.permits));
        async move {
            let permit = permits.acquire_owned().await.map_err(|_| BackendError::ShuttingDown)?;
            let done = tokio::task::spawn_blocking(move || {
                let take = || idle.lock().unwrap_or_else(PoisonError::into_inner);
                // There are as many connections as permits, unless a reader has panicked.
                let connection = take().pop().ok_or(BackendError::Panicked)?;
                let result = work(&connection);
                take().push(connection);
                drop(permit);
                result
            });
            done.await.unwrap_or(Err(BackendError::Panicked))
        }
        .boxed()
    }
}

fn connect(file: &Path) -> rusqlite::Result<Connection> {
    let connection = super::migrations::connect(file)?;
    connection.pragma_update(None, "query_only", true)?;
    connection.set_prepared_statement_cache_capacity(CACHED_STATEMENTS);
    Ok(connection)
}

/// Reads something that every file has.
pub(super) fn check(connection: &Connection) -> Result<(), BackendError> {
    let mut statement = connection.prepare_cached("SELECT count(*) FROM meta")?;
    Ok(statement.query_row([], |_| Ok(()))?)
}

pub(super) fn get(
    connection: &Connection,
    shape: &Shape,
    model: ModelId,
    key: Key,
) -> Result<Option<Stored>, BackendError> {
    let mut statement = connection.prepare_cached(&shape.sql(model).get)?;
    let found = statement.query_row([key.as_str()], Found::of).optional()?;
    Ok(found.map(|found| found.into_stored(shape, model)))
}

pub(super) fn list(
    connection: &Connection,
    shape: &Shape,
    model: ModelId,
    after: Option<&Key>,
    limit: usize,
) -> Result<Listing, BackendError> {
    let mut statement = connection.prepare_cached(&shape.sql(model).list)?;
    let parameters = params![after.map_or("", Key::as_str), one_more(limit)];
    let found = statement.query_map(parameters, Found::of)?;
    let mut found = found.collect::<rusqlite::Result<Vec<_>>>()?;
    let is_more = found.len() > limit;
    found.truncate(limit);
    let rows: Vec<Stored> = found.into_iter().map(|row| row.into_stored(shape, model)).collect();
    let next = rows.last().filter(|_| is_more);
    let next = next.map(|last| Place { sort: Value::Null, key: last.key.clone() });
    Ok(Listing { rows, next })
}

pub(super) fn changes(
    connection: &Connection,
    shape: &Shape,
    model: ModelId,
    since: Timestamp,
    after: Option<Position>,
    limit: usize,
) -> Result<Changes, BackendError> {
    let mut statement = connection.prepare_cached(JOURNAL_CHANGES)?;
    // Numbers begin at 1, so 0 is before every change of the moment itself.
    let after = after.unwrap_or(Position { changed_at: since, number: 0 });
    let name = &shape.sql(model).name;
    let parameters = params![name, after.changed_at.0, after.number, one_more(limit)];
    let read = |row: &Row<'_>| {
        let position = Position { changed_at: Timestamp(row.get(2)?), number: row.get(5)? };
        Ok((Found::of(row)?, position))
    };
    let found = statement.query_map(parameters, read)?;
    let mut found = found.collect::<rusqlite::Result<Vec<_>>>()?;
    let is_more = found.len() > limit;
    found.truncate(limit);
    let next = found.last().map(|(_, position)| *position).filter(|_| is_more);
    let rows = found.into_iter().map(|(found, _)| found.into_stored(shape, model)).collect();
    Ok(Changes { rows, next })
}

/// One row more than wanted shows whether there are more.
fn one_more(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX).saturating_add(1)
}
