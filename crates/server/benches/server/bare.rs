//! SQLite without a server around it.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::Result;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, OpenFlags, params};
use uuid::Uuid;

use crate::mutations::product;

/// Commits rows one by one, as safely as the server does.
pub(crate) struct Writer(Connection);

impl Writer {
    pub(crate) fn open(file: &Path) -> Result<Self> {
        let connection = Connection::open(file)?;
        connection.pragma_update(None, "journal_mode", "WAL")?;
        connection.pragma_update(None, "synchronous", "FULL")?;
        connection.execute_batch(
            "CREATE TABLE product (key TEXT PRIMARY KEY NOT NULL, version INTEGER NOT NULL, \
             changed_at INTEGER NOT NULL, deleted INTEGER NOT NULL, body TEXT NOT NULL) \
             WITHOUT ROWID",
        )?;
        Ok(Self(connection))
    }

    /// Rows a second.
    pub(crate) fn rate(&self, time: Duration) -> Result<f64> {
        let mut insert =
            self.0.prepare("INSERT INTO product VALUES (?1, 1, 1700000000000, 0, ?2)")?;
        let started = Instant::now();
        let mut count = 0_u32;
        while started.elapsed() < time {
            let id = Uuid::new_v4().to_string();
            insert.execute(params![id, product(&id).to_string()])?;
            count += 1;
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
