use std::sync::Arc;

use espressync_model::{FieldId, Model, ModelId, Schema};
use espressync_resolver::Rules;

use super::described::stored_as;
use super::walk::WaySql;
use crate::ways::{Way, ways};

/// A schema with the SQL of its models, written once so that statements are found in the cache.
#[derive(Debug)]
pub(super) struct Shape {
    pub(super) rules: Arc<Rules>,
    models: Vec<ModelSql>,
}

/// The SQL of one model. Its table has a name of its own; names of GraphQL need no escaping.
#[derive(Debug)]
pub(super) struct ModelSql {
    pub(super) name: String,
    /// Its table's name, quoted.
    pub(super) table: String,
    pub(super) create_table: String,
    pub(super) create_indexes: Vec<String>,
    pub(super) get: String,
    /// The same with the journal's entry, for the writer.
    pub(super) get_linked: String,
    pub(super) put: String,
    pub(super) list: String,
    /// The journal's entries of before a moment, and whether each is that of a record as it is.
    pub(super) journal_old: String,
    pub(super) tombstones: String,
    pub(super) remove: String,
    ways: Vec<WaySql>,
}

pub(super) const JOURNAL_ENTRY: &str =
    "SELECT version, prior FROM journal WHERE number = ?1 AND model = ?2 AND key = ?3";

pub(super) const JOURNAL_BODY: &str = "SELECT body FROM journal WHERE number = ?1";

pub(super) const JOURNAL_NAME: &str = "UPDATE journal SET once = ?2 WHERE number = ?1";

pub(super) const JOURNAL_NAMED: &str = "SELECT 1 FROM journal WHERE number = ?1 AND once = ?2";

pub(super) const REMOVED_VERSION: &str =
    "SELECT version FROM removed WHERE model = ?1 AND key = ?2";

pub(super) const JOURNAL_APPEND: &str = "INSERT INTO journal \
     (model, key, version, changed_at, deleted, body, prior) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";

pub(super) const JOURNAL_CHANGES: &str = "SELECT key, version, changed_at, deleted, body, number \
     FROM journal WHERE model = ?1 AND (changed_at, number) > (?2, ?3) \
     ORDER BY changed_at, number LIMIT ?4";

impl Shape {
    pub(super) fn of(rules: Arc<Rules>) -> Self {
        let schema = rules.schema();
        let models = schema.models().map(|(id, _)| ModelSql::of(schema, id, stored_as(&rules, id)));
        let models = models.collect();
        Self { rules, models }
    }

    pub(super) fn schema(&self) -> &Schema {
        self.rules.schema()
    }

    pub(super) fn sql(&self, model: ModelId) -> &ModelSql {
        &self.models[model.index()]
    }

    pub(super) fn models(&self) -> &[ModelSql] {
        &self.models
    }
}

impl ModelSql {
    /// The SQL of a model whose records are stored under a name of theirs.
    fn of(schema: &Schema, id: ModelId, stored_as: &str) -> Self {
        let model = schema.model(id);
        let table = format!("\"rows_{stored_as}\"");
        let ways = ways(schema, id).into_iter().map(|way| WaySql::of(model, stored_as, way));
        let ways: Vec<WaySql> = ways.collect();
        Self {
            name: stored_as.to_owned(),
            create_table: format!(
                "CREATE TABLE IF NOT EXISTS {table} (key TEXT PRIMARY KEY NOT NULL, \
                 version INTEGER NOT NULL, changed_at INTEGER NOT NULL, \
                 deleted INTEGER NOT NULL, body TEXT NOT NULL, entry INTEGER) WITHOUT ROWID"
            ),
            create_indexes: [format!(
                "CREATE INDEX IF NOT EXISTS \"tombstones_{stored_as}\" ON {table} (changed_at) \
                 WHERE deleted = 1"
            )]
            .into_iter()
            .chain(ways.iter().map(|way| way.create_index(model)))
            .collect(),
            ways,
            get: format!(
                "SELECT key, version, changed_at, deleted, body FROM {table} WHERE key = ?1"
            ),
            get_linked: format!(
                "SELECT key, version, changed_at, deleted, body, entry FROM {table} WHERE key = ?1"
            ),
            put: format!(
                "INSERT INTO {table} (key, version, changed_at, deleted, body, entry) \
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT (key) DO UPDATE SET \
                 version = ?2, changed_at = ?3, deleted = ?4, body = ?5, entry = ?6"
            ),
            list: format!(
                "SELECT key, version, changed_at, deleted, body FROM {table} \
                 WHERE key > ?1 ORDER BY key LIMIT ?2"
            ),
            journal_old: format!(
                "SELECT number, old.changed_at, prior, \
                 stored.version IS NULL OR stored.version = old.version \
                 FROM journal AS old LEFT JOIN {table} AS stored ON stored.key = old.key \
                 WHERE model = ?1 AND old.changed_at < ?2 \
                 AND (old.changed_at, number) > (?3, ?4) \
                 ORDER BY old.changed_at, number LIMIT ?5"
            ),
            tombstones: format!(
                "SELECT key, version, entry FROM {table} \
                 WHERE deleted = 1 AND changed_at < ?1 ORDER BY changed_at LIMIT ?2"
            ),
            remove: format!("DELETE FROM {table} WHERE key = ?1"),
            table,
        }
    }

    /// The SQL of one of the schema's ways through the model.
    pub(super) fn way(&self, way: &Way) -> Option<&WaySql> {
        self.ways.iter().find(|known| known.is(way))
    }
}

/// A field's value in a stored row.
pub(super) fn extract(model: &Model, field: FieldId) -> String {
    format!("json_extract(body, '$.{}')", model.at(field).name)
}
