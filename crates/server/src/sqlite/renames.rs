//! What a schema calls otherwise than the one before (`@renamed`), and how a file follows it: the
//! stored records and their journal are rewritten under the new names, in the transaction in which
//! the file is brought up to the schema. So no reader, index or filter needs to know of old names.
//!
//! **A field** takes what is stored under an earlier name of its where it has nothing itself. A
//! name that the schema uses for another field now counts as an earlier one only where the schema
//! before had it and had not the new name: else what is written to the new field would wander off
//! at the next start. For members of embedded types, of which no earlier schema is known, it never
//! counts. **A model** takes the table of an earlier name where it has none, or an empty one in
//! place of a model that is gone. Where both hold records nothing is guessed: it is refused.
//!
//! Where a client may have read the new name already, and found nothing, everybody is made to read
//! everything anew.

use std::collections::BTreeSet;

use espressync_model::{BaseType, Field, Model, Schema, Timestamp};
use espressync_resolver::Rules;
use rusqlite::{Connection, OptionalExtension, params};
use serde_json::{Map, Value as Json, json};

use super::described::{Described, describe, stored_as};
use super::migrations::remember;
use super::offline::TABLE;

/// A table's name for the moment between two that differ only in case. No model is called so.
const BETWEEN: &str = "__renamed";

/// What of a file has another name under a schema.
#[derive(Debug)]
pub(crate) struct Renames<'a> {
    rules: &'a Rules,
    before: Option<Described>,
    /// Old and new names of models, in the order in which they are renamed.
    models: Vec<(String, String)>,
    /// Old and new names of models that both hold records.
    clashes: Vec<(String, String)>,
}

/// The names that lead to a value, before and now.
pub(crate) type Moved = (Vec<String>, Vec<String>);

impl<'a> Renames<'a> {
    /// Compares a file with a schema.
    ///
    /// # Errors
    /// SQLite's.
    pub(crate) fn of(file: &Connection, rules: &'a Rules) -> rusqlite::Result<Self> {
        let before = noted(file, "schema")?.and_then(|text| serde_json::from_str(&text).ok());
        let (models, clashes) = (Vec::new(), Vec::new());
        let mut renames = Self { rules, before, models, clashes };
        let mut tables = tables(file)?;
        while let Some((old, new)) = renames.next_model(&tables) {
            tables.remove(&old);
            tables.insert(new.clone());
            renames.models.push((old, new));
        }
        let schema = rules.schema();
        let now: BTreeSet<&str> = schema.models().map(|(id, _)| stored_as(rules, id)).collect();
        for (id, model) in schema.models() {
            let new = stored_as(rules, id);
            let gone = |old: &&String| tables.contains(*old) && !now.contains(old.as_str());
            for old in model.formerly.iter().filter(gone) {
                if !has_rows(file, old)? || renames.models.iter().any(|(was, _)| was == old) {
                    continue;
                }
                let pair = (old.clone(), new.to_owned());
                let is_taken = renames.models.iter().any(|(_, taken)| taken == new);
                match is_taken || is_known(file, new)? {
                    true => renames.clashes.push(pair),
                    false => renames.models.push(pair),
                }
            }
        }
        Ok(renames)
    }

    /// A model that has no table, and the table that was its own.
    fn next_model(&self, tables: &BTreeSet<String>) -> Option<(String, String)> {
        self.rules.schema().models().find_map(|(id, model)| {
            let new = stored_as(self.rules, id);
            let is_free = |old: &&String| {
                tables.contains(*old) && self.models.iter().all(|(_, taken)| taken != *old)
            };
            let old = model.formerly.iter().find(is_free).filter(|_| !tables.contains(new))?;
            Some((old.clone(), new.to_owned()))
        })
    }

    /// Models whose old and new tables both hold records, so that neither can take the other's
    /// place.
    pub(crate) fn clashes(&self) -> &[(String, String)] {
        &self.clashes
    }

    /// What the records of a model are stored under, by the name that they will be.
    pub(crate) fn old_name<'s>(&'s self, new: &'s str) -> &'s str {
        self.models.iter().find(|(_, name)| name == new).map_or(new, |(old, _)| old)
    }

    /// What the records of a model will be stored under, by the name that they are.
    pub(crate) fn new_name<'s>(&'s self, old: &'s str) -> &'s str {
        self.models.iter().find(|(name, _)| name == old).map_or(old, |(_, new)| new)
    }

    /// Gives the members of a stored record their new names, by the name that its model will be
    /// stored under. Returns what was moved.
    pub(crate) fn rename(
        &self,
        model: &Model,
        name: &str,
        members: &mut Map<String, Json>,
    ) -> BTreeSet<Moved> {
        let mut moved = BTreeSet::new();
        let path = &mut (Vec::new(), Vec::new());
        let was = |of: &str| self.had(name, of);
        rename(self.rules.schema(), &model.fields, &was, members, path, &mut moved);
        moved
    }

    /// Whether the schema before had a field; `None` where that is not known.
    fn had(&self, name: &str, field: &str) -> Option<bool> {
        let model = self.before.as_ref()?.get(self.old_name(name))?;
        Some(model.fields.contains_key(field))
    }

    /// Renames everything, inside of a transaction, and notes that it is done.
    ///
    /// # Errors
    /// SQLite's.
    pub(super) fn carry_out(&self, file: &Connection, now: Timestamp) -> rusqlite::Result<()> {
        let described = serde_json::to_string(&describe(self.rules)).unwrap_or_default();
        let listed = listed(self.rules.schema()).to_string();
        let is_done = noted(file, "schema")?.as_ref() == Some(&described)
            && noted(file, "renamed")?.as_ref() == Some(&listed)
            && self.models.is_empty();
        let mut is_seen = false;
        for (old, new) in &self.models {
            is_seen |= rename_model(file, old, new)?;
        }
        for (id, model) in self.rules.schema().models().filter(|_| !is_done) {
            let name = stored_as(self.rules, id);
            if !tables(file)?.contains(name) || !has_earlier_names(self.rules.schema(), model) {
                continue;
            }
            rewrite(file, name, &mut |body| {
                let Json::Object(members) = body else { return false };
                let moved = self.rename(model, name, members);
                is_seen |= moved.iter().any(|(_, path)| {
                    path.len() > 1 || path.iter().any(|new| self.had(name, new) != Some(false))
                });
                !moved.is_empty()
            })?;
        }
        if is_seen {
            let latest = "SELECT max(changed_at) FROM journal";
            let latest: Option<i64> = file.query_row(latest, [], |row| row.get(0))?;
            remember(file, "journal_start", now.0.max(latest.unwrap_or_default()))?;
        }
        remember(file, "renamed", listed)?;
        // What has been renamed is not looked at as if it had not been.
        remember(file, "schema", described)
    }
}

/// Changes the bodies of a model's records and of their journal; `change` says whether it has.
///
/// # Errors
/// SQLite's.
pub(super) fn rewrite(
    file: &Connection,
    model: &str,
    change: &mut dyn FnMut(&mut Json) -> bool,
) -> rusqlite::Result<()> {
    let rows = format!("\"{TABLE}{model}\"");
    let query = format!("SELECT key, body FROM {rows}");
    rewrite_found(
        file,
        &query,
        &[],
        &format!("UPDATE {rows} SET body = ?2 WHERE key = ?1"),
        change,
    )?;
    let query = "SELECT number, body FROM journal WHERE model = ?1";
    let update = "UPDATE journal SET body = ?2 WHERE number = ?1";
    rewrite_found(file, query, &[model], update, change)
}

fn rewrite_found(
    file: &Connection,
    query: &str,
    parameters: &[&str],
    update: &str,
    change: &mut dyn FnMut(&mut Json) -> bool,
) -> rusqlite::Result<()> {
    let mut update = file.prepare(update)?;
    let mut query = file.prepare(query)?;
    let mut rows = query.query(rusqlite::params_from_iter(parameters))?;
    while let Some(row) = rows.next()? {
        let (id, body): (rusqlite::types::Value, String) = (row.get(0)?, row.get(1)?);
        // What cannot be read is not touched.
        let Ok(mut body) = serde_json::from_str::<Json>(&body) else { continue };
        if change(&mut body) {
            update.execute(params![id, body.to_string()])?;
        }
    }
    Ok(())
}

/// Renames the members of an object, and those of the objects within it.
fn rename(
    schema: &Schema,
    fields: &[Field],
    had: &dyn Fn(&str) -> Option<bool>,
    members: &mut Map<String, Json>,
    path: &mut Moved,
    moved: &mut BTreeSet<Moved>,
) {
    let taken = earlier_names(fields, had, members);
    let values: Vec<Json> =
        taken.iter().map(|(old, _)| members.shift_remove(old).unwrap_or_default()).collect();
    for ((_, new), json) in taken.iter().zip(values) {
        members.insert(new.clone(), json);
    }
    for field in fields {
        let Some(json) = members.get_mut(&field.name) else { continue };
        let old = taken.iter().find(|(_, new)| *new == field.name).map(|(old, _)| old);
        path.0.push(old.unwrap_or(&field.name).clone());
        path.1.push(field.name.clone());
        if old.is_some() {
            moved.insert(path.clone());
        }
        if let BaseType::Object(id) = field.base {
            let elements = if json.is_array() {
                json.as_array_mut().map(Vec::as_mut_slice).unwrap_or_default()
            } else {
                std::slice::from_mut(json)
            };
            for members in elements.iter_mut().filter_map(Json::as_object_mut) {
                let fields = &schema.object(id).fields;
                rename(schema, fields, &|_| None, members, path, moved);
            }
        }
        path.0.pop();
        path.1.pop();
    }
}

/// The old and new names of what an object holds under old ones. All of it is renamed at once: what
/// has got its new name is not renamed again.
fn earlier_names(
    fields: &[Field],
    had: &dyn Fn(&str) -> Option<bool>,
    members: &Map<String, Json>,
) -> Vec<(String, String)> {
    let mut taken: Vec<(String, String)> = Vec::new();
    let is_filled = |name: &str| members.get(name).is_some_and(|json| !json.is_null());
    loop {
        let found = fields.iter().find_map(|field| {
            let new = &field.name;
            let is_taken = |name: &str| taken.iter().any(|(old, _)| old == name);
            let is_full = is_filled(new) && !is_taken(new);
            if is_full || taken.iter().any(|(_, name)| name == new) {
                return None;
            }
            let is_earlier = |old: &str| {
                fields.iter().all(|field| field.name != *old)
                    || (had(old) == Some(true) && had(new) == Some(false))
            };
            let mut former = field.formerly.iter();
            let old = former.find(|old| is_filled(old) && !is_taken(old) && is_earlier(old))?;
            Some((old.clone(), new.clone()))
        });
        match found {
            Some(pair) => taken.push(pair),
            None => return taken,
        }
    }
}

/// Whether anything within a model has an earlier name.
fn has_earlier_names(schema: &Schema, model: &Model) -> bool {
    let has = |fields: &[Field]| fields.iter().any(|field| !field.formerly.is_empty());
    let holds = model.fields.iter().any(|field| matches!(field.base, BaseType::Object(_)));
    has(&model.fields) || (holds && schema.objects().iter().any(|object| has(&object.fields)))
}

/// All earlier names of fields that a schema tells.
fn listed(schema: &Schema) -> Json {
    let models = schema.models().map(|(_, model)| (&model.name, &model.fields));
    let objects = schema.objects().iter().map(|object| (&object.name, &object.fields));
    let fields = models.chain(objects).flat_map(|(owner, fields)| {
        let renamed = fields.iter().filter(|field| !field.formerly.is_empty());
        renamed.map(move |field| json!([owner, field.name, field.formerly]))
    });
    Json::Array(fields.collect())
}

/// Gives a model's records, their journal and what is known of removed ones another name. Says
/// whether there was a table of that name, which clients may have read.
fn rename_model(file: &Connection, old: &str, new: &str) -> rusqlite::Result<bool> {
    let is_seen = tables(file)?.contains(new);
    let alter = |from: &str, to: &str| {
        file.execute_batch(&format!("ALTER TABLE \"{TABLE}{from}\" RENAME TO \"{TABLE}{to}\""))
    };
    alter(old, BETWEEN)?;
    // It is empty.
    file.execute_batch(&format!("DROP TABLE IF EXISTS \"{TABLE}{new}\""))?;
    alter(BETWEEN, new)?;
    let indexes = "SELECT name FROM sqlite_master \
                   WHERE type = 'index' AND sql IS NOT NULL AND tbl_name = ?1";
    // They are called by the old name, and made anew.
    for index in names(file, indexes, &format!("{TABLE}{new}"))? {
        file.execute_batch(&format!("DROP INDEX \"{index}\""))?;
    }
    file.execute("UPDATE journal SET model = ?2 WHERE model = ?1", [old, new])?;
    file.execute("UPDATE OR REPLACE removed SET model = ?2 WHERE model = ?1", [old, new])?;
    Ok(is_seen)
}

fn tables(file: &Connection) -> rusqlite::Result<BTreeSet<String>> {
    let sql = "SELECT substr(name, 6) FROM sqlite_master \
               WHERE type = 'table' AND substr(name, 1, 5) = ?1";
    Ok(names(file, sql, TABLE)?.into_iter().collect())
}

fn names(file: &Connection, sql: &str, of: &str) -> rusqlite::Result<Vec<String>> {
    let mut statement = file.prepare(sql)?;
    statement.query_map([of], |row| row.get(0))?.collect()
}

fn has_rows(file: &Connection, model: &str) -> rusqlite::Result<bool> {
    let sql = format!("SELECT EXISTS (SELECT 1 FROM \"{TABLE}{model}\")");
    file.query_row(&sql, [], |row| row.get(0))
}

/// Whether there is, or was, a record of a model that has a table.
fn is_known(file: &Connection, model: &str) -> rusqlite::Result<bool> {
    let sql = "SELECT EXISTS (SELECT 1 FROM journal WHERE model = ?1) \
               OR EXISTS (SELECT 1 FROM removed WHERE model = ?1)";
    Ok(has_rows(file, model)? || file.query_row(sql, [model], |row| row.get::<_, bool>(0))?)
}

fn noted(file: &Connection, name: &str) -> rusqlite::Result<Option<String>> {
    let sql = "SELECT value FROM meta WHERE name = ?1";
    file.query_row(sql, [name], |row| row.get(0)).optional()
}
