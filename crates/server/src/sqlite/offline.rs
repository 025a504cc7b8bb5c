//! A database file in the hands of a command: to look into beside a server, or to change while
//! there is none.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use espressync_model::remote::Mutation;
use espressync_model::{Key, ModelId, Record, Timestamp};
use espressync_resolver::{Caller, Outcome, Rules, Tables, mutate};
use rusqlite::{Connection, OptionalExtension, params};

use super::migrations::{FileLock, OpenError, connect, format_of, lock, open};
use super::renames::Renames;
use super::shape::Shape;
use super::tables::SqliteTables;
use crate::backend::BackendError;

/// What table names begin with.
pub(super) const TABLE: &str = "rows_";

/// A file that is read, as it was at one moment, while a server may go on writing it.
#[derive(Debug)]
pub(crate) struct Snapshot {
    connection: Connection,
    file: PathBuf,
}

/// A row as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RawRow {
    /// Its key.
    pub(crate) key: String,
    /// Its version.
    pub(crate) version: i64,
    /// When it was last changed.
    pub(crate) changed_at: i64,
    /// Whether it is a tombstone.
    pub(crate) deleted: bool,
    /// Its fields, as JSON.
    pub(crate) body: String,
}

/// Entries of the journal that do not agree with the records.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct JournalFaults {
    /// Of records that there are none of.
    pub(crate) orphans: i64,
    /// Newer than their record.
    pub(crate) newer: i64,
}

impl Snapshot {
    /// Opens a file to read it.
    ///
    /// # Errors
    /// [`OpenError`] when it is not there, damaged, not ours, or of a newer version.
    pub(crate) fn open(file: &Path) -> Result<Self, OpenError> {
        if !file.exists() {
            return Err(OpenError::Missing { file: file.to_owned() });
        }
        let failed = |source| OpenError::of(file, source);
        let connection = connect(file).map_err(failed)?;
        if format_of(&connection, file)? == 0 {
            return Err(OpenError::NotOurs { file: file.to_owned() });
        }
        connection.pragma_update(None, "query_only", true).map_err(failed)?;
        // What is read from here on is of one moment.
        connection.execute_batch("BEGIN; SELECT count(*) FROM meta").map_err(failed)?;
        Ok(Self { connection, file: file.to_owned() })
    }

    /// What a transaction that is open sees.
    pub(super) fn within(connection: Connection, file: &Path) -> Self {
        Self { connection, file: file.to_owned() }
    }

    pub(super) fn path(&self) -> &Path {
        &self.file
    }

    pub(super) fn connection(&self) -> &Connection {
        &self.connection
    }

    /// Whether a server, or another command, has the file.
    ///
    /// # Errors
    /// [`OpenError::Io`].
    pub(crate) fn is_in_use(&self) -> Result<bool, OpenError> {
        match lock(&self.file) {
            Ok(_) => Ok(false),
            Err(OpenError::InUse { .. }) => Ok(true),
            Err(error) => Err(error),
        }
    }

    /// The format of the file.
    ///
    /// # Errors
    /// SQLite's.
    pub(crate) fn format(&self) -> rusqlite::Result<i32> {
        self.connection.query_row("PRAGMA user_version", [], |row| row.get(0))
    }

    /// The models that the file has tables of.
    ///
    /// # Errors
    /// SQLite's.
    pub(crate) fn models(&self) -> rusqlite::Result<Vec<String>> {
        let sql = "SELECT substr(name, 6) FROM sqlite_master \
                   WHERE type = 'table' AND substr(name, 1, 5) = ?1 ORDER BY name";
        let mut statement = self.connection.prepare(sql)?;
        statement.query_map([TABLE], |row| row.get(0))?.collect()
    }

    /// Shows each row of a model, in key order, until `see` fails.
    ///
    /// # Errors
    /// SQLite's, or what `see` answers.
    pub(crate) fn rows<E: From<rusqlite::Error>>(
        &self,
        model: &str,
        mut see: impl FnMut(RawRow) -> Result<(), E>,
    ) -> Result<(), E> {
        let sql = format!(
            "SELECT key, version, changed_at, deleted, body FROM \"{TABLE}{model}\" ORDER BY key"
        );
        let mut statement = self.connection.prepare(&sql)?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            see(RawRow {
                key: row.get(0)?,
                version: row.get(1)?,
                changed_at: row.get(2)?,
                deleted: row.get(3)?,
                body: row.get(4)?,
            })?;
        }
        Ok(())
    }

    /// What the schema that the file was last opened with looked like, if the file says so.
    ///
    /// # Errors
    /// SQLite's.
    pub(crate) fn described(&self) -> rusqlite::Result<Option<String>> {
        let sql = "SELECT value FROM meta WHERE name = 'schema'";
        self.connection.query_row(sql, [], |row| row.get(0)).optional()
    }

    /// What of it a schema calls otherwise.
    ///
    /// # Errors
    /// SQLite's.
    pub(crate) fn renames<'a>(&self, rules: &'a Rules) -> rusqlite::Result<Renames<'a>> {
        Renames::of(&self.connection, rules)
    }

    /// What SQLite finds wrong with the file; nothing when it is sound.
    ///
    /// # Errors
    /// SQLite's.
    pub(crate) fn damage(&self) -> rusqlite::Result<Vec<String>> {
        let mut statement = self.connection.prepare("PRAGMA integrity_check(10)")?;
        let found = statement.query_map([], |row| row.get(0))?;
        let found = found.collect::<rusqlite::Result<Vec<String>>>()?;
        Ok(found.into_iter().filter(|line| line != "ok").collect())
    }

    /// What of a model's journal does not agree with its records.
    ///
    /// # Errors
    /// SQLite's.
    pub(crate) fn journal_faults(&self, model: &str) -> rusqlite::Result<JournalFaults> {
        let sql = format!(
            "SELECT count(*) FILTER (WHERE r.key IS NULL), \
             count(*) FILTER (WHERE j.version > r.version) \
             FROM journal j LEFT JOIN \"{TABLE}{model}\" r ON r.key = j.key WHERE j.model = ?1"
        );
        self.connection.query_row(&sql, [model], |row| {
            Ok(JournalFaults { orphans: row.get(0)?, newer: row.get(1)? })
        })
    }

    /// The time of the newest change.
    ///
    /// # Errors
    /// SQLite's.
    pub(crate) fn latest(&self) -> rusqlite::Result<Option<Timestamp>> {
        let sql = "SELECT max(changed_at) FROM journal";
        let latest: Option<i64> = self.connection.query_row(sql, [], |row| row.get(0))?;
        Ok(latest.map(Timestamp))
    }
}

/// A file that nobody else has open, in one transaction: all of what is done, or nothing.
#[derive(Debug)]
pub(crate) struct Change {
    connection: Connection,
    shape: Arc<Shape>,
    journal_start: Timestamp,
    /// The time of what is written: not before that of anything in the file.
    now: Timestamp,
    _lock: FileLock,
}

impl Change {
    /// Takes the file, brings it up to the schema, and begins.
    ///
    /// # Errors
    /// [`OpenError`], before anything is changed.
    pub(crate) fn begin(file: &Path, rules: Arc<Rules>, now: Timestamp) -> Result<Self, OpenError> {
        let shape = Arc::new(Shape::of(rules));
        let lock = lock(file)?;
        let opened = open(&lock, file, &shape, now)?;
        let (connection, journal_start) = (opened.connection, opened.journal_start);
        let failed = |source| OpenError::of(file, source);
        connection.execute_batch("BEGIN IMMEDIATE").map_err(failed)?;
        let now = now.max(opened.latest);
        Ok(Self { connection, shape, journal_start, now, _lock: lock })
    }

    /// The time of what is written.
    #[must_use]
    pub(crate) fn now(&self) -> Timestamp {
        self.now
    }

    /// A stored record.
    ///
    /// # Errors
    /// [`BackendError`].
    pub(crate) fn record(&self, model: ModelId, key: &Key) -> Result<Option<Record>, BackendError> {
        self.tables().record(model, key)
    }

    /// The last version of a record that was removed for good; 0 if there was none.
    ///
    /// # Errors
    /// [`BackendError`].
    pub(crate) fn removed_version(&self, model: ModelId, key: &Key) -> Result<u64, BackendError> {
        self.tables().removed_version(model, key)
    }

    /// Stores a record and enters it into the journal.
    ///
    /// # Errors
    /// [`BackendError`].
    pub(crate) fn put(
        &self,
        model: ModelId,
        key: &Key,
        record: &Record,
    ) -> Result<(), BackendError> {
        self.tables().put(model, key, record)
    }

    /// Carries out a mutation of the operator's.
    ///
    /// # Errors
    /// [`BackendError`]; refusals are an [`Outcome`].
    pub(crate) fn mutate(&self, mutation: &Mutation) -> Result<Outcome, BackendError> {
        let rules = &self.shape.rules;
        mutate(rules, &mut self.tables(), &Caller::Operator, mutation, self.now)
    }

    /// Has every client read everything anew: what was written is older than what they have seen.
    ///
    /// # Errors
    /// SQLite's.
    pub(crate) fn restart_journal(&self) -> rusqlite::Result<()> {
        let sql = "UPDATE meta SET value = ?1 WHERE name = 'journal_start'";
        self.connection.execute(sql, params![self.now.0]).map(drop)
    }

    /// Makes all of it last.
    ///
    /// # Errors
    /// SQLite's; then nothing of it is there.
    pub(crate) fn commit(self) -> rusqlite::Result<()> {
        self.connection.execute_batch("COMMIT")
    }

    fn tables(&self) -> SqliteTables<'_> {
        SqliteTables::new(&self.connection, &self.shape, self.journal_start)
    }
}
