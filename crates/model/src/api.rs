use std::collections::BTreeSet;

use crate::{AccessRules, BaseType, FieldId, Model, ModelId, Scalar, Schema};

/// A schema with what an API over it offers and to whom: what a server needs to know and a client
/// does not.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ApiSchema {
    /// The records' types.
    pub schema: Schema,
    models: Vec<ModelApi>,
}

impl ApiSchema {
    /// A schema and, in the order of its models, what the API offers of each. What is missing
    /// there is as `@model` alone makes it.
    #[must_use]
    pub fn new(schema: Schema, mut models: Vec<ModelApi>) -> Self {
        let missing = schema.models().skip(models.len()).map(|(_, model)| ModelApi::of(model));
        models.extend(missing.collect::<Vec<_>>());
        Self { schema, models }
    }

    /// What the API offers of a model.
    ///
    /// # Panics
    /// When the id is of another schema: ids come from the schema, so that is a bug.
    #[must_use]
    pub fn model(&self, model: ModelId) -> &ModelApi {
        &self.models[model.index()]
    }
}

impl From<Schema> for ApiSchema {
    fn from(schema: Schema) -> Self {
        Self::new(schema, Vec::new())
    }
}

/// What the API offers of one model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModelApi {
    /// The query for one record.
    pub get: Offer,
    /// The query for pages of records.
    pub list: Offer,
    /// The sync query, which has its usual name or is off.
    pub sync: Offer,
    /// The mutation that makes a record.
    pub create: Offer,
    /// The mutation that changes one.
    pub update: Offer,
    /// The mutation that deletes one.
    pub delete: Offer,
    /// The subscriptions to what was made.
    pub on_create: Vec<Offer>,
    /// The subscriptions to what was changed.
    pub on_update: Vec<Offer>,
    /// The subscriptions to what was deleted.
    pub on_delete: Vec<Offer>,
    /// Whether the access rules hold for subscriptions.
    pub level: SubscriptionLevel,
    /// The field that holds when a record was made. The server fills it in where a create says
    /// nothing, so it is optional in that input even if it is required (contract 1.3).
    pub created_at: Option<FieldId>,
    /// The field that holds when a record was last changed; filled in at every write that says
    /// nothing of it, and as optional in inputs.
    pub updated_at: Option<FieldId>,
    /// Who may do what.
    pub access: AccessRules,
    /// Owner fields that access rules name and no type declares (contract 1.3): only the server
    /// writes them, and no DataStore's schema has them.
    pub owners: BTreeSet<FieldId>,
    /// Foreign keys that are part of inputs only, as the first generation of transformers made
    /// them (contract 1.4): neither selected nor filtered by.
    pub input_only: BTreeSet<FieldId>,
    /// The most records that a has-many relation shows at once, by its field's name, where the
    /// schema says so.
    pub limits: Vec<(String, u32)>,
    /// The name under which the records are stored, where it is not the model's: `@mapsTo` and
    /// `@refersTo` keep it while a model is renamed.
    pub stored_as: Option<String>,
}

impl ModelApi {
    /// What `@model` alone offers of a model: everything, with the timestamps under their usual
    /// names where it has them.
    #[must_use]
    pub fn of(model: &Model) -> Self {
        let stamped = |name: &str| {
            let found = model.fields().find(|(_, field)| field.name == name);
            found.map(|(id, _)| id).filter(|id| can_be_stamped(model, *id))
        };
        Self {
            created_at: stamped("createdAt"),
            updated_at: stamped("updatedAt"),
            ..Self::default()
        }
    }

    /// Whether the server fills this field in with the time of the write where an input says
    /// nothing of it.
    #[must_use]
    pub fn is_stamped(&self, field: FieldId) -> bool {
        [self.created_at, self.updated_at].contains(&Some(field))
    }
}

impl Default for ModelApi {
    /// Everything, of a model without timestamps.
    fn default() -> Self {
        Self {
            get: Offer::Usual,
            list: Offer::Usual,
            sync: Offer::Usual,
            create: Offer::Usual,
            update: Offer::Usual,
            delete: Offer::Usual,
            on_create: vec![Offer::Usual],
            on_update: vec![Offer::Usual],
            on_delete: vec![Offer::Usual],
            level: SubscriptionLevel::On,
            created_at: None,
            updated_at: None,
            access: AccessRules::default(),
            owners: BTreeSet::new(),
            input_only: BTreeSet::new(),
            limits: Vec::new(),
            stored_as: None,
        }
    }
}

/// Whether a field can hold the time of a write. A part of the key cannot, for a record must have
/// its key before the server sees it.
pub(crate) fn can_be_stamped(model: &Model, id: FieldId) -> bool {
    let field = model.at(id);
    let is_text = [Scalar::String, Scalar::AwsDateTime].map(BaseType::Scalar).contains(&field.base);
    is_text && !field.is_list && !model.key.contains(&id)
}

/// Whether access rules hold for a model's subscriptions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SubscriptionLevel {
    /// They hold.
    #[default]
    On,
    /// Whoever may use the API hears of every change.
    Public,
    /// There are no subscriptions.
    Off,
}

/// Whether an API has an operation, and under which name.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Offer {
    /// Under the name that `@model` gives it (contract 2.1).
    #[default]
    Usual,
    /// Under a name of the schema's own.
    Named(String),
    /// Not at all.
    Off,
}

impl Offer {
    /// The name, given the usual one; `None` when it is not offered.
    #[must_use]
    pub fn name(&self, usual: String) -> Option<String> {
        match self {
            Self::Usual => Some(usual),
            Self::Named(name) => Some(name.clone()),
            Self::Off => None,
        }
    }
}
