//! Keys and indexes (contract 1.1, 1.2, 1.5): `@primaryKey` and `@index` on fields, and the first
//! transformers' `@key` on types.

use async_graphql_parser::types::FieldDefinition;

use super::arguments::Arguments;
use super::directives::Directives;
use super::models::Draft;
use super::names::{lower_first, upper_first};
use super::{Problems, Result};
use crate::{BaseType, Scalar};

/// An index by field names.
#[derive(Debug)]
pub(super) struct DraftIndex {
    pub(super) name: String,
    pub(super) fields: Vec<String>,
    pub(super) query_field: Option<String>,
}

/// Reads the keys of one field, once all fields are known.
pub(super) fn read_field(draft: &mut Draft, definition: &FieldDefinition, to: &mut Problems) {
    let directives = Directives(&definition.directives);
    let name = definition.name.node.as_str();
    for directive in directives.all("primaryKey") {
        let arguments = to.keep(directive.takes(&["sortKeyFields"]));
        arguments.and_then(|arguments| to.keep(primary_key(draft, &arguments, name)));
    }
    for directive in directives.all("index") {
        let known = ["name", "sortKeyFields", "queryField", "projection"];
        let arguments = to.keep(directive.takes(&known));
        arguments.and_then(|arguments| to.keep(index(draft, &arguments, name)));
    }
}

/// Reads every `@key` of a type: without a name it is the primary key.
pub(super) fn read_type(draft: &mut Draft, directives: Directives<'_>, to: &mut Problems) {
    for directive in directives.all("key") {
        let arguments = to.keep(directive.takes(&["name", "fields", "queryField"]));
        arguments.and_then(|arguments| to.keep(key(draft, &arguments)));
    }
}

fn primary_key(draft: &mut Draft, arguments: &Arguments<'_>, first: &str) -> Result<()> {
    let sort = arguments.texts("sortKeyFields")?.unwrap_or_default();
    set_key(draft, arguments, std::iter::once(first).chain(sort).collect())
}

fn set_key(draft: &mut Draft, arguments: &Arguments<'_>, fields: Vec<&str>) -> Result<()> {
    if !draft.key.is_empty() {
        return arguments.wrong("a model has one primary key");
    }
    draft.key = checked(draft, arguments, &fields)?;
    Ok(())
}

fn index(draft: &mut Draft, arguments: &Arguments<'_>, first: &str) -> Result<()> {
    let sort = arguments.texts("sortKeyFields");
    // Amplify itself writes an empty list where an index has no sort key.
    let is_empty = matches!(arguments.get("sortKeyFields"), Some(list) if list.to_string() == "[]");
    let sort = if is_empty { Vec::new() } else { sort?.unwrap_or_default() };
    let names: Vec<&str> = std::iter::once(first).chain(sort).collect();
    let fields = checked(draft, arguments, &names)?;
    check_projection(draft, arguments)?;
    let default = default_name(&draft.plural, &fields);
    let name = arguments.text("name")?.flatten().unwrap_or(&default).to_owned();
    let query_field = match arguments.name("queryField")? {
        Some(given) => given.map(ToOwned::to_owned),
        None => Some(default),
    };
    add(draft, arguments, DraftIndex { name, fields, query_field })
}

fn key(draft: &mut Draft, arguments: &Arguments<'_>) -> Result<()> {
    let Some(names) = arguments.texts("fields")? else {
        return arguments.wrong("needs `fields`, such as `fields: [\"id\"]`");
    };
    let query_field = arguments.name("queryField")?.flatten().map(ToOwned::to_owned);
    match arguments.text("name")?.flatten() {
        None if query_field.is_some() => {
            arguments.wrong("`queryField` goes with a `name`; the primary key has its get query")
        }
        None => set_key(draft, arguments, names),
        Some(name) => {
            let fields = checked(draft, arguments, &names)?;
            add(draft, arguments, DraftIndex { name: name.to_owned(), fields, query_field })
        }
    }
}

fn add(draft: &mut Draft, arguments: &Arguments<'_>, index: DraftIndex) -> Result<()> {
    if draft.indexes.iter().any(|other| other.name == index.name) {
        return arguments.wrong(format!("there are two indexes `{}`", index.name));
    }
    draft.indexes.push(index);
    Ok(())
}

/// The fields of a key, if they can be one.
fn checked(draft: &Draft, arguments: &Arguments<'_>, names: &[&str]) -> Result<Vec<String>> {
    for (position, name) in names.iter().enumerate() {
        let Some(field) = draft.field(name) else {
            return arguments.bad_field(name, "which there is not");
        };
        if field.is_list || matches!(field.base, BaseType::Object(_)) {
            return arguments.bad_field(name, "which holds more than one value");
        }
        if matches!(field.base, BaseType::Scalar(Scalar::Boolean)) {
            return arguments.bad_field(name, "a Boolean, which can be no key");
        }
        if names[..position].contains(name) {
            return arguments.bad_field(name, "twice");
        }
    }
    Ok(names.iter().map(|name| (*name).to_owned()).collect())
}

/// A projection says which fields an index of DynamoDB carries. Here an index leads to the whole
/// record, so every projection holds, and is only checked for being one.
fn check_projection(draft: &Draft, arguments: &Arguments<'_>) -> Result<()> {
    let Some(projection) = arguments.object("projection")?.flatten() else { return Ok(()) };
    let projection = projection.takes(&["type", "nonKeyAttributes"])?;
    projection.word("type", &["ALL", "KEYS_ONLY", "INCLUDE"])?;
    for name in projection.texts("nonKeyAttributes")?.unwrap_or_default() {
        if draft.field(name).is_none() {
            return projection.bad_field(name, "which there is not");
        }
    }
    Ok(())
}

/// `employeesByManagerAndLevel` (contract 1.5).
pub(super) fn default_name(plural: &str, fields: &[String]) -> String {
    let fields: Vec<String> = fields.iter().map(|field| upper_first(field)).collect();
    format!("{}By{}", lower_first(plural), fields.join("And"))
}
