use std::borrow::Cow;
use std::collections::BTreeMap;

use async_graphql::parser::types::{
    BaseType, DocumentOperations, ExecutableDocument, FragmentDefinition, OperationDefinition,
    OperationType, Selection, SelectionSet, Type as VariableType,
};
use async_graphql::{Name, Positioned};
use async_graphql_value::Value as Literal;
use serde_json::{Map, Value as Json};

use super::limits::Limits;
use super::validation::null_variable;

/// A field as it is to be answered: fragments written out, variables filled in, fields of one
/// response key merged.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Selected {
    /// The name under which it is answered.
    pub(super) key: String,
    pub(super) name: String,
    pub(super) arguments: Map<String, Json>,
    pub(super) fields: Vec<Selected>,
    /// Line and column.
    pub(super) at: (usize, usize),
}

impl Selected {
    /// An argument; null when it is absent.
    pub(super) fn argument(&self, name: &str) -> &Json {
        self.arguments.get(name).unwrap_or(&Json::Null)
    }

    /// The fields selected below a field of this one, under whatever response key.
    pub(super) fn below<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Self> {
        self.fields.iter().filter(move |field| field.name == name)
    }
}

/// The operation of a request that is to be carried out.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Operation {
    pub(super) kind: OperationType,
    pub(super) fields: Vec<Selected>,
}

/// Refuses a document that is too large once its fragments are written out, before anything walks
/// through them.
pub(super) fn check_size(document: &ExecutableDocument, limits: &Limits) -> Result<(), String> {
    let mut measure = Measure { document, deepest: limits.depth, fragments: BTreeMap::new() };
    let mut total: u64 = 0;
    for (_, operation) in document.operations.iter() {
        total = total.saturating_add(measure.size(&operation.node.selection_set.node, 0)?);
    }
    if total > limits.fields {
        let most = limits.fields;
        return Err(format!("the request selects {total} fields; at most {most} may be"));
    }
    Ok(())
}

/// Refuses an operation of too many queries or mutations at once.
pub(super) fn check_aliases(operation: &Operation, limits: &Limits) -> Result<(), String> {
    let (count, most) = (operation.fields.len(), limits.aliases);
    if count > most {
        return Err(format!("the request asks for {count} fields at once; at most {most} may be"));
    }
    Ok(())
}

struct Measure<'a> {
    document: &'a ExecutableDocument,
    deepest: usize,
    /// The sizes of fragments that were measured.
    fragments: BTreeMap<&'a str, u64>,
}

impl<'a> Measure<'a> {
    fn size(&mut self, set: &'a SelectionSet, depth: usize) -> Result<u64, String> {
        if depth > self.deepest {
            return Err(format!("the request nests deeper than {} levels", self.deepest));
        }
        let mut size: u64 = 0;
        for item in &set.items {
            let of_item = match &item.node {
                Selection::Field(field) => {
                    1 + self.size(&field.node.selection_set.node, depth + 1)?
                }
                Selection::InlineFragment(fragment) => {
                    self.size(&fragment.node.selection_set.node, depth + 1)?
                }
                Selection::FragmentSpread(spread) => {
                    self.fragment(&spread.node.fragment_name.node, depth)?
                }
            };
            size = size.saturating_add(of_item);
        }
        Ok(size)
    }

    fn fragment(&mut self, name: &'a Name, depth: usize) -> Result<u64, String> {
        if let Some(size) = self.fragments.get(name.as_str()) {
            return Ok(*size);
        }
        // An unknown fragment is for the validation to name. A cycle ends at the depth.
        let Some(fragment) = self.document.fragments.get(name) else { return Ok(0) };
        let size = self.size(&fragment.node.selection_set.node, depth + 1)?;
        self.fragments.insert(name, size);
        Ok(size)
    }
}

/// Reads the operation that `name` chooses from a document that has passed validation.
///
/// # Errors
/// No such operation, a variable without the value it must have, or one beyond an `Int`.
pub(super) fn read(
    document: &ExecutableDocument,
    name: Option<&str>,
    variables: &Map<String, Json>,
) -> Result<Operation, String> {
    let definition = choose(&document.operations, name)?;
    let mut known = Cow::Borrowed(variables);
    for variable in &definition.variable_definitions {
        let name = variable.node.name.node.as_str();
        if let (None, Some(default)) = (known.get(name), &variable.node.default_value) {
            let json = default.node.clone().into_json().map_err(|error| error.to_string())?;
            known.to_mut().insert(name.to_owned(), json);
        }
        let of = &variable.node.var_type.node;
        if !of.nullable && known.get(name).is_none_or(Json::is_null) {
            return Err(null_variable(name, &of.to_string()));
        }
        if let Some(number) = known.get(name).and_then(|value| beyond_int(of, value)) {
            return Err(format!(
                "Variable '{name}' has an invalid value: Expected value to be in the Integer range \
                 but it was a '{number}'"
            ));
        }
    }
    let reader = Reader { fragments: &document.fragments, variables: &known };
    let mut fields = Vec::new();
    reader.select(&definition.selection_set.node, &mut fields);
    Ok(Operation { kind: definition.ty, fields })
}

/// The number in a variable's value that is no GraphQL `Int` of 32 bits; the library looks for 64.
fn beyond_int<'a>(of: &VariableType, value: &'a Json) -> Option<&'a Json> {
    match (&of.base, value) {
        (BaseType::Named(name), Json::Number(number)) if name.as_str() == "Int" => {
            let is_int = number.as_i64().is_some_and(|number| i32::try_from(number).is_ok());
            (!is_int).then_some(value)
        }
        (BaseType::List(of), Json::Array(values)) => {
            values.iter().find_map(|value| beyond_int(of, value))
        }
        // One value stands for a list of one.
        (BaseType::List(of), Json::Number(_)) => beyond_int(of, value),
        _ => None,
    }
}

/// Whether an operation asks about the schema.
pub(super) fn introspects(operation: &Operation) -> bool {
    operation.fields.iter().any(|field| field.name == "__schema" || field.name == "__type")
}

/// The operation that `name` chooses.
pub(super) fn choose<'a>(
    operations: &'a DocumentOperations,
    name: Option<&str>,
) -> Result<&'a OperationDefinition, String> {
    let mut all = operations.iter();
    let found = match (operations, name) {
        // Amplify names an operation that stands alone, whatever its name is.
        (DocumentOperations::Single(only), _) => Some(&only.node),
        (DocumentOperations::Multiple(named), Some(name)) => {
            named.get(name).map(|operation| &operation.node)
        }
        (DocumentOperations::Multiple(_), None) => {
            all.next().filter(|_| all.next().is_none()).map(|(_, operation)| &operation.node)
        }
    };
    found.ok_or_else(|| match name {
        Some(name) => format!("there is no operation `{name}` in the request"),
        None => "the request has several operations: say which by operationName".to_owned(),
    })
}

struct Reader<'a> {
    fragments: &'a std::collections::HashMap<Name, Positioned<FragmentDefinition>>,
    variables: &'a Map<String, Json>,
}

impl Reader<'_> {
    /// Adds the fields of a selection set. All composite types of the API are objects, so that a
    /// fragment that passed validation always applies.
    fn select(&self, set: &SelectionSet, into: &mut Vec<Selected>) {
        for Positioned { node, .. } in &set.items {
            if self.is_skipped(node) {
                continue;
            }
            match node {
                Selection::Field(field) => self.field(field, into),
                Selection::InlineFragment(fragment) => {
                    self.select(&fragment.node.selection_set.node, into);
                }
                Selection::FragmentSpread(spread) => {
                    if let Some(fragment) = self.fragments.get(&spread.node.fragment_name.node) {
                        self.select(&fragment.node.selection_set.node, into);
                    }
                }
            }
        }
    }

    fn field(
        &self,
        field: &Positioned<async_graphql::parser::types::Field>,
        into: &mut Vec<Selected>,
    ) {
        let key = field.node.response_key().node.as_str();
        let existing = into.iter().position(|other| other.key == key);
        let position = existing.unwrap_or_else(|| {
            let arguments = field.node.arguments.iter();
            let arguments = arguments.filter_map(|(name, value)| {
                self.value(&value.node).map(|value| (name.node.to_string(), value))
            });
            into.push(Selected {
                key: key.to_owned(),
                name: field.node.name.node.to_string(),
                arguments: arguments.collect(),
                fields: Vec::new(),
                at: (field.pos.line, field.pos.column),
            });
            into.len() - 1
        });
        self.select(&field.node.selection_set.node, &mut into[position].fields);
    }

    fn is_skipped(&self, selection: &Selection) -> bool {
        selection.directives().iter().any(|directive| {
            let condition = directive.node.get_argument("if");
            let condition = condition.and_then(|value| self.value(&value.node));
            match directive.node.name.node.as_str() {
                "skip" => condition == Some(Json::Bool(true)),
                "include" => condition == Some(Json::Bool(false)),
                _ => false,
            }
        })
    }

    /// A value with its variables filled in; `None` for a variable that is absent.
    fn value(&self, value: &Literal) -> Option<Json> {
        Some(match value {
            Literal::Variable(name) => return self.variables.get(name.as_str()).cloned(),
            Literal::Null => Json::Null,
            Literal::Number(number) => Json::Number(number.clone()),
            Literal::String(text) => Json::from(text.as_str()),
            Literal::Boolean(truth) => Json::Bool(*truth),
            Literal::Binary(_) => Json::Null,
            Literal::Enum(name) => Json::from(name.as_str()),
            Literal::List(elements) => {
                let elements = elements.iter();
                elements.map(|element| self.value(element).unwrap_or_default()).collect()
            }
            Literal::Object(members) => {
                let members = members.iter().filter_map(|(name, value)| {
                    self.value(value).map(|value| (name.to_string(), value))
                });
                Json::Object(members.collect())
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use async_graphql::parser::parse_query;
    use serde_json::json;

    use super::*;

    fn read_ok(text: &str, variables: Json) -> Operation {
        let document = parse_query(text).unwrap();
        check_size(&document, &Limits::default()).unwrap();
        read(&document, None, variables.as_object().unwrap()).unwrap()
    }

    #[test]
    fn fragments_variables_and_directives_are_written_out() {
        let text = "query q($n: Int = 5, $yes: Boolean!, $gone: String) {
            list(limit: $n, nextToken: $gone, filter: {a: {eq: $n}}) { ...F items { b } }
            skipped @skip(if: $yes) { x }
            kept: other @include(if: $yes)
        }
        fragment F on C { items { a } nextToken }";
        let operation = read_ok(text, json!({ "yes": true }));
        let [list, kept] = operation.fields.as_slice() else { panic!("{operation:?}") };
        assert_eq!(
            Json::Object(list.arguments.clone()),
            json!({
                "limit": 5, "filter": { "a": { "eq": 5 } }
            })
        );
        let items: Vec<&Selected> = list.below("items").collect();
        let names: Vec<&str> = items[0].fields.iter().map(|field| field.name.as_str()).collect();
        assert_eq!((items.len(), names), (1, vec!["a", "b"]));
        assert_eq!((kept.key.as_str(), kept.name.as_str()), ("kept", "other"));
    }

    #[test]
    fn a_variable_that_must_have_a_value_is_named() {
        let document =
            parse_query("mutation m($input: CreateXInput!) { c(input: $input) }").unwrap();
        let error = read(&document, None, &Map::new()).unwrap_err();
        assert_eq!(
            error,
            "Variable 'input' has coerced Null value for NonNull type 'CreateXInput!'"
        );
    }

    #[test]
    fn a_request_that_grows_by_its_fragments_is_refused_at_once() {
        let limits = Limits::default();
        let fragments = (0..20).map(|n| format!("fragment f{n} on T {{ ...f{0} ...f{0} }}", n + 1));
        let fragments: String = fragments.collect();
        let text = format!("{{ a {{ ...f0 }} }} {fragments} fragment f20 on T {{ x }}");
        let error = check_size(&parse_query(text).unwrap(), &limits).unwrap_err();
        assert_eq!(error, "the request selects 1048577 fields; at most 20000 may be");
        let cycle = "{ a { ...f } } fragment f on T { ...f }";
        let error = check_size(&parse_query(cycle).unwrap(), &limits).unwrap_err();
        assert_eq!(error, "the request nests deeper than 24 levels");
    }
}
