use std::sync::Arc;

use espressync_model::{FieldId, Model, ModelId, RelationKind, Schema};
use espressync_resolver::Rules;

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
    pub(super) create_table: String,
    pub(super) create_indexes: Vec<String>,
    pub(super) get: String,
    pub(super) put: String,
    pub(super) list: String,
    related: Vec<(Vec<FieldId>, String)>,
}

pub(super) const JOURNAL_ROW: &str = "SELECT body FROM journal \
     WHERE model = ?1 AND key = ?2 AND version = ?3";

pub(super) const JOURNAL_APPEND: &str = "INSERT INTO journal \
     (model, key, version, changed_at, deleted, body) VALUES (?1, ?2, ?3, ?4, ?5, ?6)";

pub(super) const JOURNAL_CHANGES: &str = "SELECT key, version, changed_at, deleted, body, number \
     FROM journal WHERE model = ?1 AND (changed_at, number) > (?2, ?3) \
     ORDER BY changed_at, number LIMIT ?4";

impl Shape {
    pub(super) fn of(rules: Arc<Rules>) -> Self {
        let schema = rules.schema();
        let models = schema.models().map(|(id, model)| ModelSql::of(schema, id, model)).collect();
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
    fn of(schema: &Schema, id: ModelId, model: &Model) -> Self {
        let table = format!("\"rows_{}\"", model.name);
        let foreign_keys = foreign_keys(schema, id);
        let related = foreign_keys.iter().map(|fields| {
            let conditions = fields.iter().zip(2..);
            let conditions: Vec<String> = conditions
                .map(|(field, position)| format!("{} = ?{position}", extract(model, *field)))
                .collect();
            let limit = fields.len() + 2;
            let sql = format!(
                "SELECT key, version, changed_at, deleted, body FROM {table} \
                 WHERE key > ?1 AND {} ORDER BY key LIMIT ?{limit}",
                conditions.join(" AND ")
            );
            (fields.clone(), sql)
        });
        Self {
            name: model.name.clone(),
            create_table: format!(
                "CREATE TABLE IF NOT EXISTS {table} (key TEXT PRIMARY KEY NOT NULL, \
                 version INTEGER NOT NULL, changed_at INTEGER NOT NULL, \
                 deleted INTEGER NOT NULL, body TEXT NOT NULL) WITHOUT ROWID"
            ),
            related: related.collect(),
            create_indexes: foreign_keys.iter().map(|fields| index_sql(model, fields)).collect(),
            get: format!(
                "SELECT key, version, changed_at, deleted, body FROM {table} WHERE key = ?1"
            ),
            put: format!(
                "INSERT INTO {table} (key, version, changed_at, deleted, body) \
                 VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT (key) DO UPDATE SET \
                 version = ?2, changed_at = ?3, deleted = ?4, body = ?5"
            ),
            list: format!(
                "SELECT key, version, changed_at, deleted, body FROM {table} \
                 WHERE key > ?1 ORDER BY key LIMIT ?2"
            ),
        }
    }

    /// The statement that finds records by a foreign key: its parameters are the key after which
    /// to begin, the foreign key's values, the limit.
    pub(super) fn related(&self, fields: &[FieldId]) -> Option<&str> {
        let found = self.related.iter().find(|(foreign_key, _)| foreign_key == fields);
        found.map(|(_, sql)| sql.as_str())
    }
}

/// The foreign keys of a model by which others have many of it.
fn foreign_keys(schema: &Schema, id: ModelId) -> Vec<Vec<FieldId>> {
    let mut found: Vec<Vec<FieldId>> = Vec::new();
    for (_, other) in schema.models() {
        for relation in &other.relations {
            let is_many = relation.kind == RelationKind::HasMany && relation.target == id;
            if is_many && !found.contains(&relation.fields) {
                found.push(relation.fields.clone());
            }
        }
    }
    found
}

fn index_sql(model: &Model, fields: &[FieldId]) -> String {
    let names: Vec<&str> = fields.iter().map(|field| model.at(*field).name.as_str()).collect();
    let values: Vec<String> = fields.iter().map(|field| extract(model, *field)).collect();
    format!(
        "CREATE INDEX IF NOT EXISTS \"by_{name}_{}\" ON \"rows_{name}\" ({})",
        names.join("_"),
        values.join(", "),
        name = model.name,
    )
}

fn extract(model: &Model, field: FieldId) -> String {
    format!("json_extract(body, '$.{}')", model.at(field).name)
}
