use std::sync::Arc;

use espressync_model::remote::RemoteError;
use espressync_model::{FieldId, ModelId, Operator, Predicate, Record, Schema, Value};
use espressync_resolver::Derived;
use espressync_wire::filter::filter_from_json;
use serde_json::Value as Json;

use super::enhanced::check_enhanced;
use super::errors::{bad_argument, invalid};

/// Reads filters, over a schema whose models also have the fields that are [`Derived`].
#[derive(Debug)]
pub(super) struct Filters {
    schema: Schema,
    derived: Vec<Derived>,
}

/// A filter that was read.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Filter {
    predicate: Predicate,
    /// If the filter asks for what is derived.
    derived: Option<Derived>,
}

impl Filters {
    pub(super) fn of(models: &Schema) -> Self {
        let extended = models.models().map(|(_, model)| Derived::extend(model));
        let schema = Schema::new(extended.collect())
            .with_enums(models.enums().to_vec())
            .with_objects(models.objects().to_vec());
        let derived = models.models().map(|(_, model)| Derived::of(model)).collect();
        Self { schema, derived }
    }

    /// Reads a `filter` argument; null matches everything.
    pub(super) fn read(&self, model: ModelId, json: &Json) -> Result<Filter, RemoteError> {
        let predicate = self.condition(model, json)?;
        let derived = Some(self.derived[model.index()]);
        let derived = derived.filter(|derived| derived.is_asked(&predicate));
        Ok(Filter { predicate, derived })
    }

    /// Reads a `condition` argument.
    pub(super) fn condition(&self, model: ModelId, json: &Json) -> Result<Predicate, RemoteError> {
        filter_from_json(&self.schema, model, json).map_err(|error| bad_argument(&error))
    }

    /// Reads the `filter` argument of a subscription, within AppSync's limits.
    pub(super) fn subscription(&self, model: ModelId, json: &Json) -> Result<Filter, RemoteError> {
        let filter = self.read(model, json)?;
        check_enhanced(&filter.predicate).map_err(invalid)?;
        Ok(filter)
    }
}

impl Filter {
    /// What it says, in the fields of the model and those beyond.
    pub(super) fn predicate(&self) -> &Predicate {
        &self.predicate
    }

    /// A field that must hold one of some texts, if there is one, for whoever keeps an index.
    pub(crate) fn texts(&self) -> Option<(FieldId, Vec<Arc<str>>)> {
        texts(&self.predicate)
    }

    /// Whether a record passes.
    pub(crate) fn matches(&self, record: &Record) -> bool {
        match self.derived {
            Some(derived) => self.predicate.matches(&derived.row(record)),
            None => self.predicate.matches(&record.row),
        }
    }
}

fn texts(predicate: &Predicate) -> Option<(FieldId, Vec<Arc<str>>)> {
    let text = |value: &Value| value.as_text().map(Arc::from);
    match predicate {
        Predicate::Field(field, Operator::Eq(value)) => Some((*field, vec![text(value)?])),
        Predicate::Field(field, Operator::In(values)) => {
            Some((*field, values.iter().map(text).collect::<Option<_>>()?))
        }
        Predicate::And(parts) => parts.iter().find_map(texts),
        Predicate::All
        | Predicate::Field(..)
        | Predicate::Or(_)
        | Predicate::Not(_)
        | Predicate::Related(..) => None,
    }
}
