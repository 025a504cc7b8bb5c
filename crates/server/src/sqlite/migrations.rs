use std::collections::BTreeMap;
use std::fs::{File, OpenOptions, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use espressync_model::Timestamp;
use rusqlite::{Connection, ErrorCode, OpenFlags, OptionalExtension, ToSql, params};
use thiserror::Error;
use uuid::Uuid;

use super::renames::Renames;
use super::shape::Shape;

/// Marks a file as ours, in the header field that SQLite keeps for this: "EspS".
const APPLICATION_ID: i32 = 0x4573_7053;

/// The version of the format that this program writes. The steps from each older one follow
/// [`FORMATS`].
pub(super) const FORMAT: i32 = 4;

/// What leads from each format to the next, the first from an empty file.
const FORMATS: [fn(&Connection) -> rusqlite::Result<()>; 4] = [
    |file| file.execute_batch(include_str!("migrations/1.sql")),
    |file| file.execute_batch(include_str!("migrations/2.sql")),
    |file| {
        file.execute_batch(include_str!("migrations/3.sql"))?;
        link_records(file)?;
        file.execute_batch("DROP INDEX journal_by_version")
    },
    |file| file.execute_batch(include_str!("migrations/4.sql")),
];

/// After so many pages the log is copied into the file, which flushes the disk twice. The more, the
/// more often a page is changed again before it is copied; 16 MB are read in no time after a crash.
const CHECKPOINT_PAGES: i32 = 4000;

pub(super) const BUSY_TIMEOUT: Duration = Duration::from_secs(5);
const CACHED_STATEMENTS: usize = 256;

/// How many KiB of the file the writer keeps in memory at most. Each new record goes to a
/// page that its key chooses, which would often have to be read first.
const CACHE_KIB: i32 = 64 * 1024;

/// Why a database file was not opened. Nothing in it was changed.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum OpenError {
    /// Another process has it open.
    #[error(
        "{file} is in use by another espressync, such as a server: stop that one and come again, \
         or choose another --data"
    )]
    InUse {
        /// The file.
        file: PathBuf,
    },
    /// It is not there.
    #[error("there is no database {file}: name it by --data")]
    Missing {
        /// The file.
        file: PathBuf,
    },
    /// It was written by a newer program.
    #[error(
        "{file} was written by a newer espressync (format {found}, this one knows up to \
         {known}): start the newer version; the file was not touched"
    )]
    Newer {
        /// The file.
        file: PathBuf,
        /// Its format.
        found: i32,
        /// The newest format this program knows.
        known: i32,
    },
    /// It is another program's database.
    #[error("{file} is a database of another program: choose another --data; it was not touched")]
    NotOurs {
        /// The file.
        file: PathBuf,
    },
    /// It is damaged, or no database at all.
    #[error(
        "{file} is damaged or is no database: move it away and restore a backup; it was not touched"
    )]
    Corrupt {
        /// The file.
        file: PathBuf,
        /// What SQLite says.
        source: rusqlite::Error,
    },
    /// Two models have names that a database cannot tell apart.
    #[error("the models `{first}` and `{second}` differ only in case, which tables may not")]
    SameTable {
        /// One.
        first: String,
        /// The other.
        second: String,
    },
    /// A model is said to have had another name, and records are stored under both.
    #[error(
        "the schema says that `{new}` was `{old}`, but there are records of both: export those of \
         one, import them as the other's, and push without them; or take the @renamed away. \
         Nothing was touched"
    )]
    BothNames {
        /// The earlier name.
        old: String,
        /// The new one.
        new: String,
    },
    /// The file, or its lock, cannot be opened.
    #[error("cannot open {file}: {source}")]
    Io {
        /// The file.
        file: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// SQLite cannot open it for another reason.
    #[error("cannot open {file}: {source}")]
    Sqlite {
        /// The file.
        file: PathBuf,
        /// Why.
        source: rusqlite::Error,
    },
}

impl OpenError {
    pub(super) fn of(file: &Path, source: rusqlite::Error) -> Self {
        let file = file.to_owned();
        match source.sqlite_error_code() {
            Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt) => {
                Self::Corrupt { file, source }
            }
            _ => Self::Sqlite { file, source },
        }
    }
}

/// Keeps a second process from the file for as long as one of these lives, or the process does.
#[derive(Debug, Clone)]
pub(super) struct FileLock(#[allow(dead_code, reason = "held, never read")] Arc<File>);

/// A file that is ready.
pub(super) struct Opened {
    pub(super) connection: Connection,
    pub(super) journal_start: Timestamp,
    /// The time of the newest change.
    pub(super) latest: Timestamp,
    pub(super) is_new: bool,
    /// Names the database for ever, wherever the file is moved.
    pub(super) identity: String,
    /// What only whoever has the file knows.
    pub(super) secret: String,
    /// How many pushes it has seen.
    pub(super) pushes: i64,
}

/// Opens a file that is locked: looks first, and changes it only when all is well.
pub(super) fn open(
    _lock: &FileLock,
    file: &Path,
    shape: &Shape,
    now: Timestamp,
) -> Result<Opened, OpenError> {
    refuse_same_tables(shape)?;
    let failed = |source| OpenError::of(file, source);
    let connection = Connection::open(file).map_err(failed)?;
    let format = format_of(&connection, file)?;
    if format > 0 {
        refuse_clashes(&Renames::of(&connection, &shape.rules).map_err(failed)?)?;
    }
    prepare(&connection).map_err(failed)?;
    let pushes = migrate(&connection, format, shape, now).map_err(failed)?;
    let (journal_start, latest) = moments(&connection).map_err(failed)?;
    let is_new = latest.is_none() && is_empty(&connection, shape).map_err(failed)?;
    // What has been swept from the journal is older than its start.
    let latest = latest.unwrap_or(if is_new { Timestamp::ZERO } else { journal_start });
    let value = "SELECT value FROM meta WHERE name = ?1";
    let value = |name| connection.query_row(value, [name], |row| row.get(0)).map_err(failed);
    let (identity, secret) = (value("identity")?, value("secret")?);
    Ok(Opened { connection, journal_start, latest, is_new, identity, secret, pushes })
}

/// Another way into a file that is there.
pub(super) fn connect(file: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(file, flags)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    Ok(connection)
}

pub(super) fn refuse_same_tables(shape: &Shape) -> Result<(), OpenError> {
    let mut names = BTreeMap::new();
    for model in shape.models() {
        if let Some(first) = names.insert(model.name.to_lowercase(), model.name.clone()) {
            return Err(OpenError::SameTable { first, second: model.name.clone() });
        }
    }
    Ok(())
}

/// Refuses a schema that calls a model otherwise where both names have records.
fn refuse_clashes(renames: &Renames<'_>) -> Result<(), OpenError> {
    match renames.clashes().first().cloned() {
        Some((old, new)) => Err(OpenError::BothNames { old, new }),
        None => Ok(()),
    }
}

pub(super) fn lock(file: &Path) -> Result<FileLock, OpenError> {
    let failed = |source| OpenError::Io { file: file.to_owned(), source };
    let mut name = file.as_os_str().to_owned();
    name.push(".lock");
    let mut options = OpenOptions::new();
    let lock = options.create(true).truncate(false).write(true).open(name).map_err(failed)?;
    match lock.try_lock() {
        Ok(()) => Ok(FileLock(Arc::new(lock))),
        Err(TryLockError::WouldBlock) => Err(OpenError::InUse { file: file.to_owned() }),
        Err(TryLockError::Error(source)) => Err(failed(source)),
    }
}

/// The file's format; 0 for an empty one.
pub(super) fn format_of(connection: &Connection, file: &Path) -> Result<i32, OpenError> {
    let look = || -> rusqlite::Result<(i32, i32, i64)> {
        let number = |sql| connection.query_row(sql, [], |row| row.get(0));
        let tables = "SELECT count(*) FROM sqlite_master";
        let tables = connection.query_row(tables, [], |row| row.get(0))?;
        Ok((number("PRAGMA application_id")?, number("PRAGMA user_version")?, tables))
    };
    let file = file.to_owned();
    match look().map_err(|source| OpenError::of(&file, source))? {
        (0, 0, 0) => Ok(0),
        (APPLICATION_ID, found, _) if found > FORMAT => {
            Err(OpenError::Newer { file, found, known: FORMAT })
        }
        (APPLICATION_ID, found, _) => Ok(found),
        _ => Err(OpenError::NotOurs { file }),
    }
}

/// Settings of the writer's connection. An acknowledged write survives a power cut: FULL flushes
/// the log at every commit.
pub(super) fn prepare(connection: &Connection) -> rusqlite::Result<()> {
    connection.busy_timeout(BUSY_TIMEOUT)?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "fullfsync", true)?;
    connection.pragma_update(None, "wal_autocheckpoint", CHECKPOINT_PAGES)?;
    connection.pragma_update(None, "cache_size", -CACHE_KIB)?;
    connection.set_prepared_statement_cache_capacity(CACHED_STATEMENTS);
    Ok(())
}

/// Brings a file up to a schema, all of it or nothing. Returns how many pushes it has seen.
fn migrate(
    connection: &Connection,
    format: i32,
    shape: &Shape,
    now: Timestamp,
) -> rusqlite::Result<i64> {
    let transaction = connection.unchecked_transaction()?;
    bring_up(&transaction, format, shape, now)?;
    let pushes = pushes(&transaction)?;
    transaction.commit()?;
    Ok(pushes)
}

/// Walks the format up one step at a time, then adds the tables and indexes that the schema has
/// gained, inside of a transaction.
pub(super) fn bring_up(
    transaction: &Connection,
    format: i32,
    shape: &Shape,
    now: Timestamp,
) -> rusqlite::Result<()> {
    let done = usize::try_from(format).unwrap_or_default();
    for step in FORMATS.iter().skip(done) {
        step(transaction)?;
    }
    if format == 0 {
        transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
        let start = "INSERT INTO meta (name, value) VALUES ('journal_start', ?1)";
        transaction.execute(start, params![now.0])?;
    }
    // Given once, to a new file or to one of before files had them.
    let once = "INSERT INTO meta (name, value) VALUES (?1, ?2) ON CONFLICT DO NOTHING";
    transaction.execute(once, params!["identity", Uuid::new_v4().to_string()])?;
    let secret = format!("{}{}", Uuid::new_v4().simple(), Uuid::new_v4().simple());
    transaction.execute(once, params!["secret", secret])?;
    // Notes the schema too, which the next one is compared with.
    Renames::of(transaction, &shape.rules)?.carry_out(transaction, now)?;
    transaction.pragma_update(None, "user_version", FORMAT)?;
    for model in shape.models() {
        transaction.execute_batch(&model.create_table)?;
        for index in &model.create_indexes {
            transaction.execute_batch(index)?;
        }
    }
    Ok(())
}

/// Notes something about the file in the file.
pub(super) fn remember(
    connection: &Connection,
    name: &str,
    value: impl ToSql,
) -> rusqlite::Result<()> {
    let sql = "INSERT INTO meta (name, value) VALUES (?1, ?2) ON CONFLICT DO UPDATE SET value = ?2";
    connection.prepare_cached(sql)?.execute(params![name, value]).map(drop)
}

/// How many pushes a file has seen.
pub(super) fn pushes(connection: &Connection) -> rusqlite::Result<i64> {
    let sql = "SELECT value FROM meta WHERE name = 'pushes'";
    let pushes = connection.prepare_cached(sql)?.query_row([], |row| row.get(0)).optional()?;
    Ok(pushes.unwrap_or_default())
}

/// Notes beside each record which entry of the journal holds it, also of models that the schema no
/// longer has.
fn link_records(file: &Connection) -> rusqlite::Result<()> {
    let tables = "SELECT substr(name, 6) FROM sqlite_master \
                  WHERE type = 'table' AND substr(name, 1, 5) = 'rows_'";
    let mut tables = file.prepare(tables)?;
    let models = tables.query_map([], |row| row.get(0))?;
    for model in models.collect::<rusqlite::Result<Vec<String>>>()? {
        let table = format!("\"rows_{model}\"");
        file.execute_batch(&format!("ALTER TABLE {table} ADD COLUMN entry INTEGER"))?;
        let link = format!(
            "UPDATE {table} SET entry = (SELECT number FROM journal WHERE model = ?1 \
             AND journal.key = {table}.key AND journal.version = {table}.version)"
        );
        file.execute(&link, [&model])?;
    }
    Ok(())
}

/// Whether no model's table has ever held a record.
fn is_empty(connection: &Connection, shape: &Shape) -> rusqlite::Result<bool> {
    let has = |table: &str| {
        let sql = format!("SELECT EXISTS (SELECT 1 FROM {table})");
        connection.query_row(&sql, [], |row| row.get::<_, bool>(0))
    };
    for model in shape.models() {
        if has(&model.table)? {
            return Ok(false);
        }
    }
    Ok(!has("removed")?)
}

/// Since when the journal holds every change, and when the newest was made.
fn moments(connection: &Connection) -> rusqlite::Result<(Timestamp, Option<Timestamp>)> {
    let start = "SELECT value FROM meta WHERE name = 'journal_start'";
    let start = connection.query_row(start, [], |row| row.get(0))?;
    let mut latest: Option<i64> = None;
    let mut statement =
        connection.prepare("SELECT max(changed_at) FROM journal WHERE model = ?1")?;
    let models = connection
        .prepare("SELECT DISTINCT model FROM journal")?
        .query_map([], |row| row.get(0))?
        .collect::<rusqlite::Result<Vec<String>>>()?;
    for model in models {
        latest = latest.max(statement.query_row([model], |row| row.get(0))?);
    }
    Ok((Timestamp(start), latest.map(Timestamp)))
}

#[cfg(test)]
mod tests {
    use espressync_model::{Key, Value, sdl};
    use espressync_resolver::{ConflictStrategy, Rules, Tables};
    use std::sync::Arc;
    use tempfile::TempDir;

    use super::*;
    use crate::sqlite::tables::SqliteTables;

    /// What format 2 held: a record that was changed twice, one of whose journal a part was swept,
    /// one that was swept as a whole, and one of a model that the schema no longer has.
    const FORMAT_2: &str = r#"
        CREATE TABLE rows_Cup (key TEXT PRIMARY KEY NOT NULL, version INTEGER NOT NULL,
            changed_at INTEGER NOT NULL, deleted INTEGER NOT NULL, body TEXT NOT NULL)
            WITHOUT ROWID;
        CREATE TABLE rows_Gone (key TEXT PRIMARY KEY NOT NULL, version INTEGER NOT NULL,
            changed_at INTEGER NOT NULL, deleted INTEGER NOT NULL, body TEXT NOT NULL)
            WITHOUT ROWID;
        INSERT INTO meta VALUES ('journal_start', 50), ('identity', 'i'), ('secret', 's');
        INSERT INTO journal (number, model, key, version, changed_at, deleted, body) VALUES
            (3, 'Cup', 'a', 1, 60, 0, '{"id":"a","x":1}'),
            (4, 'Gone', 'a', 1, 60, 0, '{"id":"a"}'),
            (5, 'Cup', 'a', 2, 70, 0, '{"id":"a","x":2}'),
            (6, 'Cup', 'b', 8, 80, 0, '{"id":"b","x":8}'),
            (7, 'Cup', 'a', 5, 90, 0, '{"id":"a","x":5}');
        INSERT INTO rows_Cup VALUES ('a', 5, 90, 0, '{"id":"a","x":5}'),
            ('b', 8, 80, 0, '{"id":"b","x":8}'), ('c', 3, 40, 0, '{"id":"c","x":3}');
        INSERT INTO rows_Gone VALUES ('a', 1, 60, 0, '{"id":"a"}');
        PRAGMA application_id = 1165193299;
        PRAGMA user_version = 2;"#;

    #[test]
    fn a_file_of_format_2_is_read_and_its_versions_are_found() {
        let folder = TempDir::new().unwrap();
        let file = folder.path().join("old");
        let old = Connection::open(&file).unwrap();
        for step in &FORMATS[..2] {
            step(&old).unwrap();
        }
        old.execute_batch(FORMAT_2).unwrap();
        drop(old);

        let schema = sdl::parse("type Cup @model { x: Int }", "schema.graphql").unwrap();
        let cup = schema.id_of("Cup").unwrap();
        let x = schema.model(cup).field_named("x").unwrap();
        let shape = Shape::of(Arc::new(Rules::of(schema, ConflictStrategy::AutoMerge)));
        let opened = open(&lock(&file).unwrap(), &file, &shape, Timestamp(100)).unwrap();
        assert_eq!((opened.latest, opened.identity.as_str()), (Timestamp(90), "i"));
        let tables = || SqliteTables::new(&opened.connection, &shape, opened.journal_start);
        let versions = |key: &str| {
            let (mut tables, key) = (tables(), Key::from(key));
            let at = (1..10).map(|version| tables.row_at(cup, &key, version).unwrap());
            let found = at.map(|row| row.map(|row| row.get(x).clone()));
            found.flatten().collect::<Vec<Value>>()
        };
        for (key, expected) in [("a", vec![1, 2, 5]), ("b", vec![8]), ("c", vec![]), ("d", vec![])]
        {
            let expected: Vec<Value> = expected.into_iter().map(Value::from).collect();
            assert_eq!(versions(key), expected, "{key}");
            let (mut tables, key) = (tables(), Key::from(key));
            let Some(mut record) = tables.record(cup, &key).unwrap() else { continue };
            record.meta.version = 9;
            tables.put(cup, &key, &record).unwrap();
        }
        // The version that was replaced is found now also where it had been swept.
        assert_eq!(versions("c"), [Value::from(3), Value::from(3)]);
        assert_eq!(versions("a").len(), 4);
    }
}
