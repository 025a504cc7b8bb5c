use std::sync::Arc;

use async_graphql::Value;
use async_graphql::parser::types::{
    Directive, ExecutableDocument, OperationDefinition, Selection, SelectionSet,
};
use async_graphql::registry::{MetaType, MetaTypeName, Registry};
use async_graphql::{Name, Positioned};
use async_graphql_value::Value as Literal;
use quick_cache::Weighter;
use quick_cache::sync::Cache;
use serde_json::{Map, Value as Json};

/// How much text is kept. What is made of it takes some twenty times as much memory.
const KEPT_TEXT: u64 = 1024 * 1024;

/// How many documents that is about.
const KEPT_DOCUMENTS: usize = 1024;

/// A longer document was hardly written by hand or by a program once for all.
const LONGEST: usize = 16 * 1024;

/// Documents that were found good. Clients send the same few texts again and again, and to read
/// and check one costs more than to carry it out; so of a text that is known only the variables
/// are checked.
///
/// What is let through here is what the library would let through: in doubt the answer is no, and
/// then the library checks the request anew and words what is wrong with it.
pub(super) struct Documents(Cache<String, Arc<Known>, ByText>);

/// A document that is good whatever its variables are, as long as each fits its type.
struct Known {
    document: Arc<ExecutableDocument>,
    variables: Vec<Variable>,
}

/// A document that may be kept once it has passed with these variables.
pub(super) struct Candidate<D = ExecutableDocument> {
    text: String,
    variables: Map<String, Json>,
    document: D,
}

struct Variable {
    name: String,
    of: String,
    /// Whether it stands inside a literal, which can be good only with it or only without.
    is_inner: bool,
}

#[derive(Clone)]
struct ByText;

impl Weighter<String, Arc<Known>> for ByText {
    fn weight(&self, text: &String, _: &Arc<Known>) -> u64 {
        u64::try_from(text.len()).unwrap_or(u64::MAX)
    }
}

impl Documents {
    pub(super) fn new() -> Self {
        Self(Cache::with_weighter(KEPT_DOCUMENTS, KEPT_TEXT, ByText))
    }

    /// A document that needs no more checking with these variables.
    pub(super) fn get(
        &self,
        text: &str,
        variables: &Map<String, Json>,
        types: &Registry,
    ) -> Option<Arc<ExecutableDocument>> {
        let known = self.0.get(text)?;
        known.takes(variables, types).then(|| Arc::clone(&known.document))
    }

    /// A request of which the document may be kept, if that is worth it.
    pub(super) fn candidate(
        &self,
        text: &str,
        variables: &Map<String, Json>,
    ) -> Option<Candidate<()>> {
        let is_new = text.len() <= LONGEST && self.0.peek(text).is_none();
        let (text, variables) = (text.to_owned(), variables.clone());
        is_new.then_some(Candidate { text, variables, document: () })
    }

    /// Keeps a document that has just passed.
    pub(super) fn keep(&self, candidate: Candidate, types: &Registry) {
        let Candidate { text, variables, document } = candidate;
        let Some(known) = Known::of(document) else { return };
        if known.takes(&variables, types) {
            self.0.insert(text, Arc::new(known));
        }
    }
}

impl Candidate<()> {
    pub(super) fn with(self, document: &ExecutableDocument) -> Candidate {
        let Self { text, variables, .. } = self;
        Candidate { text, variables, document: document.clone() }
    }
}

impl Known {
    /// `None` for what is not worth the care: several operations, and variables with defaults, by
    /// which a null may go where otherwise none may.
    fn of(document: ExecutableDocument) -> Option<Self> {
        let mut operations = document.operations.iter();
        let (Some((_, operation)), None) = (operations.next(), operations.next()) else {
            return None;
        };
        let mut inner = Inner(Vec::new());
        inner.operation(&operation.node);
        for fragment in document.fragments.values() {
            inner.directives(&fragment.node.directives);
            inner.selection(&fragment.node.selection_set.node);
        }
        let variables = operation.node.variable_definitions.iter().map(|definition| {
            let name = definition.node.name.node.to_string();
            let of = definition.node.var_type.node.to_string();
            let is_inner = inner.0.iter().any(|other| other.as_str() == name);
            definition.node.default_value.is_none().then_some(Variable { name, of, is_inner })
        });
        let variables = variables.collect::<Option<Vec<_>>>()?;
        Some(Self { document: Arc::new(document), variables })
    }

    fn takes(&self, variables: &Map<String, Json>, types: &Registry) -> bool {
        self.variables.iter().all(|Variable { name, of, is_inner }| match variables.get(name) {
            Some(json) => fits(types, of, json),
            None => !is_inner && !of.ends_with('!'),
        })
    }
}

/// The variables that stand inside a literal, as in `{ id: { eq: $id } }`.
struct Inner<'a>(Vec<&'a Name>);

impl<'a> Inner<'a> {
    fn operation(&mut self, operation: &'a OperationDefinition) {
        self.directives(&operation.directives);
        self.selection(&operation.selection_set.node);
    }

    fn selection(&mut self, set: &'a SelectionSet) {
        for item in &set.items {
            self.directives(item.node.directives());
            match &item.node {
                Selection::Field(field) => {
                    field.node.arguments.iter().for_each(|(_, value)| self.argument(&value.node));
                    self.selection(&field.node.selection_set.node);
                }
                Selection::InlineFragment(fragment) => {
                    self.selection(&fragment.node.selection_set.node);
                }
                Selection::FragmentSpread(_) => {}
            }
        }
    }

    fn directives(&mut self, directives: &'a [Positioned<Directive>]) {
        let arguments = directives.iter().flat_map(|directive| &directive.node.arguments);
        arguments.for_each(|(_, value)| self.argument(&value.node));
    }

    fn argument(&mut self, value: &'a Literal) {
        if !matches!(value, Literal::Variable(_)) {
            self.within(value);
        }
    }

    fn within(&mut self, value: &'a Literal) {
        match value {
            Literal::Variable(name) => self.0.push(name),
            Literal::List(elements) => elements.iter().for_each(|element| self.within(element)),
            Literal::Object(members) => members.values().for_each(|member| self.within(member)),
            Literal::Null
            | Literal::Number(_)
            | Literal::String(_)
            | Literal::Boolean(_)
            | Literal::Binary(_)
            | Literal::Enum(_) => {}
        }
    }
}

/// Whether a value is surely one of a type, which is written as GraphQL writes it.
fn fits(types: &Registry, of: &str, json: &Json) -> bool {
    match (MetaTypeName::create(of), json) {
        (MetaTypeName::NonNull(_), Json::Null) => false,
        (_, Json::Null) => true,
        (MetaTypeName::NonNull(of), json) => fits(types, of, json),
        (MetaTypeName::List(of), Json::Array(elements)) => {
            elements.iter().all(|element| fits(types, of, element))
        }
        // One value for a list of one: the library knows how.
        (MetaTypeName::List(_), _) => false,
        (MetaTypeName::Named(name), json) => {
            types.types.get(name).is_some_and(|of| is_of(types, of, json))
        }
    }
}

fn is_of(types: &Registry, of: &MetaType, json: &Json) -> bool {
    match (of, json) {
        (MetaType::Scalar { is_valid, .. }, json) => {
            let value = Value::from_json(json.clone());
            value.is_ok_and(|value| is_valid.as_ref().is_none_or(|is_valid| is_valid(&value)))
        }
        (MetaType::Enum { enum_values, .. }, Json::String(name)) => {
            enum_values.contains_key(name.as_str())
        }
        (MetaType::InputObject { input_fields, oneof: false, .. }, Json::Object(members)) => {
            let is_known = members.keys().all(|name| input_fields.contains_key(name.as_str()));
            is_known
                && input_fields.iter().all(|(name, field)| match members.get(name) {
                    Some(json) => fits(types, &field.ty, json),
                    None => !field.ty.ends_with('!'),
                })
        }
        (
            MetaType::Enum { .. }
            | MetaType::InputObject { .. }
            | MetaType::Object { .. }
            | MetaType::Interface { .. }
            | MetaType::Union { .. },
            _,
        ) => false,
    }
}

#[cfg(test)]
mod tests {
    use async_graphql::dynamic::{Enum, Field, FieldFuture, InputObject, InputValue};
    use async_graphql::dynamic::{Object, Schema, TypeRef};
    use async_graphql::parser::parse_query;
    use serde_json::json;

    use super::*;

    fn schema() -> Schema {
        let input = InputObject::new("In")
            .field(InputValue::new("id", TypeRef::named_nn(TypeRef::ID)))
            .field(InputValue::new("size", TypeRef::named("Size")))
            .field(InputValue::new("tags", TypeRef::named_nn_list(TypeRef::STRING)))
            .field(InputValue::new("more", TypeRef::named("In")));
        let field = Field::new("find", TypeRef::named(TypeRef::INT), |_| FieldFuture::Value(None))
            .argument(InputValue::new("in", TypeRef::named("In")))
            .argument(InputValue::new("limit", TypeRef::named(TypeRef::INT)));
        Schema::build("Query", None, None)
            .register(input)
            .register(Enum::new("Size").item("SMALL").item("LARGE"))
            .register(Object::new("Query").field(field))
            .finish()
            .unwrap()
    }

    /// Whether a document is let through with some variables once it has passed with others, which
    /// must never be where the library would not.
    async fn check(text: &str, first: Json, then: Json, expected: bool) {
        let (schema, documents) = (schema(), Documents::new());
        let types = schema.registry();
        let [first, then] = [first, then].map(|json| json.as_object().cloned().unwrap());
        let document = parse_query(text).unwrap();
        if let Some(candidate) = documents.candidate(text, &first) {
            documents.keep(candidate.with(&document), types);
        }
        let found = documents.get(text, &then, types).is_some();
        assert_eq!(found, expected, "{text} {then:?}");
        let variables = async_graphql::Variables::from_json(Json::Object(then.clone()));
        let request = async_graphql::Request::new(text).variables(variables);
        let is_good = schema.execute(request).await.errors.is_empty();
        assert!(is_good || !found, "{text} {then:?} passes, and the library refuses it");
    }

    #[tokio::test]
    async fn a_known_document_passes_with_variables_that_fit() {
        let find = "query q($in: In, $limit: Int) { find(in: $in, limit: $limit) }";
        let small = json!({ "in": { "id": "a" } });
        for good in [
            json!({}),
            json!({ "in": null, "limit": 3 }),
            json!({ "in": { "id": "a", "size": "LARGE", "tags": ["x"], "more": { "id": 1 } } }),
            json!({ "in": { "id": "a", "tags": null, "more": null }, "other": 1 }),
        ] {
            check(find, small.clone(), good, true).await;
        }
        for bad in [
            json!({ "in": {} }),
            json!({ "in": { "id": null } }),
            json!({ "in": { "id": "a", "size": "HUGE" } }),
            json!({ "in": { "id": "a", "colour": "red" } }),
            json!({ "in": { "id": "a", "tags": [null] } }),
            json!({ "in": { "id": "a", "tags": "x" } }),
            json!({ "in": { "id": "a", "more": {} } }),
            json!({ "in": "a" }),
            json!({ "limit": "3" }),
            json!({ "limit": 3.5 }),
        ] {
            check(find, small.clone(), bad, false).await;
        }
    }

    #[tokio::test]
    async fn what_depends_on_more_than_types_is_checked_anew() {
        let inner = "query q($id: ID) { find(in: { id: $id }) }";
        check(inner, json!({ "id": "a" }), json!({ "id": "b" }), true).await;
        check(inner, json!({ "id": "a" }), json!({}), false).await;
        // Without the variable nobody has looked at the literal.
        check(inner, json!({}), json!({ "id": "b" }), false).await;
        let default = "query q($limit: Int = 3) { find(limit: $limit) }";
        check(default, json!({}), json!({}), false).await;
        let two = "query a { find } query b { find }";
        check(two, json!({}), json!({}), false).await;
        check(
            "query q($limit: Int!) { find(limit: $limit) }",
            json!({ "limit": 1 }),
            json!({}),
            false,
        )
        .await;
    }
}
