//! What a file remembers of the schema that it was last opened with, so that the next one can be
//! compared with it.

use std::collections::BTreeMap;

use espressync_model::{Field, FieldId, Model, ModelId, Schema};
use espressync_resolver::Rules;
use serde::{Deserialize, Serialize};

/// The models of a schema, by the name that their records are stored under.
pub(crate) type Described = BTreeMap<String, DescribedModel>;

/// What of a model its stored records depend on.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct DescribedModel {
    /// The types of its fields, as a schema writes them, by name.
    pub(crate) fields: BTreeMap<String, String>,
    /// The fields of its key.
    pub(crate) key: Vec<String>,
    /// The fields of its indexes, by name.
    pub(crate) indexes: BTreeMap<String, Vec<String>>,
}

/// The name that a model's records are stored under: that of its table and of its journal.
pub(crate) fn stored_as(rules: &Rules, model: ModelId) -> &str {
    let name = &rules.schema().model(model).name;
    rules.model(model).stored_as.as_deref().unwrap_or(name)
}

/// Describes the models of a schema.
#[must_use]
pub(crate) fn describe(rules: &Rules) -> Described {
    let schema = rules.schema();
    let models = schema.models().map(|(id, model)| {
        let fields = model.fields.iter();
        let indexes = model.indexes.iter();
        let described = DescribedModel {
            fields: fields.map(|field| (field.name.clone(), type_of(schema, field))).collect(),
            key: names(model, &model.key),
            indexes: indexes
                .map(|index| (index.name.clone(), names(model, &index.fields)))
                .collect(),
        };
        (stored_as(rules, id).to_owned(), described)
    });
    models.collect()
}

fn names(model: &Model, fields: &[FieldId]) -> Vec<String> {
    fields.iter().map(|field| model.at(*field).name.clone()).collect()
}

/// A field's type as a schema writes it.
pub(crate) fn type_of(schema: &Schema, field: &Field) -> String {
    let base = schema.type_name(field.base);
    let bang = |is_required: bool| if is_required { "!" } else { "" };
    let required = bang(field.is_required);
    match field.is_list {
        true => format!("[{base}{}]{required}", bang(field.is_element_required)),
        false => format!("{base}{required}"),
    }
}
