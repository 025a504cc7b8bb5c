use std::collections::BTreeSet;

use crate::{AccessRules, FieldId, ModelId, Schema};

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
        models.resize_with(schema.models().count(), ModelApi::default);
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
}

impl Default for ModelApi {
    /// As `@model` alone makes it.
    fn default() -> Self {
        Self {
            get: Offer::Usual,
            list: Offer::Usual,
            create: Offer::Usual,
            update: Offer::Usual,
            delete: Offer::Usual,
            on_create: vec![Offer::Usual],
            on_update: vec![Offer::Usual],
            on_delete: vec![Offer::Usual],
            access: AccessRules::default(),
            owners: BTreeSet::new(),
            input_only: BTreeSet::new(),
            limits: Vec::new(),
        }
    }
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
