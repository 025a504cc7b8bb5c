//! What a client sends: GraphQL text and variables, as Amplify writes them (contract 3.2).

use espressync_model::remote::{Mutation, Operation, Request, SyncRequest};
use espressync_model::{BaseType, Field, Key, Model, ModelId, Predicate, Schema, Timestamp};
use serde_json::{Map, Value as Json, json};

use crate::filter::{condition_to_json, filter_to_json};
use crate::json::{VERSION, key_values, object, patch_to_json, value_to_json};
use crate::names;

/// A GraphQL request.
#[derive(Debug, Clone, PartialEq)]
pub struct Document {
    /// The query, mutation or subscription.
    pub text: String,
    /// Its variables, an object.
    pub variables: Json,
}

impl Document {
    /// The document of a request. Several mutations go as one document with the aliases `m0`,
    /// `m1` and so on; of none there is a document that asks nothing.
    #[must_use]
    pub fn of(schema: &Schema, request: &Request) -> Self {
        match request {
            Request::Mutate(mutations) => match mutations.as_slice() {
                [] => Self { text: "query operation { __typename }".into(), variables: json!({}) },
                [only] => mutation(schema, only),
                several => mutations_in_one(schema, several),
            },
            Request::Sync(page) => sync(schema, page),
            Request::Get(model, key) => get(schema, *model, key),
        }
    }

    /// The document that subscribes to one kind of change of a model's records.
    #[must_use]
    pub fn subscription(schema: &Schema, model: ModelId, operation: Operation) -> Self {
        let name = names::subscription(schema.model(model), operation);
        let text =
            format!("subscription operation {{ {name} {{ {} }} }}", selection(schema, model));
        Self { text, variables: json!({}) }
    }

    /// The body of the HTTP request, and the `data` of a realtime `start`.
    #[must_use]
    pub fn body(&self) -> String {
        json!({ "query": self.text, "variables": self.variables }).to_string()
    }
}

/// The name under which the answer to a request's mutation of this position stands in `data`. It
/// carries the name of a mutation that has one: AppSync answers under it and thinks nothing of it,
/// our server [reads](once_of) it.
pub(crate) fn alias(schema: &Schema, mutations: &[Mutation], position: usize) -> String {
    match (mutations, mutations.get(position).and_then(|mutation| mutation.once)) {
        (_, Some(once)) => format!("m{position}{ONCE}{once:016x}"),
        ([only], None) => names::mutation(schema.model(only.model), only.operation),
        (_, None) => format!("m{position}"),
    }
}

/// What stands before the name of a mutation in its alias.
const ONCE: &str = "_once_";

/// The name that an alias gives to its mutation, if it gives one.
#[must_use]
pub fn once_of(alias: &str) -> Option<u64> {
    let (position, once) = alias.strip_prefix('m')?.split_once(ONCE)?;
    let is_position = !position.is_empty() && position.bytes().all(|byte| byte.is_ascii_digit());
    let is_name = once.len() == 16 && once.bytes().all(|byte| byte.is_ascii_hexdigit());
    if is_position && is_name { u64::from_str_radix(once, 16).ok() } else { None }
}

/// The fields a client asks for: scalars and enums, then non-model types, then the bookkeeping.
/// Relations are not asked for, because their foreign keys are fields (contract 3.1).
#[must_use]
pub fn selection(schema: &Schema, model: ModelId) -> String {
    let fields = select_fields(schema, &schema.model(model).fields);
    format!("{fields} _version _lastChangedAt _deleted")
}

fn select_fields(schema: &Schema, fields: &[Field]) -> String {
    let mut selected: Vec<String> = Vec::with_capacity(fields.len());
    let mut nested = Vec::new();
    for field in fields {
        match field.base {
            BaseType::Scalar(_) | BaseType::Enum(_) => selected.push(field.name.clone()),
            BaseType::Object(id) => {
                let inner = select_fields(schema, &schema.object(id).fields);
                nested.push(format!("{} {{ {inner} }}", field.name));
            }
        }
    }
    selected.append(&mut nested);
    selected.join(" ")
}

fn sync(schema: &Schema, page: &SyncRequest) -> Document {
    let model = schema.model(page.model);
    let text = format!(
        "query operation($limit: Int, $nextToken: String, $lastSync: AWSTimestamp, \
         $filter: {filter}) {{ {name}(limit: $limit, nextToken: $nextToken, lastSync: $lastSync, \
         filter: $filter) {{ items {{ {selection} }} nextToken startedAt }} }}",
        filter = names::filter(model),
        name = names::sync(model),
        selection = selection(schema, page.model),
    );
    let variables = json!({
        "limit": page.limit,
        "nextToken": page.next_token,
        "lastSync": page.last_sync.unwrap_or(Timestamp::ZERO).0,
        "filter": filter_to_json(schema, page.model, &page.filter),
    });
    Document { text, variables }
}

fn get(schema: &Schema, id: ModelId, key: &Key) -> Document {
    let model = schema.model(id);
    let key_fields = || model.key.iter().map(|field| model.at(*field));
    let declared =
        key_fields().map(|field| format!("${}: {}!", field.name, schema.type_name(field.base)));
    let passed = key_fields().map(|field| format!("{name}: ${name}", name = field.name));
    let text = format!(
        "query operation({}) {{ {}({}) {{ {} }} }}",
        declared.collect::<Vec<_>>().join(", "),
        names::get(model),
        passed.collect::<Vec<_>>().join(", "),
        selection(schema, id),
    );
    Document { text, variables: Json::Object(key_to_json(schema, model, key)) }
}

fn key_to_json(schema: &Schema, model: &Model, key: &Key) -> Map<String, Json> {
    object(key_values(model, key).into_iter().map(|(id, value)| {
        let field = model.at(id);
        (field.name.clone(), value_to_json(schema, field.base, &value))
    }))
}

/// One mutation, with the variable names that Amplify uses.
fn mutation(schema: &Schema, mutation: &Mutation) -> Document {
    let mut writer = MutationWriter::new(schema);
    let alias = match mutation.once {
        Some(_) => format!("{}: ", alias(schema, std::slice::from_ref(mutation), 0)),
        None => String::new(),
    };
    writer.push(&alias, mutation, "input", "condition");
    writer.finish()
}

fn mutations_in_one(schema: &Schema, mutations: &[Mutation]) -> Document {
    let mut writer = MutationWriter::new(schema);
    for (position, mutation) in mutations.iter().enumerate() {
        let alias = format!("{}: ", alias(schema, mutations, position));
        writer.push(&alias, mutation, &format!("i{position}"), &format!("c{position}"));
    }
    writer.finish()
}

struct MutationWriter<'a> {
    schema: &'a Schema,
    declared: Vec<String>,
    fields: Vec<String>,
    variables: Map<String, Json>,
}

impl<'a> MutationWriter<'a> {
    fn new(schema: &'a Schema) -> Self {
        Self { schema, declared: Vec::new(), fields: Vec::new(), variables: Map::new() }
    }

    fn push(&mut self, alias: &str, mutation: &Mutation, input: &str, condition: &str) {
        let schema = self.schema;
        let model = schema.model(mutation.model);
        self.declared.push(format!("${input}: {}!", names::input(model, mutation.operation)));
        self.variables.insert(input.to_owned(), input_to_json(schema, mutation));
        let mut arguments = format!("input: ${input}");
        if mutation.condition != Predicate::All {
            self.declared.push(format!("${condition}: {}", names::condition(model)));
            let json =
                condition_to_json(schema, mutation.model, &mutation.key, &mutation.condition);
            self.variables.insert(condition.to_owned(), json);
            arguments.push_str(&format!(", condition: ${condition}"));
        }
        self.fields.push(format!(
            "{alias}{}({arguments}) {{ {} }}",
            names::mutation(model, mutation.operation),
            selection(schema, mutation.model),
        ));
    }

    fn finish(self) -> Document {
        let text = format!(
            "mutation operation({}) {{ {} }}",
            self.declared.join(", "),
            self.fields.join(" "),
        );
        Document { text, variables: Json::Object(self.variables) }
    }
}

/// Key fields, then what the mutation sets, then the version it was made on.
fn input_to_json(schema: &Schema, mutation: &Mutation) -> Json {
    let model = schema.model(mutation.model);
    let mut input = key_to_json(schema, model, &mutation.key);
    if !matches!(mutation.operation, Operation::Delete | Operation::Undelete) {
        input.extend(patch_to_json(schema, mutation.model, &mutation.fields));
    }
    if mutation.operation != Operation::Create {
        input.insert(VERSION.to_owned(), mutation.version.into());
    }
    Json::Object(input)
}
