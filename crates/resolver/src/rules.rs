use std::collections::BTreeMap;
use std::sync::Arc;

use espressync_model::{ApiSchema, ModelApi, ModelId, Schema};

use crate::conflict::ConflictStrategy;

/// What holds for every mutation of an API: the schema, who may do what, and what becomes of a
/// write on an older version.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Rules {
    api: Arc<ApiSchema>,
    strategies: Strategies,
}

impl Rules {
    /// The rules of an API.
    #[must_use]
    pub fn new(api: Arc<ApiSchema>, strategies: Strategies) -> Self {
        Self { api, strategies }
    }

    /// The rules of a schema that says nothing of access, with one strategy for all.
    #[must_use]
    pub fn of(schema: Schema, strategy: ConflictStrategy) -> Self {
        Self::new(Arc::new(schema.into()), strategy.into())
    }

    /// The schema.
    #[must_use]
    pub fn schema(&self) -> &Schema {
        &self.api.schema
    }

    /// What the API offers of a model.
    #[must_use]
    pub fn model(&self, model: ModelId) -> &ModelApi {
        self.api.model(model)
    }

    /// The conflict strategies of all models.
    #[must_use]
    pub fn strategies(&self) -> &Strategies {
        &self.strategies
    }

    /// What becomes of a write to this model on an older version.
    #[must_use]
    pub fn strategy(&self, model: ModelId) -> ConflictStrategy {
        self.strategies.of(model)
    }
}

/// A conflict strategy for every model.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Strategies {
    /// Where a model has none of its own.
    pub default: ConflictStrategy,
    /// Of single models.
    pub models: BTreeMap<ModelId, ConflictStrategy>,
}

impl Strategies {
    /// Whether a handler decides about some model's conflicts.
    #[must_use]
    pub fn need_handler(&self) -> bool {
        let mut all = [&self.default].into_iter().chain(self.models.values());
        all.any(|strategy| *strategy == ConflictStrategy::Handler)
    }

    fn of(&self, model: ModelId) -> ConflictStrategy {
        self.models.get(&model).copied().unwrap_or(self.default)
    }
}

impl From<ConflictStrategy> for Strategies {
    fn from(default: ConflictStrategy) -> Self {
        Self { default, models: BTreeMap::new() }
    }
}
