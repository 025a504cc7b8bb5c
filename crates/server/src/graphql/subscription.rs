use std::collections::BTreeSet;
use std::sync::Arc;

use espressync_model::remote::{Change, Operation, RemoteError};
use espressync_model::{
    AccessRules, Action, Allow, FieldId, Model, ModelId, Record, Row, SubscriptionLevel,
};
use espressync_resolver::{Caller, Naming, Sight, without};
use serde_json::{Map, Value as Json};

use super::Api;
use super::access::unauthorized;
use super::audience::{Audience, Texts};
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
    /// Who is told the same.
    pub(crate) audience: Audience,
    /// Where the records are found, if they can be.
    pub(crate) texts: Texts,
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
    /// Whether a change of this record is to be told: the server's own filter, by what the caller
    /// may see, comes before the client's.
    pub(crate) fn wants(&self, record: &Record) -> bool {
        if self.sight.is_clear() && self.owners.is_empty() {
            return self.filter.matches(record);
        }
        let row = &record.row;
        let is_asked = self.owners.iter().all(|owner| owner.matches(row));
        if !is_asked || !self.sight.sees(row) {
            return false;
        }
        let hidden = self.sight.hidden(row, row.values().len());
        self.filter.matches(&without(record.clone(), &hidden))
    }
}

impl Api {
    /// Reads a subscription and checks that its caller may have it.
    ///
    /// # Errors
    /// [`RemoteErrorKind`](espressync_model::remote::RemoteErrorKind): `Unauthorized` when they may
    /// not, `Invalid` for arguments that do not fit.
    pub(super) fn subscription(
        &self,
        caller: Arc<Caller>,
        (model, operation): (ModelId, Operation),
        field: Selected,
        audience: Audience,
    ) -> Result<Subscription, RemoteError> {
        let filter = self.filters.subscription(model, field.argument("filter"))?;
        // `@model(subscriptions: { level: public })` leaves them to whoever may use the API.
        let is_public = self.rules.model(model).level == SubscriptionLevel::Public;
        let asker = if is_public { &Caller::Operator } else { &*caller };
        let sight = self.sight(asker, model, Action::Listen);
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
        let texts = self.texts(model, &filter, &owners, &sight);
        Ok(Subscription { caller, model, operation, filter, sight, owners, field, audience, texts })
    }

    /// Where the records of a subscription are found: by what it asks, or by what its caller sees.
    fn texts(
        &self,
        model: ModelId,
        filter: &Filter,
        owners: &[OwnerArgument],
        sight: &Sight,
    ) -> Texts {
        let model = self.models().model(model);
        let named = |naming: &Naming| {
            let names = naming.names.iter().map(|name| Arc::from(name.as_str())).collect();
            (!model.at(naming.field).is_list).then_some((naming.field, names))
        };
        let owner = owners.iter().find_map(|owner| match owner {
            OwnerArgument::Caller(naming) => named(naming),
            OwnerArgument::Somebody(field, name) => Some((*field, vec![Arc::from(name.as_str())])),
        });
        // A filter may also look at what is derived from a row.
        let asked = filter.texts().filter(|(field, _)| field.index() < model.fields.len());
        owner.or(asked).or_else(|| sight.only_way().and_then(named))
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
