//! SQLite without a server around it.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::Result;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, OpenFlags, params};
use uuid::Uuid;

use crate::mutations::product;

/// What is written of each row.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Tables {
    /// The row, to one table, by SQLite's own settings.
    Plain,
    /// What the server writes: the row, its entry in the journal, and that of the journal's index,
    /// by the server's settings.
    Server,
}

/// Commits rows as safely as the server does.
pub(crate) struct Writer {
    connection: Connection,
    tables: Tables,
}

impl Writer {
    pub(crate) fn open(file: &Path, tables: Tables) -> Result<Self> {
        let connection = Connection::open(file)?;
        connection.pragma_update(None, "journal_mode", "WAL")?;
        connection.pragma_update(None, "synchronous", "FULL")?;
        connection.execute_batch(
            "CREATE TABLE product (key TEXT PRIMARY KEY NOT NULL, version INTEGER NOT NULL, \
             changed_at INTEGER NOT NULL, deleted INTEGER NOT NULL, body TEXT NOT NULL, \
             entry INTEGER) WITHOUT ROWID",
        )?;
        if matches!(tables, Tables::Server) {
            connection.execute_batch(
                "PRAGMA wal_autocheckpoint = 4000; PRAGMA cache_size = -65536; \
                 CREATE TABLE journal (number INTEGER PRIMARY KEY, model TEXT NOT NULL, \
                 key TEXT NOT NULL, version INTEGER NOT NULL, changed_at INTEGER NOT NULL, \
                 deleted INTEGER NOT NULL, body TEXT NOT NULL, prior INTEGER); \
                 CREATE INDEX journal_by_change ON journal (model, changed_at)",
            )?;
        }
        Ok(Self { connection, tables })
    }

    /// Rows a second, with so many to a commit.
    pub(crate) fn rate(&self, time: Duration, together: u32) -> Result<f64> {
        let row = "INSERT INTO product VALUES (?1, 1, 1700000000000, 0, ?2, last_insert_rowid())";
        let mut row = self.connection.prepare(row)?;
        let mut entry = match self.tables {
            Tables::Plain => None,
            Tables::Server => Some(self.connection.prepare(
                "INSERT INTO journal (model, key, version, changed_at, deleted, body) \
                 VALUES ('Product', ?1, 1, 1700000000000, 0, ?2)",
            )?),
        };
        let started = Instant::now();
        let mut count = 0_u32;
        while started.elapsed() < time {
            let transaction = self.connection.unchecked_transaction()?;
            for _ in 0..together {
                let id = Uuid::new_v4().to_string();
                let body = product(&id).to_string();
                if let Some(entry) = &mut entry {
                    entry.execute(params![id, body])?;
                }
                row.execute(params![id, body])?;
            }
            transaction.commit()?;
            count += together;
        }
        Ok(f64::from(count) / started.elapsed().as_secs_f64())
    }
}

/// Reads a table of the server's file from end to end; returns its rows and the rows a second.
pub(crate) fn read(file: &Path, model: &str) -> Result<(usize, f64)> {
    let connection = Connection::open_with_flags(file, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    let sql = format!("SELECT * FROM \"rows_{model}\" ORDER BY key");
    let mut statement = connection.prepare(&sql)?;
    let columns = statement.column_count();
    let started = Instant::now();
    let mut rows = statement.query([])?;
    let (mut count, mut bytes) = (0, 0);
    while let Some(row) = rows.next()? {
        for column in 0..columns {
            bytes += match row.get_ref(column)? {
                ValueRef::Text(bytes) | ValueRef::Blob(bytes) => bytes.len(),
                ValueRef::Null | ValueRef::Integer(_) | ValueRef::Real(_) => 8,
            };
        }
        count += 1;
    }
    std::hint::black_box(bytes);
    #[allow(clippy::cast_precision_loss, reason = "counts of rows are small")]
    let rate = count as f64 / started.elapsed().as_secs_f64();
    Ok((count, rate))
}
