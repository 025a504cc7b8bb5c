use espressync_model::{EnumType, Field, FieldId, ObjectType, Scalar, Schema};

/// What the positions in a log mean: which model and field a number stood for when a batch was
/// written, and of which type it was. A log written with another schema is read through this, and
/// by it a schema is [judged](Layout::plan).
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Layout {
    /// The models, in the order of their numbers.
    pub models: Vec<LaidModel>,
    /// The non-model types, in the order of their numbers.
    pub objects: Vec<ObjectType>,
    /// The enums, in the order of their numbers.
    pub enums: Vec<EnumType>,
    /// Whether types are known: layouts of formats 1 and 2 know names only, and every field of
    /// theirs says `String`.
    pub is_typed: bool,
}

/// A model in a [`Layout`].
#[derive(Debug, Clone, PartialEq)]
pub struct LaidModel {
    /// Its name.
    pub name: String,
    /// The names it had before.
    pub formerly: Vec<String>,
    /// Its key; empty where types are not known.
    pub key: Vec<FieldId>,
    /// Its fields, in the order of rows.
    pub fields: Vec<Field>,
}

impl Layout {
    /// The layout of a schema.
    #[must_use]
    pub fn of(schema: &Schema) -> Self {
        let models = schema.models().map(|(_, model)| LaidModel {
            name: model.name.clone(),
            formerly: model.formerly.clone(),
            key: model.key.clone(),
            fields: model.fields.clone(),
        });
        Self {
            models: models.collect(),
            objects: schema.objects().to_vec(),
            enums: schema.enums().to_vec(),
            is_typed: true,
        }
    }

    /// A layout of formats 1 and 2: each model's name and its fields' names.
    #[must_use]
    pub fn of_names(models: Vec<(String, Vec<String>)>) -> Self {
        let models = models.into_iter().map(|(name, fields)| LaidModel {
            name,
            formerly: Vec::new(),
            key: Vec::new(),
            fields: fields.into_iter().map(|name| Field::new(name, Scalar::String)).collect(),
        });
        Self { models: models.collect(), ..Self::default() }
    }
}
