use espressync_model::{FieldId, ModelId, Schema};

/// The names behind the positions in a log: which model and field a number meant when a batch was
/// written. A log written with another schema is read through this.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layout {
    /// Each model's name and its fields' names.
    pub models: Vec<(String, Vec<String>)>,
}

impl Layout {
    /// The layout of a schema.
    #[must_use]
    pub fn of(schema: &Schema) -> Self {
        let models = schema.models().map(|(_, model)| {
            let fields = model.fields.iter().map(|field| field.name.clone()).collect();
            (model.name.clone(), fields)
        });
        Self { models: models.collect() }
    }

    /// The names of a model's fields; none of a model that it has not.
    pub(crate) fn fields_of(&self, name: &str) -> &[String] {
        let found = self.models.iter().find(|(known, _)| known == name);
        found.map_or(&[], |(_, fields)| fields)
    }

    /// Where this layout's models and fields are in a schema.
    pub(crate) fn translation(&self, schema: &Schema) -> Translation {
        let models = self.models.iter().map(|(name, fields)| {
            let id = schema.id_of(name).ok()?;
            let model = schema.model(id);
            let fields = fields.iter().map(|field| model.field_named(field).ok()).collect();
            Some(TranslatedModel { id, width: model.fields.len(), fields })
        });
        Translation { models: models.collect() }
    }
}

/// From a log's positions to a schema's; `None` where the schema has no such name any more.
#[derive(Debug)]
pub(crate) struct Translation {
    models: Vec<Option<TranslatedModel>>,
}

#[derive(Debug)]
pub(crate) struct TranslatedModel {
    pub(crate) id: ModelId,
    /// How many fields the schema's model has.
    pub(crate) width: usize,
    fields: Vec<Option<FieldId>>,
}

impl Translation {
    pub(crate) fn model(&self, position: usize) -> Option<&TranslatedModel> {
        self.models.get(position)?.as_ref()
    }
}

impl TranslatedModel {
    pub(crate) fn field(&self, position: usize) -> Option<FieldId> {
        self.fields.get(position).copied().flatten()
    }
}
