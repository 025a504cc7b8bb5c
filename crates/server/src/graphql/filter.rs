use espressync_model::remote::RemoteError;
use espressync_model::{Field, FieldId, Model, ModelId, Predicate, Record, Scalar, Schema, Value};
use espressync_wire::filter::filter_from_json;
use espressync_wire::json::DELETED;
use serde_json::Value as Json;

use super::errors::{bad_argument, invalid};

/// Reads filters. A filter may ask for `_deleted`, which no row holds; so filters are read over a
/// schema whose models have it as one field more.
#[derive(Debug)]
pub(super) struct Filters {
    schema: Schema,
}

/// A filter that was read.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Filter {
    predicate: Predicate,
    /// The field of `_deleted`, if the filter asks for it.
    deleted: Option<FieldId>,
}

impl Filters {
    pub(super) fn of(models: &Schema) -> Self {
        let with_deleted = |model: &Model| {
            // `_deleted` is reserved in schemas, so no model has it already.
            model.clone().field(Field::new(DELETED, Scalar::Boolean))
        };
        let schema = Schema::new(models.models().map(|(_, model)| with_deleted(model)).collect())
            .with_enums(models.enums().to_vec())
            .with_objects(models.objects().to_vec());
        Self { schema }
    }

    /// Reads a `filter` argument; null matches everything.
    pub(super) fn read(&self, model: ModelId, json: &Json) -> Result<Filter, RemoteError> {
        let predicate =
            filter_from_json(&self.schema, model, json).map_err(|error| bad_argument(&error))?;
        let deleted = u16::try_from(self.schema.model(model).fields.len() - 1).map(FieldId);
        let deleted = deleted.ok().filter(|field| asks_for(&predicate, *field));
        Ok(Filter { predicate, deleted })
    }

    /// Reads a `condition` argument, which is decided on the row alone.
    pub(super) fn condition(&self, model: ModelId, json: &Json) -> Result<Predicate, RemoteError> {
        let filter = self.read(model, json)?;
        if filter.deleted.is_some() {
            return Err(invalid("a condition on _deleted is not supported yet"));
        }
        Ok(filter.predicate)
    }
}

impl Filter {
    /// What it says, in the fields of the model and beyond them `_deleted`.
    pub(super) fn predicate(&self) -> &Predicate {
        &self.predicate
    }

    /// Whether a record passes.
    pub(crate) fn matches(&self, record: &Record) -> bool {
        let Some(field) = self.deleted else { return self.predicate.matches(&record.row) };
        let deleted = if record.meta.deleted { Value::Bool(true) } else { Value::Null };
        let with_deleted = record.row.with(&[(field, deleted)].into_iter().collect());
        self.predicate.matches(&with_deleted)
    }
}

fn asks_for(predicate: &Predicate, wanted: FieldId) -> bool {
    match predicate {
        Predicate::All => false,
        Predicate::Field(field, _) => *field == wanted,
        Predicate::And(parts) | Predicate::Or(parts) => {
            parts.iter().any(|part| asks_for(part, wanted))
        }
        Predicate::Not(part) => asks_for(part, wanted),
    }
}
