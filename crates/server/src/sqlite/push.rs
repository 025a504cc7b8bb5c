//! A file that is brought to a new schema, which a server may have open meanwhile.
//!
//! All of a push is one transaction, which counts itself in the file. A server that has the file
//! looks at that count inside each of its own transactions, and writes nothing by an older schema:
//! it takes up the new one first. So at whatever moment either of them is killed, the file is as
//! before the push or as after it, and what was acknowledged is in it.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use espressync_model::Timestamp;
use espressync_resolver::Rules;
use rusqlite::{Connection, OptionalExtension};
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use super::migrations::{
    FORMAT, FileLock, OpenError, bring_up, connect, format_of, lock, prepare, pushes,
    refuse_same_tables, remember,
};
use super::offline::{Snapshot, TABLE};
use super::renames::{Renames, rewrite};
use super::shape::Shape;

/// How long a push waits for those who write to the file.
const PATIENCE: Duration = Duration::from_secs(60);

/// How long a server may take to take up a push.
const TAKE_UP: Duration = Duration::from_secs(30);

/// How often it is looked whether it has.
const LOOK: Duration = Duration::from_millis(20);

/// A push under way. Nobody else writes to the file, and nothing is done before
/// [`commit`](Self::commit).
#[derive(Debug)]
pub(crate) struct Push {
    file: Snapshot,
    shape: Shape,
    now: Timestamp,
    format: i32,
    /// Held where no server has the file, so that none starts meanwhile.
    lock: Option<FileLock>,
}

/// A schema file that a push has brought.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Pushed {
    /// Its name.
    pub(crate) name: String,
    /// Its text.
    pub(crate) text: String,
}

/// What became of a push at the server that has the file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct TakenUp {
    /// Which push.
    pub(crate) push: i64,
    /// What is to be said of it, if anything.
    pub(crate) note: Option<String>,
    /// Whether the server goes by the schema that it brought.
    pub(crate) is_served: bool,
}

/// What a server that has the file makes of a push.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Uptake {
    /// There is no server.
    Nobody,
    /// It says so.
    Said(TakenUp),
    /// It says nothing.
    Silent,
}

impl Push {
    /// Waits for a moment at which nobody else writes.
    ///
    /// # Errors
    /// [`OpenError`], before anything is changed. A file of an older format that a server has open
    /// is [`InUse`](OpenError::InUse): that server would not know the new one.
    pub(crate) fn begin(file: &Path, rules: Arc<Rules>, now: Timestamp) -> Result<Self, OpenError> {
        let shape = Shape::of(rules);
        refuse_same_tables(&shape)?;
        let lock = match lock(file) {
            Ok(lock) => Some(lock),
            Err(OpenError::InUse { .. }) => None,
            Err(error) => return Err(error),
        };
        let failed = |source| OpenError::of(file, source);
        let connection = connect(file).map_err(failed)?;
        prepare(&connection).map_err(failed)?;
        connection.busy_timeout(PATIENCE).map_err(failed)?;
        connection.execute_batch("BEGIN IMMEDIATE").map_err(failed)?;
        let format = format_of(&connection, file)?;
        if lock.is_none() && format != FORMAT {
            return Err(OpenError::InUse { file: file.to_owned() });
        }
        let file = Snapshot::within(connection, file);
        Ok(Self { file, shape, now, format, lock })
    }

    /// The file as it is, until this ends.
    #[must_use]
    pub(crate) fn file(&self) -> &Snapshot {
        &self.file
    }

    /// Removes a model's records and their journal.
    ///
    /// # Errors
    /// SQLite's.
    pub(crate) fn drop_model(&self, model: &str) -> rusqlite::Result<()> {
        let connection = self.file.connection();
        connection.execute_batch(&format!("DROP TABLE IF EXISTS \"{TABLE}{model}\""))?;
        connection.execute("DELETE FROM journal WHERE model = ?1", [model]).map(drop)
    }

    /// Removes a field from a model's records and from their journal, or the member of an embedded
    /// type that is found by these names.
    ///
    /// # Errors
    /// SQLite's.
    pub(crate) fn drop_field(&self, model: &str, path: &[String]) -> rusqlite::Result<()> {
        rewrite(self.file.connection(), model, &mut |body| remove(body, path))
    }

    /// Gives what the schema calls otherwise its new names.
    ///
    /// # Errors
    /// SQLite's.
    pub(crate) fn rename(&self) -> rusqlite::Result<()> {
        let file = self.file.connection();
        Renames::of(file, &self.shape.rules)?.carry_out(file, self.now)
    }

    /// Brings the file up to the schema and makes all of it last. Returns the number of the push.
    ///
    /// # Errors
    /// SQLite's; then nothing of it is there.
    pub(crate) fn commit(self, pushed: &Pushed) -> rusqlite::Result<Done> {
        let connection = self.file.connection();
        drop_indexes(connection, &self.shape)?;
        bring_up(connection, self.format, &self.shape, self.now)?;
        let push = pushes(connection)? + 1;
        remember(connection, "pushes", push)?;
        remember(connection, "pushed", serde_json::to_string(pushed).unwrap_or_default())?;
        connection.execute_batch("COMMIT")?;
        Ok(Done { file: self.file, push, lock: self.lock })
    }
}

/// A push that is done.
#[derive(Debug)]
pub(crate) struct Done {
    file: Snapshot,
    push: i64,
    lock: Option<FileLock>,
}

impl Done {
    /// Waits until the server that has the file, if one has, goes by the schema.
    ///
    /// # Errors
    /// SQLite's, or that of the lock.
    pub(crate) fn wait(self) -> Result<Uptake, OpenError> {
        if self.lock.is_some() {
            return Ok(Uptake::Nobody);
        }
        let deadline = Instant::now() + TAKE_UP;
        while Instant::now() < deadline {
            let sql = "SELECT value FROM meta WHERE name = 'taken_up'";
            let connection = self.file.connection();
            let said = connection.query_row(sql, [], |row| row.get::<_, String>(0)).optional();
            let said = said.map_err(|source| OpenError::of(self.file.path(), source))?;
            let said = said.and_then(|text| serde_json::from_str::<TakenUp>(&text).ok());
            match said.filter(|said| said.push >= self.push) {
                Some(said) => return Ok(Uptake::Said(said)),
                None if !self.file.is_in_use()? => return Ok(Uptake::Nobody),
                None => std::thread::sleep(LOOK),
            }
        }
        Ok(Uptake::Silent)
    }
}

/// The schema that the last push has brought, with the number of that push.
pub(super) fn last(connection: &Connection) -> rusqlite::Result<(i64, Option<Pushed>)> {
    let sql = "SELECT (SELECT value FROM meta WHERE name = 'pushes'), \
               (SELECT value FROM meta WHERE name = 'pushed')";
    let (push, pushed) = connection.query_row(sql, [], |row| {
        Ok((row.get::<_, Option<i64>>(0)?, row.get::<_, Option<String>>(1)?))
    })?;
    let pushed = pushed.and_then(|text| serde_json::from_str(&text).ok());
    Ok((push.unwrap_or_default(), pushed))
}

/// Says what became of a push, where it looks for it.
pub(super) fn say(connection: &Connection, taken_up: &TakenUp) -> rusqlite::Result<()> {
    remember(connection, "taken_up", serde_json::to_string(taken_up).unwrap_or_default())
}

/// Drops the indexes of rows that the schema does not ask for, or asks for over something else
/// under the same name.
fn drop_indexes(connection: &Connection, shape: &Shape) -> rusqlite::Result<()> {
    let wanted: Vec<&str> = shape
        .models()
        .iter()
        .flat_map(|model| &model.create_indexes)
        .filter_map(|sql| sql.strip_prefix("CREATE INDEX IF NOT EXISTS "))
        .collect();
    let sql = "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL \
               AND substr(tbl_name, 1, 5) = ?1";
    let mut indexes = connection.prepare(sql)?;
    let indexes = indexes
        .query_map([TABLE], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<rusqlite::Result<Vec<(String, String)>>>()?;
    for (name, sql) in indexes {
        if !sql.strip_prefix("CREATE INDEX ").is_some_and(|sql| wanted.contains(&sql)) {
            connection.execute_batch(&format!("DROP INDEX \"{name}\""))?;
        }
    }
    Ok(())
}

/// Removes what is found by some names, in each element of the lists on the way. Says whether there
/// was anything.
fn remove(json: &mut Json, path: &[String]) -> bool {
    match (json, path) {
        (Json::Array(elements), path) => {
            elements.iter_mut().filter_map(|element| remove(element, path).then_some(())).count()
                > 0
        }
        (Json::Object(members), [last]) => members.shift_remove(last).is_some(),
        (Json::Object(members), [first, rest @ ..]) => {
            members.get_mut(first).is_some_and(|member| remove(member, rest))
        }
        (Json::Object(_) | Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_), _) => {
            false
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_member_is_removed_wherever_its_path_leads() {
        let check = |path: &[&str], expected: Json, is_found: bool| {
            let mut body = json!({ "a": 1, "b": { "c": 2, "d": [{ "e": 3 }, null, { "f": 4 }] } });
            let path: Vec<String> = path.iter().map(ToString::to_string).collect();
            assert_eq!((remove(&mut body, &path), body), (is_found, expected), "{path:?}");
        };
        let whole = json!({ "a": 1, "b": { "c": 2, "d": [{ "e": 3 }, null, { "f": 4 }] } });
        check(&["a"], json!({ "b": { "c": 2, "d": [{ "e": 3 }, null, { "f": 4 }] } }), true);
        check(&["b", "c"], json!({ "a": 1, "b": { "d": [{ "e": 3 }, null, { "f": 4 }] } }), true);
        let without = json!({ "a": 1, "b": { "c": 2, "d": [{}, null, { "f": 4 }] } });
        check(&["b", "d", "e"], without, true);
        check(&["b", "d", "g"], whole.clone(), false);
        check(&["a", "g"], whole.clone(), false);
        check(&[], whole, false);
    }
}
