//! The GraphQL API of a schema (contract 2 and 4). The library `async-graphql` holds the types,
//! checks requests against them and answers introspection; what a request asks for is carried out
//! here, because a request's mutations go to the backend together and related records are read
//! level by level, not one by one.

mod access;
mod audience;
mod document;
mod documents;
mod enhanced;
mod errors;
mod execution;
mod filter;
mod inputs;
mod keys;
mod limits;
mod located;
mod mutation;
mod path;
mod plan;
mod put_off;
mod query;
mod records;
mod seal;
mod subscription;
mod token;
mod types;
mod validation;
mod weight;

use std::collections::BTreeMap;
use std::sync::Arc;

use async_graphql::dynamic;
use async_graphql::parser::types::OperationType;
use espressync_model::remote::{Change, Operation};
use espressync_model::{ModelId, Schema};
use espressync_resolver::{Caller, Rules};
use espressync_wire::names;
use serde_json::{Map, Value as Json, json};
use thiserror::Error;

use crate::backend::Backend;
use access::Hiding;
pub(crate) use audience::Audience;
use document::Selected;
use documents::Documents;
use execution::Execution;
use filter::Filters;
pub use limits::Limits;
use seal::Seal;
pub(crate) use subscription::Subscription;

/// How far back a client may ask for changes one by one where nothing else is said.
pub const DEFAULT_WINDOW_MS: u64 = 30 * 24 * 60 * 60 * 1000;

/// The API of one schema over one backend.
pub struct Api {
    rules: Arc<Rules>,
    types: dynamic::Schema,
    roots: BTreeMap<String, Root>,
    filters: Filters,
    documents: Documents,
    backend: Arc<dyn Backend>,
    window_ms: u64,
    limits: Limits,
    seal: Seal,
}

/// What a field of `Query`, `Mutation` or `Subscription` does.
#[derive(Debug, Clone, Copy)]
enum Root {
    Get(ModelId),
    List(ModelId),
    Sync(ModelId),
    /// The query over an index, by its position.
    Index(ModelId, usize),
    Mutate(ModelId, Operation),
    Subscribe(ModelId, Operation),
}

/// A schema whose names cannot all be types of one API.
#[derive(Debug, Error)]
#[error("the schema's names clash with those of its API: {0}")]
pub struct ApiError(String);

/// One GraphQL request.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Request {
    /// The document.
    pub query: String,
    /// Its variables.
    pub variables: Map<String, Json>,
    /// Which of its operations.
    pub operation_name: Option<String>,
}

/// The answer to one request.
#[derive(Debug, Clone, PartialEq)]
pub struct Reply {
    /// `data`, and `errors` and `extensions` where there are any.
    pub body: Json,
    /// The names of the fields that were carried out, for the log.
    pub operations: Vec<String>,
    /// What was done, for the metrics.
    pub tally: Tally,
}

/// What the server did for a request.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// What it was asked to do.
    pub kind: Kind,
    /// The pages of sync queries that were read from the table.
    pub base_pages: u64,
    /// Those that were read from the journal.
    pub delta_pages: u64,
}

/// The kinds of requests.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Kind {
    /// It asks for records.
    Query,
    /// It writes.
    Mutation,
    /// It could not be read.
    #[default]
    Unknown,
}

impl Api {
    /// The API of a schema under its rules. `window_ms` is how far back changes are told one by
    /// one.
    ///
    /// # Errors
    /// [`ApiError`] when two types get one name.
    pub fn new(
        rules: Arc<Rules>,
        backend: Arc<dyn Backend>,
        window_ms: u64,
    ) -> Result<Self, ApiError> {
        let types = types::build(&rules).map_err(|error| ApiError(error.0))?;
        let (roots, filters) = (roots(&rules), Filters::of(rules.schema()));
        let documents = Documents::new();
        let (limits, seal) = (Limits::default(), Seal::new(backend.secret()));
        Ok(Self { rules, types, roots, filters, documents, backend, window_ms, limits, seal })
    }

    /// Whether these rules make an API.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn check_rules(rules: &Rules) -> Result<(), ApiError> {
        types::build(rules).map(drop).map_err(|error| ApiError(error.0))
    }

    /// This API with other limits.
    #[must_use]
    pub fn with_limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// The API in SDL, as introspection shows it.
    #[must_use]
    pub fn sdl(&self) -> String {
        self.types.sdl()
    }

    fn models(&self) -> &Schema {
        self.rules.schema()
    }

    /// Carries out a caller's query or mutation. Whatever is wrong is in the answer.
    pub async fn execute(&self, caller: Arc<Caller>, request: Request) -> Reply {
        let mut checked = match self.check(request).await {
            Ok(checked) => checked,
            Err(errors) => return Reply::refused(errors),
        };
        self.open_tokens(&caller, &mut checked.operation.fields);
        let execution = Execution::new(self, caller, self.hiding(&checked.operation));
        let data = match checked.operation.kind {
            OperationType::Query => {
                let fields = &checked.operation.fields;
                execution.query(fields, checked.introspection).await
            }
            OperationType::Mutation => execution.mutate(&checked.operation.fields).await,
            OperationType::Subscription => {
                let message = "subscriptions are served over the WebSocket at \
                               /graphql/realtime: open it with the subprotocol graphql-ws, and \
                               `start` this one there";
                return Reply::refused(vec![espressync_wire::error::request_error(message)]);
            }
        };
        let operations = checked.operation.fields.into_iter().map(|field| field.name).collect();
        let kind = match checked.operation.kind {
            OperationType::Mutation => Kind::Mutation,
            OperationType::Query | OperationType::Subscription => Kind::Query,
        };
        let tally = execution.tally(kind);
        Reply { body: execution.finish(data), operations, tally }
    }

    /// Checks a caller's subscription, which [`event`](Self::event) then projects changes through.
    ///
    /// # Errors
    /// Entries of `errors` for a request that is no valid subscription.
    pub(crate) async fn subscribe(
        &self,
        caller: Arc<Caller>,
        request: Request,
    ) -> Result<Subscription, Vec<Json>> {
        let refused = |message: &str| vec![espressync_wire::error::request_error(message)];
        let audience = self.audience(&caller, request.query.clone(), &request.variables);
        let checked = match self.check(request).await {
            Ok(checked) => checked,
            Err(errors) => {
                return Err(self.disabled(&audience).map_or(errors, |error| vec![error]));
            }
        };
        if checked.operation.kind != OperationType::Subscription {
            let mut errors = refused("only subscriptions are served over the WebSocket");
            errors[0]["errorType"] = Json::from("UnsupportedOperation");
            return Err(errors);
        }
        let Ok([field]) = <[Selected; 1]>::try_from(checked.operation.fields) else {
            return Err(refused("a subscription has exactly one field"));
        };
        let Some(Root::Subscribe(model, operation)) = self.roots.get(&field.name) else {
            return Err(refused(&format!("`{}` is no subscription", field.name)));
        };
        let read = self.subscription(caller, (*model, *operation), field.clone(), audience);
        read.map_err(|error| vec![errors::of_field(&error, &field, &Json::Null)])
    }

    /// A change as a subscription asked to see it: the whole record, not only what the mutation
    /// that made it asked for.
    pub(crate) async fn event(&self, subscription: &Subscription, change: &Change) -> Json {
        let execution = Execution::new(self, Arc::clone(&subscription.caller), Hiding::Silent);
        let data = execution.event(subscription, change).await;
        execution.finish(data)
    }

    /// Clients take an error beside a record that they sync or have written for its failure.
    fn hiding(&self, operation: &document::Operation) -> Hiding {
        let is_sync = |field: &Selected| matches!(self.roots.get(&field.name), Some(Root::Sync(_)));
        let is_query = operation.kind == OperationType::Query;
        match is_query && !operation.fields.iter().any(is_sync) {
            true => Hiding::Told,
            false => Hiding::Silent,
        }
    }

    async fn check(&self, request: Request) -> Result<Checked, Vec<Json>> {
        let Request { query, variables, operation_name } = &request;
        if let Some(known) = self.documents.get(query, variables, self.types.registry())
            && let Ok(operation) = document::read(&known, operation_name.as_deref(), variables)
            && !document::introspects(&operation)
            && document::check_aliases(&operation, &self.limits).is_ok()
        {
            return Ok(Checked { operation, introspection: Json::Null });
        }
        // Apart, because it is as large as it is rare, and every request would be moved about
        // with room for it.
        Box::pin(self.check_anew(request)).await
    }

    async fn check_anew(&self, request: Request) -> Result<Checked, Vec<Json>> {
        let refused = |message: String| vec![espressync_wire::error::request_error(&message)];
        let Request { query, variables, operation_name } = request;
        let candidate = self.documents.candidate(&query, &variables);
        let mut library = async_graphql::Request::new(query.as_str());
        let document = library.parsed_query().map_err(|error| vec![errors::of_syntax(&error)])?;
        document::check_size(document, &self.limits).map_err(refused)?;
        let operation = document::read(document, operation_name.as_deref(), &variables);
        if let Ok(operation) = &operation {
            document::check_aliases(operation, &self.limits).map_err(refused)?;
        }
        let introspects = operation.as_ref().is_ok_and(document::introspects);
        let candidate = candidate.map(|candidate| candidate.with(document));
        let variables = async_graphql::Variables::from_json(Json::Object(variables));
        library = library.variables(variables).data(validation::Introspects(introspects));
        library.operation_name = operation_name.filter(|_| is_named(&mut library));
        let answer = self.types.execute(library).await;
        if !answer.errors.is_empty() {
            let document = async_graphql::parser::parse_query(&query).ok();
            let errors = answer.errors.iter();
            return Err(errors.map(|each| validation::to_json(each, document.as_ref())).collect());
        }
        let operation = operation.map_err(refused)?;
        if let Some(candidate) = candidate {
            self.documents.keep(candidate, self.types.registry());
        }
        let introspection = answer.data.into_json().unwrap_or_default();
        Ok(Checked { operation, introspection })
    }
}

/// The library knows the name of an operation only where there are several.
fn is_named(request: &mut async_graphql::Request) -> bool {
    use async_graphql::parser::types::DocumentOperations;
    let document = request.parsed_query();
    document.is_ok_and(|document| matches!(document.operations, DocumentOperations::Multiple(_)))
}

impl std::fmt::Debug for Api {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Api").field("roots", &self.roots.len()).finish_non_exhaustive()
    }
}

impl Reply {
    fn refused(errors: Vec<Json>) -> Self {
        let body = json!({ "data": null, "errors": errors });
        Self { body, operations: Vec::new(), tally: Tally::default() }
    }

    /// How many errors the answer has.
    #[must_use]
    pub fn errors(&self) -> usize {
        self.body.get("errors").and_then(Json::as_array).map_or(0, Vec::len)
    }
}

/// A request that has passed validation.
struct Checked {
    operation: document::Operation,
    /// What the library answered about the schema.
    introspection: Json,
}

fn roots(rules: &Rules) -> BTreeMap<String, Root> {
    let mut roots = BTreeMap::new();
    for (id, model) in rules.schema().models() {
        let api = rules.model(id);
        let get = api.get.name(names::get(model)).map(|name| (name, Root::Get(id)));
        let list = api.list.name(names::list(model)).map(|name| (name, Root::List(id)));
        let sync = api.sync.name(names::sync(model)).map(|name| (name, Root::Sync(id)));
        roots.extend(get.into_iter().chain(list).chain(sync));
        for (position, index) in model.indexes.iter().enumerate() {
            let name = index.query_field.clone();
            roots.extend(name.map(|name| (name, Root::Index(id, position))));
        }
        for operation in types::MUTATIONS {
            let name = types::offer(api, operation).name(names::mutation(model, operation));
            roots.extend(name.map(|name| (name, Root::Mutate(id, operation))));
        }
        for operation in types::OPERATIONS {
            let names = types::subscription_names(model, api, operation).into_iter();
            roots.extend(names.map(|name| (name, Root::Subscribe(id, operation))));
        }
    }
    roots
}
