use espressync_model::{Key, Meta, ModelId, Record, Row, Timestamp};
use espressync_resolver::Tables;
use rusqlite::{Connection, OptionalExtension, params};

use super::codec;
use super::shape::{
    JOURNAL_APPEND, JOURNAL_BODY, JOURNAL_ENTRY, JOURNAL_NAME, JOURNAL_NAMED, REMOVED_VERSION,
    Shape,
};
use crate::backend::{BackendError, Stored};

/// How many versions back a row is looked for in the journal, one entry after the other: no
/// single mutation may keep the others waiting for long. What lies further back counts as swept.
const MOST_BACK: usize = 64 * 1024;

/// What the writer's open transaction offers the resolver, for one mutation.
pub(super) struct SqliteTables<'a> {
    connection: &'a Connection,
    shape: &'a Shape,
    /// Since when the journal holds every change.
    journal_start: Timestamp,
    /// What was read last, which is what is replaced next.
    last: Option<Last>,
    has_written: bool,
}

/// What is stored under a key, if anything, and as far as was looked where the journal has it.
struct Last {
    model: ModelId,
    key: Key,
    found: Option<Found>,
    /// Versions, from the newest on, and the numbers of their entries.
    entries: Vec<(i64, i64)>,
    /// The number of the entry before.
    next: Option<i64>,
}

impl<'a> SqliteTables<'a> {
    pub(super) fn new(
        connection: &'a Connection,
        shape: &'a Shape,
        journal_start: Timestamp,
    ) -> Self {
        Self { connection, shape, journal_start, last: None, has_written: false }
    }

    /// Whether anything was written, if only by half.
    pub(super) fn has_written(&self) -> bool {
        self.has_written
    }

    /// What is stored under a key.
    fn look_up(&mut self, model: ModelId, key: &Key) -> Result<&mut Last, BackendError> {
        let last = self.last.take().filter(|last| last.model == model && last.key == *key);
        let last = match last {
            Some(last) => last,
            None => {
                let sql = &self.shape.sql(model).get_linked;
                let mut statement = self.connection.prepare_cached(sql)?;
                let found = statement.query_row([key.as_str()], |row| {
                    Ok((Found::of(row)?, row.get::<_, Option<i64>>(5)?))
                });
                let (found, next) = found.optional()?.unzip();
                let (next, entries) = (next.flatten(), Vec::new());
                Last { model, key: key.clone(), found, entries, next }
            }
        };
        Ok(self.last.insert(last))
    }

    /// The number of the journal's entry of a version, if the journal has it.
    fn entry_at(
        &mut self,
        model: ModelId,
        key: &Key,
        version: i64,
    ) -> Result<Option<i64>, BackendError> {
        let (connection, name) = (self.connection, &self.shape.sql(model).name);
        let mut entry = connection.prepare_cached(JOURNAL_ENTRY)?;
        let last = self.look_up(model, key)?;
        while last.entries.last().is_none_or(|(oldest, _)| *oldest > version) {
            let Some(number) = last.next.filter(|_| last.entries.len() < MOST_BACK) else {
                return Ok(None);
            };
            let parameters = params![number, name, key.as_str()];
            let found = entry.query_row(parameters, |row| Ok((row.get(0)?, row.get(1)?)));
            let Some((of, prior)) = found.optional()? else {
                last.next = None;
                return Ok(None);
            };
            last.entries.push((of, number));
            last.next = prior;
        }
        let found = last.entries.binary_search_by(|(of, _)| version.cmp(of));
        Ok(found.ok().map(|place| last.entries[place].1))
    }

    /// The number of the entry of what is about to be replaced, because clients may still write on
    /// it: it is entered anew where the journal has forgotten it.
    fn base(&mut self, model: ModelId, key: &Key) -> Result<Option<i64>, BackendError> {
        let (start, name) = (self.journal_start, &self.shape.sql(model).name);
        let last = self.look_up(model, key)?;
        let Some(found) = &last.found else { return Ok(None) };
        let version = version_of(found.meta)?;
        // What is not swept needs no looking for.
        if last.next.is_some() && last.entries.is_empty() && found.meta.changed_at >= start {
            return Ok(last.next);
        }
        if let Some(number) = self.entry_at(model, key, version)? {
            return Ok(Some(number));
        }
        let last = self.look_up(model, key)?;
        let Some(Found { meta, body, .. }) = &last.found else { return Ok(None) };
        let (meta, body) = (*meta, body.clone());
        self.append(name, key, (meta, &body), None).map(Some)
    }

    /// Enters a version into the journal, and returns the entry's number.
    fn append(
        &self,
        name: &str,
        key: &Key,
        (meta, body): (Meta, &str),
        prior: Option<i64>,
    ) -> Result<i64, BackendError> {
        let (version, changed_at, deleted) = (version_of(meta)?, meta.changed_at.0, meta.deleted);
        let mut append = self.connection.prepare_cached(JOURNAL_APPEND)?;
        let key = key.as_str();
        Ok(append.insert(params![name, key, version, changed_at, deleted, body, prior])?)
    }

    fn unreadable(&self, model: ModelId, key: &Key, reason: String) -> BackendError {
        let model = self.shape.schema().model(model).name.clone();
        BackendError::Unreadable { model, key: key.clone(), reason }
    }
}

impl Tables for SqliteTables<'_> {
    type Error = BackendError;

    fn record(&mut self, model: ModelId, key: &Key) -> Result<Option<Record>, BackendError> {
        let shape = self.shape;
        let Some(found) = &self.look_up(model, key)?.found else { return Ok(None) };
        let record = found.record(shape, model);
        record.map(Some).map_err(|reason| self.unreadable(model, key, reason))
    }

    fn row_at(
        &mut self,
        model: ModelId,
        key: &Key,
        version: u64,
    ) -> Result<Option<Row>, BackendError> {
        let Ok(version) = i64::try_from(version) else { return Ok(None) };
        let Some(number) = self.entry_at(model, key, version)? else { return Ok(None) };
        let mut statement = self.connection.prepare_cached(JOURNAL_BODY)?;
        let body: String = statement.query_row([number], |row| row.get(0))?;
        let schema = self.shape.schema();
        let row = codec::decode(schema, schema.model(model), &body).map(Some);
        row.map_err(|reason| self.unreadable(model, key, reason))
    }

    fn removed_version(&mut self, model: ModelId, key: &Key) -> Result<u64, BackendError> {
        let mut statement = self.connection.prepare_cached(REMOVED_VERSION)?;
        let parameters = [self.shape.sql(model).name.as_str(), key.as_str()];
        let version: Option<i64> = statement.query_row(parameters, |row| row.get(0)).optional()?;
        Ok(version.and_then(|version| u64::try_from(version).ok()).unwrap_or_default())
    }

    fn put(&mut self, model: ModelId, key: &Key, record: &Record) -> Result<(), BackendError> {
        let shape = self.shape;
        let (schema, sql) = (shape.schema(), shape.sql(model));
        let stored = self.look_up(model, key)?.found.as_ref().map(|found| found.body.as_str());
        let body = codec::encode(schema, schema.model(model), &record.row, stored);
        let body = body.map_err(|reason| self.unreadable(model, key, reason))?;
        self.has_written = true;
        let base = self.base(model, key)?;
        let entry = self.append(&sql.name, key, (record.meta, &body), base)?;
        self.last = None;
        let Meta { changed_at, deleted, .. } = record.meta;
        let version = version_of(record.meta)?;
        let mut put = self.connection.prepare_cached(&sql.put)?;
        put.execute(params![key.as_str(), version, changed_at.0, deleted, body, entry])?;
        Ok(())
    }

    fn name(
        &mut self,
        model: ModelId,
        key: &Key,
        version: u64,
        once: u64,
    ) -> Result<(), BackendError> {
        let Ok(version) = i64::try_from(version) else { return Ok(()) };
        if let Some(number) = self.entry_at(model, key, version)? {
            let mut name = self.connection.prepare_cached(JOURNAL_NAME)?;
            name.execute(params![number, once.cast_signed()])?;
        }
        Ok(())
    }

    fn is_named(
        &mut self,
        model: ModelId,
        key: &Key,
        version: u64,
        once: u64,
    ) -> Result<bool, BackendError> {
        let Ok(version) = i64::try_from(version) else { return Ok(false) };
        let Some(number) = self.entry_at(model, key, version)? else { return Ok(false) };
        let mut named = self.connection.prepare_cached(JOURNAL_NAMED)?;
        Ok(named.exists(params![number, once.cast_signed()])?)
    }
}

/// A version as SQLite has it.
fn version_of(meta: Meta) -> rusqlite::Result<i64> {
    i64::try_from(meta.version)
        .map_err(|error| rusqlite::Error::ToSqlConversionFailure(error.into()))
}

/// A row of a model's table or of the journal, not read yet.
pub(super) struct Found {
    key: String,
    meta: Meta,
    body: String,
}

impl Found {
    /// Takes the columns `key, version, changed_at, deleted, body`.
    pub(super) fn of(row: &rusqlite::Row<'_>) -> rusqlite::Result<Self> {
        let version: i64 = row.get(1)?;
        let meta = Meta {
            version: u64::try_from(version).unwrap_or_default(),
            changed_at: Timestamp(row.get(2)?),
            deleted: row.get(3)?,
        };
        Ok(Self { key: row.get(0)?, meta, body: row.get(4)? })
    }

    fn record(&self, shape: &Shape, model: ModelId) -> Result<Record, String> {
        let row = codec::decode(shape.schema(), shape.schema().model(model), &self.body);
        row.map(|row| Record { row, meta: self.meta })
    }

    pub(super) fn into_stored(self, shape: &Shape, model: ModelId) -> Stored {
        let record = self.record(shape, model);
        Stored { key: Key::from(self.key), record }
    }
}
