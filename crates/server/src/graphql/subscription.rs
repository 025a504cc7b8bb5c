use std::collections::BTreeSet;
use std::sync::Arc;

use espressync_model::remote::{Change, Operation, RemoteError};
use espressync_model::{AccessRules, Action, Allow, FieldId, Model, ModelId, Row};
use espressync_resolver::{Caller, Naming, Sight, without};
use serde_json::{Map, Value as Json};

use super::Api;
use super::access::unauthorized;
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
    filter: Filter,
    /// What the caller sees of them.
    sight: Sight,
    /// What was asked of single fields.
    owners: Vec<OwnerArgument>,
    pub(super) field: Selected,
}

/// An argument that names an owner (contract 1.6).
#[derive(Debug, Clone)]
enum OwnerArgument {
    /// The caller, under any of their names.
    Caller(Naming),
    /// Somebody, by the caller who may see everything.
    Somebody(FieldId, String),
}

impl OwnerArgument {
    fn matches(&self, row: &Row) -> bool {
        match self {
            Self::Caller(naming) => naming.matches(row),
            Self::Somebody(field, name) => row.get(*field).as_text() == Some(name),
        }
    }
}

impl Subscription {
    /// Whether a change is to be told: the server's own filter, by what the caller may see, comes
    /// before the client's.
    pub(crate) fn wants(&self, change: &Change) -> bool {
        if self.sight.is_clear() && self.owners.is_empty() {
            return self.filter.matches(&change.record);
        }
        let row = &change.record.row;
        let is_asked = self.owners.iter().all(|owner| owner.matches(row));
        if !is_asked || !self.sight.sees(row) {
            return false;
        }
        let hidden = self.sight.hidden(row, row.values().len());
        self.filter.matches(&without(change.record.clone(), &hidden))
    }
}

impl Api {
    /// Reads a subscription and checks that its caller may have it.
    pub(super) fn subscription(
        &self,
        caller: Arc<Caller>,
        (model, operation): (ModelId, Operation),
        field: Selected,
    ) -> Result<Subscription, RemoteError> {
        let filter = self.filters.subscription(model, field.argument("filter"))?;
        let sight = self.sight(&caller, model, Action::Listen);
        let refused = || unauthorized(&field.name, "Subscription");
        if sight.is_blind() {
            return Err(refused());
        }
        let mut owners = Vec::new();
        for owner in self.owner_fields(model) {
            let name = &self.models().model(model).at(owner).name;
            let Some(name) = field.argument(name).as_str() else { continue };
            owners.push(match sight.owner_in(owner) {
                Some(naming) if naming.names.contains(name) => {
                    OwnerArgument::Caller(naming.clone())
                }
                _ if sight.is_whole() => OwnerArgument::Somebody(owner, name.to_owned()),
                _ => return Err(refused()),
            });
        }
        Ok(Subscription { caller, model, operation, filter, sight, owners, field })
    }

    /// The fields that hold one owner, by which subscriptions may ask.
    pub(super) fn owner_fields(&self, model: ModelId) -> BTreeSet<FieldId> {
        owner_fields(self.models().model(model), &self.rules.model(model).access)
    }
}

/// The fields that hold one owner: each is an argument of the model's subscriptions.
pub(super) fn owner_fields(model: &Model, rules: &AccessRules) -> BTreeSet<FieldId> {
    let rules = rules.model.iter();
    let owned = rules.filter(|rule| rule.actions.contains(&Action::Listen));
    let owned = owned.filter_map(|rule| match &rule.allow {
        Allow::Owner { field, .. } if !model.at(*field).is_list => Some(*field),
        Allow::Owner { .. }
        | Allow::Public
        | Allow::Private
        | Allow::Groups { .. }
        | Allow::GroupsOf { .. }
        | Allow::Custom => None,
    });
    owned.collect()
}

impl Execution<'_> {
    /// The `data` of a subscription's event.
    pub(super) async fn event(&self, subscription: &Subscription, change: &Change) -> Json {
        let field = &subscription.field;
        let (model, path) = (subscription.model, Path::root(&field.key));
        let placed = self.place(model, &subscription.sight, change.record.clone(), path);
        let records = placed.into_iter().collect();
        let mut completed = self.records(model, records, &field.fields).await;
        let mut data = Map::new();
        data.insert(field.key.clone(), completed.pop().unwrap_or_default());
        Json::Object(data)
    }
}
