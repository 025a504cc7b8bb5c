use std::sync::Arc;

use async_graphql::parser::parse_query;
use async_graphql::parser::types::Selection;
use espressync_model::remote::Operation;
use espressync_model::{Action, FieldId, ModelId};
use espressync_resolver::Caller;
use espressync_wire::error::request_error;
use espressync_wire::names;
use serde_json::{Map, Value as Json};

use super::Api;
use super::types::{OPERATIONS, subscription_names};

/// What subscriptions have in common that are told the same of every change, so that it is shown
/// once for all of them: the request word by word, and the eyes that it is seen by.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Audience {
    query: String,
    variables: String,
    /// `None` for all from whom nothing is hidden. Anybody else shares with themselves alone.
    caller: Option<Arc<Caller>>,
}

/// Where the records of a subscription are found: one of these texts is in the field.
pub(crate) type Texts = Option<(FieldId, Vec<Arc<str>>)>;

impl Api {
    pub(super) fn audience(
        &self,
        caller: &Arc<Caller>,
        query: String,
        variables: &Map<String, Json>,
    ) -> Audience {
        let variables = serde_json::to_string(variables).unwrap_or_default();
        let caller = (!self.sees_everything(caller)).then(|| Arc::clone(caller));
        Audience { query, variables, caller }
    }

    /// Whether nothing of any model is hidden from a caller, whichever way they read it: a
    /// subscription shows related records as well.
    pub(super) fn sees_everything(&self, caller: &Caller) -> bool {
        self.models().models().all(|(model, _)| {
            Action::READ.into_iter().all(|action| self.sight(caller, model, action).is_clear())
        })
    }

    /// The error of a subscription that the schema turns off, where that is what was asked for.
    /// Clients read it by its name, and the check would only say that there is no such field.
    pub(super) fn disabled(&self, audience: &Audience) -> Option<Json> {
        let document = parse_query(&audience.query).ok()?;
        let (_, operation) = document.operations.iter().next()?;
        let fields = operation.node.selection_set.node.items.iter();
        let mut names = fields.filter_map(|item| match &item.node {
            Selection::Field(field) => Some(field.node.name.node.as_str()),
            Selection::FragmentSpread(_) | Selection::InlineFragment(_) => None,
        });
        let is_off = |name: &str| {
            self.models().models().any(|(id, model)| {
                let mut off =
                    OPERATIONS.into_iter().filter(|operation| self.is_off(id, *operation));
                off.any(|operation| names::subscription(model, operation) == name)
            })
        };
        names.find(|name| is_off(name)).map(disabled)
    }

    /// Whether the schema turns the subscriptions to an operation off.
    fn is_off(&self, model: ModelId, operation: Operation) -> bool {
        let (of, api) = (self.models().model(model), self.rules.model(model));
        subscription_names(of, api, operation).is_empty()
    }
}

/// AppSync's name for what an API does not offer.
fn disabled(field: &str) -> Json {
    let mut error = request_error(&format!("the schema turns the subscription {field} off"));
    error["errorType"] = Json::from("OperationDisabled");
    error
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use espressync_model::{ApiSchema, ModelApi, Offer, Provider, sdl};
    use espressync_resolver::{Claim, Identity, Rules, Strategies};
    use tempfile::TempDir;

    use super::*;
    use crate::Hub;
    use crate::graphql::{DEFAULT_WINDOW_MS, Request};
    use crate::sqlite::SqliteBackend;

    fn api(schema: ApiSchema, folder: &TempDir) -> Api {
        let rules = Arc::new(Rules::new(Arc::new(schema), Strategies::default()));
        let file = folder.path().join("data.sqlite");
        let time = crate::clock::system_time;
        let backend = SqliteBackend::open(&file, Arc::clone(&rules), time, Hub::new()).unwrap();
        Api::new(rules, Arc::new(backend), DEFAULT_WINDOW_MS).unwrap()
    }

    fn user(name: &str) -> Arc<Caller> {
        let claims = ["sub", "username"].map(|claim| (claim.to_owned(), Claim::One(name.into())));
        let claims = BTreeMap::from(claims);
        Arc::new(Caller::Known(Identity { provider: Provider::UserPools, claims }))
    }

    /// Whether two users who ask alike are told by one text.
    async fn share(source: &str, query: &str) -> bool {
        let folder = TempDir::new().unwrap();
        let api = api(sdl::parse_api(source, "schema.graphql").unwrap(), &folder);
        let mut audiences = Vec::new();
        for name in ["anna", "ben"] {
            let request = Request { query: query.to_owned(), ..Request::default() };
            audiences.push(api.subscribe(user(name), request).await.unwrap().audience);
        }
        audiences[0] == audiences[1]
    }

    #[tokio::test]
    async fn only_those_who_see_the_same_share() {
        let query = "subscription s { onCreatePost { id } }";
        let check = async |auth: &str, expected: bool| {
            let source = format!("type Post @model {auth} {{ id: ID! title: String }}");
            assert_eq!(share(&source, query).await, expected, "{auth}");
        };
        check("", true).await;
        check("@auth(rules: [{ allow: private }])", true).await;
        check("@auth(rules: [{ allow: owner }])", false).await;
        check("@auth(rules: [{ allow: private }, { allow: owner }])", true).await;
        let related = "type Post @model @auth(rules: [{ allow: private }]) { id: ID! }
            type Note @model @auth(rules: [{ allow: owner }]) { id: ID! postId: ID }";
        assert!(!share(related, query).await, "a selection may lead to what is hidden from one");
    }

    #[tokio::test]
    async fn what_the_schema_turns_off_is_called_so() {
        let folder = TempDir::new().unwrap();
        let schema = sdl::parse("type Post @model { id: ID! }", "schema.graphql").unwrap();
        let of_post = ModelApi { on_create: vec![Offer::Off], ..ModelApi::default() };
        let api = api(ApiSchema::new(schema, vec![of_post]), &folder);
        let query = "subscription s { onCreatePost { id } }".to_owned();
        let request = Request { query, ..Request::default() };
        let errors = api.subscribe(user("anna"), request).await.unwrap_err();
        assert_eq!(errors[0]["errorType"], "OperationDisabled");
        let message = "the schema turns the subscription onCreatePost off";
        assert_eq!(errors[0]["message"], message);
    }
}
