use std::sync::Arc;

use espressync_model::ModelId;
use espressync_model::remote::{Change, Operation};
use espressync_resolver::Caller;
use serde_json::{Map, Value as Json};

use super::document::Selected;
use super::execution::Execution;
use super::filter::Filter;
use super::path::Path;

/// A subscription that has passed validation.
#[derive(Debug, Clone)]
pub(crate) struct Subscription {
    /// Who asked for it.
    pub(super) caller: Arc<Caller>,
    /// Changes of which model.
    pub(crate) model: ModelId,
    /// By which operation.
    pub(crate) operation: Operation,
    /// Of which records.
    pub(crate) filter: Filter,
    pub(super) field: Selected,
}

impl Execution<'_> {
    /// The `data` of a subscription's event.
    pub(super) async fn event(&self, subscription: &Subscription, change: &Change) -> Json {
        let field = &subscription.field;
        let records = vec![(change.record.clone(), Path::root(&field.key))];
        let mut completed = self.records(subscription.model, records, &field.fields).await;
        let mut data = Map::new();
        data.insert(field.key.clone(), completed.pop().unwrap_or_default());
        Json::Object(data)
    }
}
