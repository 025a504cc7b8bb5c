use std::sync::atomic::{AtomicI64, Ordering};

use espressync_model::{ModelId, Timestamp};
use rusqlite::{Connection, OptionalExtension, params};

use super::shape::{JOURNAL_ENTRY, Shape};
use crate::backend::{BackendError, Position, Swept};

/// How many rows a batch looks at, so that no write waits for long.
const BATCH: i64 = 500;

const MOVE_START: &str = "UPDATE meta SET value = max(value, ?1) WHERE name = 'journal_start'";

const JOURNAL_REMOVE: &str = "DELETE FROM journal WHERE number = ?1";

const NOTE_REMOVED: &str = "INSERT INTO removed (model, key, version) VALUES (?1, ?2, ?3) \
     ON CONFLICT (model, key) DO UPDATE SET version = max(version, ?3)";

/// Since when the journal holds every change. A reader looks at it *after* it has read: it is moved
/// before the first row of before it goes, so who does not find a row finds it moved.
#[derive(Debug)]
pub(super) struct JournalStart(AtomicI64);

impl JournalStart {
    pub(super) fn at(moment: Timestamp) -> Self {
        Self(AtomicI64::new(moment.0))
    }

    pub(super) fn get(&self) -> Timestamp {
        Timestamp(self.0.load(Ordering::SeqCst))
    }

    fn move_to(&self, moment: Timestamp) {
        self.0.fetch_max(moment.0, Ordering::SeqCst);
    }
}

/// Sweeps a batch of a model's journal, inside the writer's transaction. An entry that was replaced
/// is the base of a change: it goes when that change does. One that is the record as it is goes by
/// itself.
pub(super) fn journal(
    connection: &Connection,
    shape: &Shape,
    start: &JournalStart,
    (model, before): (ModelId, Timestamp),
    from: Option<Position>,
) -> Result<Swept, BackendError> {
    start.move_to(before);
    connection.prepare_cached(MOVE_START)?.execute([before.0])?;
    let sql = shape.sql(model);
    let from = from.unwrap_or(Position { changed_at: Timestamp(i64::MIN), number: 0 });
    let mut old = connection.prepare_cached(&sql.journal_old)?;
    let parameters = params![sql.name, before.0, from.changed_at.0, from.number, BATCH];
    let found = old.query_map(parameters, |row| {
        let position = Position { number: row.get(0)?, changed_at: Timestamp(row.get(1)?) };
        Ok((position, row.get::<_, Option<i64>>(2)?, row.get::<_, bool>(3)?))
    })?;
    let found = found.collect::<rusqlite::Result<Vec<_>>>()?;
    let mut remove = connection.prepare_cached(JOURNAL_REMOVE)?;
    let mut swept = Swept { removed: 0, next: next(&found, |(position, ..)| *position) };
    for (position, prior, is_current) in found {
        let gone = prior.into_iter().chain(is_current.then_some(position.number));
        for number in gone {
            swept.removed += remove.execute([number])?;
        }
    }
    Ok(swept)
}

/// Sweeps a batch of a model's tombstones, inside the writer's transaction.
pub(super) fn tombstones(
    connection: &Connection,
    shape: &Shape,
    start: &JournalStart,
    (model, before): (ModelId, Timestamp),
) -> Result<Swept, BackendError> {
    let (sql, before) = (shape.sql(model), before.min(start.get()));
    let mut old = connection.prepare_cached(&sql.tombstones)?;
    let found = old.query_map(params![before.0, BATCH], |row| {
        Ok((row.get::<_, String>(0)?, row.get::<_, i64>(1)?, row.get::<_, Option<i64>>(2)?))
    })?;
    let found = found.collect::<rusqlite::Result<Vec<_>>>()?;
    for (key, version, entry) in &found {
        connection.prepare_cached(NOTE_REMOVED)?.execute(params![sql.name, key, version])?;
        forget(connection, &sql.name, key, *entry)?;
        connection.prepare_cached(&sql.remove)?.execute([key])?;
    }
    // All that was found is gone, so the next batch begins where this one did.
    let start = Position { changed_at: Timestamp::ZERO, number: 0 };
    Ok(Swept { removed: found.len(), next: next(&found, |_| start) })
}

/// Removes a record's entries from the journal.
fn forget(
    connection: &Connection,
    model: &str,
    key: &str,
    newest: Option<i64>,
) -> rusqlite::Result<()> {
    let mut entry = connection.prepare_cached(JOURNAL_ENTRY)?;
    let mut remove = connection.prepare_cached(JOURNAL_REMOVE)?;
    let mut next = newest;
    while let Some(number) = next {
        let prior = |row: &rusqlite::Row<'_>| row.get::<_, Option<i64>>(1);
        let found = entry.query_row(params![number, model, key], prior).optional()?;
        let Some(prior) = found else { break };
        remove.execute([number])?;
        next = prior;
    }
    Ok(())
}

/// Where to go on after a whole batch; nowhere after one that was not filled.
fn next<T>(found: &[T], position: impl Fn(&T) -> Position) -> Option<Position> {
    let is_full = i64::try_from(found.len()).is_ok_and(|count| count == BATCH);
    found.last().map(position).filter(|_| is_full)
}
