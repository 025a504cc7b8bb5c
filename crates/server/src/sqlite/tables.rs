use espressync_model::{Key, Meta, ModelId, Record, Row, Timestamp};
use espressync_resolver::Tables;
use rusqlite::{Connection, OptionalExtension, params};

use super::codec;
use super::shape::{JOURNAL_APPEND, JOURNAL_ROW, REMOVED_VERSION, Shape};
use crate::backend::{BackendError, Stored};

/// What the writer's open transaction offers the resolver.
pub(super) struct SqliteTables<'a> {
    pub(super) connection: &'a Connection,
    pub(super) shape: &'a Shape,
    /// Since when the journal holds every change.
    pub(super) journal_start: Timestamp,
}

impl SqliteTables<'_> {
    fn unreadable(&self, model: ModelId, key: &Key, reason: String) -> BackendError {
        let model = self.shape.schema().model(model).name.clone();
        BackendError::Unreadable { model, key: key.clone(), reason }
    }
}

impl Tables for SqliteTables<'_> {
    type Error = BackendError;

    fn record(&mut self, model: ModelId, key: &Key) -> Result<Option<Record>, BackendError> {
        let mut statement = self.connection.prepare_cached(&self.shape.sql(model).get)?;
        let found = statement.query_row([key.as_str()], Found::of).optional()?;
        let Some(found) = found else { return Ok(None) };
        let stored = found.into_stored(self.shape, model);
        stored.record.map(Some).map_err(|reason| self.unreadable(model, key, reason))
    }

    fn row_at(
        &mut self,
        model: ModelId,
        key: &Key,
        version: u64,
    ) -> Result<Option<Row>, BackendError> {
        let Ok(version) = i64::try_from(version) else { return Ok(None) };
        let (schema, name) = (self.shape.schema(), &self.shape.sql(model).name);
        let mut statement = self.connection.prepare_cached(JOURNAL_ROW)?;
        let parameters = params![name, key.as_str(), version];
        let body: Option<String> = statement.query_row(parameters, |row| row.get(0)).optional()?;
        let row = body.map(|body| codec::decode(schema, schema.model(model), &body)).transpose();
        row.map_err(|reason| self.unreadable(model, key, reason))
    }

    fn removed_version(&mut self, model: ModelId, key: &Key) -> Result<u64, BackendError> {
        let mut statement = self.connection.prepare_cached(REMOVED_VERSION)?;
        let parameters = [self.shape.sql(model).name.as_str(), key.as_str()];
        let version: Option<i64> = statement.query_row(parameters, |row| row.get(0)).optional()?;
        Ok(version.and_then(|version| u64::try_from(version).ok()).unwrap_or_default())
    }

    fn put(&mut self, model: ModelId, key: &Key, record: &Record) -> Result<(), BackendError> {
        let (schema, sql) = (self.shape.schema(), self.shape.sql(model));
        let mut stored = self.connection.prepare_cached(&sql.get)?;
        let stored = stored.query_row([key.as_str()], Found::of).optional()?;
        let stored = stored.as_ref().map(|found| found.body.as_str());
        let body = codec::encode(schema, schema.model(model), &record.row, stored);
        let body = body.map_err(|reason| self.unreadable(model, key, reason))?;
        let Meta { version, changed_at, deleted } = record.meta;
        let version = i64::try_from(version)
            .map_err(|error| rusqlite::Error::ToSqlConversionFailure(error.into()))?;
        // Clients may still write on the version that this one replaces.
        let mut keep = self.connection.prepare_cached(&sql.keep_base)?;
        keep.execute(params![sql.name, key.as_str(), self.journal_start.0])?;
        let mut put = self.connection.prepare_cached(&sql.put)?;
        put.execute(params![key.as_str(), version, changed_at.0, deleted, body])?;
        let mut append = self.connection.prepare_cached(JOURNAL_APPEND)?;
        append.execute(params![sql.name, key.as_str(), version, changed_at.0, deleted, body])?;
        Ok(())
    }
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

    pub(super) fn into_stored(self, shape: &Shape, model: ModelId) -> Stored {
        let row = codec::decode(shape.schema(), shape.schema().model(model), &self.body);
        let record = row.map(|row| Record { row, meta: self.meta });
        Stored { key: Key::from(self.key), record }
    }
}
