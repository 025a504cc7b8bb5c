use std::sync::atomic::{AtomicI64, Ordering};

use espressync_model::{ModelId, Timestamp};
use rusqlite::{Connection, params};

use super::shape::Shape;
use crate::backend::{BackendError, Position, Swept};

/// How many rows a batch looks at, so that no write waits for long.
const BATCH: i64 = 500;

const MOVE_START: &str = "UPDATE meta SET value = max(value, ?1) WHERE name = 'journal_start'";

/// The journal's rows of before a moment, and whether each was replaced since: then it is the base
/// of a change that is still told.
const JOURNAL_OLD: &str = "SELECT number, changed_at, EXISTS (SELECT 1 FROM journal AS later \
     WHERE later.model = ?1 AND later.key = old.key AND later.version = old.version + 1 \
     AND later.changed_at >= ?2) \
     FROM journal AS old WHERE model = ?1 AND changed_at < ?2 AND (changed_at, number) > (?3, ?4) \
     ORDER BY changed_at, number LIMIT ?5";

const JOURNAL_REMOVE: &str = "DELETE FROM journal WHERE number = ?1";

const JOURNAL_FORGET: &str = "DELETE FROM journal WHERE model = ?1 AND key = ?2";

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

/// Sweeps a batch of a model's journal, inside the writer's transaction.
pub(super) fn journal(
    connection: &Connection,
    shape: &Shape,
    start: &JournalStart,
    (model, before): (ModelId, Timestamp),
    from: Option<Position>,
) -> Result<Swept, BackendError> {
    start.move_to(before);
    connection.prepare_cached(MOVE_START)?.execute([before.0])?;
    let name = &shape.sql(model).name;
    let from = from.unwrap_or(Position { changed_at: Timestamp(i64::MIN), number: 0 });
    let mut old = connection.prepare_cached(JOURNAL_OLD)?;
    let parameters = params![name, before.0, from.changed_at.0, from.number, BATCH];
    let found = old.query_map(parameters, |row| {
        let position = Position { number: row.get(0)?, changed_at: Timestamp(row.get(1)?) };
        Ok((position, row.get::<_, bool>(2)?))
    })?;
    let found = found.collect::<rusqlite::Result<Vec<_>>>()?;
    let mut remove = connection.prepare_cached(JOURNAL_REMOVE)?;
    let mut swept = Swept { removed: 0, next: next(&found, |(position, _)| *position) };
    for (position, _) in found.iter().filter(|(_, is_base)| !is_base) {
        swept.removed += remove.execute([position.number])?;
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
        Ok((row.get::<_, String>(0)?, row.get::<_, i64>(1)?))
    })?;
    let found = found.collect::<rusqlite::Result<Vec<_>>>()?;
    for (key, version) in &found {
        connection.prepare_cached(NOTE_REMOVED)?.execute(params![sql.name, key, version])?;
        connection.prepare_cached(JOURNAL_FORGET)?.execute(params![sql.name, key])?;
        connection.prepare_cached(&sql.remove)?.execute([key])?;
    }
    // All that was found is gone, so the next batch begins where this one did.
    let start = Position { changed_at: Timestamp::ZERO, number: 0 };
    Ok(Swept { removed: found.len(), next: next(&found, |_| start) })
}

/// Where to go on after a whole batch; nowhere after one that was not filled.
fn next<T>(found: &[T], position: impl Fn(&T) -> Position) -> Option<Position> {
    let is_full = i64::try_from(found.len()).is_ok_and(|count| count == BATCH);
    found.last().map(position).filter(|_| is_full)
}
