//! What `@model`'s arguments say (contract 1.1): which operations the API has, under which names,
//! and what the timestamps are called.

use std::collections::BTreeMap;

use async_graphql_parser::Pos;

use super::arguments::{Arguments, is_name};
use super::directives::Directives;
use super::names::upper_first;
use super::{Problem, Problems, Result, SdlCause};
use crate::{ModelApi, ModelId, Offer, Schema, SubscriptionLevel};

/// The arguments of one `@model`.
#[derive(Debug)]
pub(super) struct Offers {
    /// The operations; the rest of it is for whoever knows the model.
    pub(super) api: ModelApi,
    /// What the timestamps are called; `None` where there is none.
    pub(super) created_at: Option<String>,
    pub(super) updated_at: Option<String>,
}

impl Default for Offers {
    fn default() -> Self {
        Self {
            api: ModelApi::default(),
            created_at: Some("createdAt".to_owned()),
            updated_at: Some("updatedAt".to_owned()),
        }
    }
}

impl Offers {
    pub(super) fn read(directives: Directives<'_>) -> Result<Self> {
        let mut offers = Self::default();
        let mut all = directives.all("model");
        let Some(directive) = all.next() else { return Ok(offers) };
        if let Some(second) = all.next() {
            return second.wrong("a type has one @model");
        }
        let known = ["queries", "mutations", "subscriptions", "timestamps"];
        let arguments = directive.takes(&known)?;
        offers.queries(&arguments)?;
        offers.mutations(&arguments)?;
        offers.subscriptions(&arguments)?;
        offers.timestamps(&arguments)?;
        Ok(offers)
    }

    /// `queries: null` turns off the sync query too, as Amplify's transformer does; nothing else
    /// does, for a DataStore that cannot sync a model has nothing of it.
    fn queries(&mut self, arguments: &Arguments<'_>) -> Result<()> {
        match arguments.object("queries")? {
            None => {}
            Some(None) => {
                let api = &mut self.api;
                (api.get, api.list, api.sync) = (Offer::Off, Offer::Off, Offer::Off);
            }
            Some(Some(queries)) => {
                let queries = queries.takes(&["get", "list"])?;
                self.api.get = offer(&queries, "get")?;
                self.api.list = offer(&queries, "list")?;
            }
        }
        Ok(())
    }

    fn mutations(&mut self, arguments: &Arguments<'_>) -> Result<()> {
        match arguments.object("mutations")? {
            None => {}
            Some(None) => {
                let api = &mut self.api;
                (api.create, api.update, api.delete) = (Offer::Off, Offer::Off, Offer::Off);
            }
            Some(Some(mutations)) => {
                let mutations = mutations.takes(&["create", "update", "delete"])?;
                self.api.create = offer(&mutations, "create")?;
                self.api.update = offer(&mutations, "update")?;
                self.api.delete = offer(&mutations, "delete")?;
            }
        }
        Ok(())
    }

    fn subscriptions(&mut self, arguments: &Arguments<'_>) -> Result<()> {
        match arguments.object("subscriptions")? {
            None => {}
            Some(None) => self.api.level = SubscriptionLevel::Off,
            Some(Some(subscriptions)) => {
                let known = ["onCreate", "onUpdate", "onDelete", "level"];
                let subscriptions = subscriptions.takes(&known)?;
                self.api.on_create = offers(&subscriptions, "onCreate")?;
                self.api.on_update = offers(&subscriptions, "onUpdate")?;
                self.api.on_delete = offers(&subscriptions, "onDelete")?;
                self.api.level = match subscriptions.word("level", &["off", "public", "on"])? {
                    Some("off") => SubscriptionLevel::Off,
                    Some("public") => SubscriptionLevel::Public,
                    _ => SubscriptionLevel::On,
                };
            }
        }
        if self.api.level == SubscriptionLevel::Off {
            let ModelApi { on_create, on_update, on_delete, .. } = &mut self.api;
            [on_create, on_update, on_delete].into_iter().for_each(Vec::clear);
        }
        Ok(())
    }

    fn timestamps(&mut self, arguments: &Arguments<'_>) -> Result<()> {
        match arguments.object("timestamps")? {
            None => {}
            Some(None) => (self.created_at, self.updated_at) = (None, None),
            Some(Some(timestamps)) => {
                let timestamps = timestamps.takes(&["createdAt", "updatedAt"])?;
                if let Some(name) = timestamps.name("createdAt")? {
                    self.created_at = name.map(ToOwned::to_owned);
                }
                if let Some(name) = timestamps.name("updatedAt")? {
                    self.updated_at = name.map(ToOwned::to_owned);
                }
                if self.created_at.is_some() && self.created_at == self.updated_at {
                    return timestamps.wrong("the two `timestamps` have one name");
                }
                let mut names = self.created_at.iter().chain(&self.updated_at);
                if names.any(|name| name.starts_with('_')) {
                    return timestamps.wrong("names that begin with `_` belong to the API");
                }
            }
        }
        Ok(())
    }
}

fn offer(arguments: &Arguments<'_>, name: &str) -> Result<Offer> {
    Ok(match arguments.name(name)? {
        None => Offer::Usual,
        Some(None) => Offer::Off,
        Some(Some(name)) => Offer::Named(name.to_owned()),
    })
}

/// Subscriptions have several names each; `null` and an empty list turn them off.
fn offers(arguments: &Arguments<'_>, name: &str) -> Result<Vec<Offer>> {
    let Some(value) = arguments.get(name) else { return Ok(vec![Offer::Usual]) };
    if value.to_string() == "[]" {
        return Ok(Vec::new());
    }
    let names = arguments.texts(name)?.unwrap_or_default();
    if let Some(bad) = names.iter().find(|name| !is_name(name)) {
        return arguments.wrong(format!("`{name}` should hold names of GraphQL, found \"{bad}\""));
    }
    Ok(names.into_iter().map(|name| Offer::Named(name.to_owned())).collect())
}

/// Refuses two operations of one name (contract 2.1), of which the API could have only one.
pub(super) fn refuse_clashes(
    schema: &Schema,
    apis: &[ModelApi],
    places: &[Pos],
    to: &mut Problems,
) {
    let mut taken = BTreeMap::new();
    for ((id, api), at) in schema.models().map(|(id, _)| id).zip(apis).zip(places) {
        for (root, name) in operations(schema, id, api) {
            let model = &schema.model(id).name;
            if let Some(other) = taken.insert((root, name.clone()), model.clone()) {
                let (first, second) = (other, model.clone());
                let cause = SdlCause::SameOperation { operation: name, first, second };
                to.0.push(Problem { at: *at, cause });
            }
        }
    }
}

/// Every operation of a model, by the root type that has it.
fn operations(schema: &Schema, id: ModelId, api: &ModelApi) -> Vec<(&'static str, String)> {
    let model = schema.model(id);
    let (one, many) = (upper_first(&model.name), upper_first(&model.plural));
    let named = |root, offer: &Offer, usual: String| offer.name(usual).map(|name| (root, name));
    let singles = [
        named("Query", &api.get, format!("get{one}")),
        named("Query", &api.list, format!("list{many}")),
        named("Query", &api.sync, format!("sync{many}")),
        named("Mutation", &api.create, format!("create{one}")),
        named("Mutation", &api.update, format!("update{one}")),
        named("Mutation", &api.delete, format!("delete{one}")),
    ];
    let mut found: Vec<_> = singles.into_iter().flatten().collect();
    let queries = model.indexes.iter().filter_map(|index| index.query_field.clone());
    found.extend(queries.map(|name| ("Query", name)));
    let told =
        [("onCreate", &api.on_create), ("onUpdate", &api.on_update), ("onDelete", &api.on_delete)];
    for (verb, offers) in told {
        let usual = || format!("{verb}{one}");
        found.extend(offers.iter().filter_map(|offer| named("Subscription", offer, usual())));
    }
    found
}
