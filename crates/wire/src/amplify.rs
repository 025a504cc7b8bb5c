//! What aws-amplify's DataStore keeps in IndexedDB (contract 6.3, 6.6, 6.9), read by the schema.
//!
//! Rows are as the user last saw them, with the server's bookkeeping of some earlier moment; an
//! event is one queued mutation, its data and condition as JSON in text. What cannot be read is
//! an error that names it: what then becomes of it is the caller's to say.

use std::collections::BTreeSet;

use espressync_model::remote::{Mutation, Operation};
use espressync_model::{
    BaseType, Field, Meta, Model, ModelId, Patch, Predicate, Record, Row, Scalar, Schema,
    Timestamp, Value,
};
use serde_json::{Map, Value as Json};

use crate::failure::{WireError, parse};
use crate::filter::filter_from_json;
use crate::json::{
    DELETED, LAST_CHANGED_AT, Reader, Unknown, VERSION, member, patch_from_json, version_from_json,
};

/// How far Amplify had synced a model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Metadata {
    /// The model.
    pub model: ModelId,
    /// The server's time at which the last sync began.
    pub last_sync: Timestamp,
    /// The same of the last sync that read everything; [`Timestamp::ZERO`] when none did.
    pub last_full_sync: Timestamp,
}

/// Reads a row of the store `user_<Model>`, and names the fields that hold something and that the
/// schema does not know. One without a version was never at the server.
///
/// # Errors
/// A value of another type, a missing one that the schema requires, by name.
pub fn row_from_amplify(
    schema: &Schema,
    model: ModelId,
    json: &Json,
) -> Result<(Record, Vec<String>), WireError> {
    let model = schema.model(model);
    let object = (json.as_object())
        .ok_or_else(|| WireError::shape(format!("a row of {}", model.name), "an object", json))?;
    let version = version_from_json(json)?.unwrap_or_default();
    let deleted = member(object, DELETED).as_bool().unwrap_or_default();
    let changed_at = Timestamp(member(object, LAST_CHANGED_AT).as_i64().unwrap_or_default());
    let reader = Reader { schema, unknown: Unknown::Ignored };
    let mut values = Vec::with_capacity(model.fields.len());
    for (id, field) in model.fields() {
        let value =
            reader.value(&model.name, field, &as_sent(field, member(object, &field.name)))?;
        let may_be_null = !field.is_required || field.is_read_only || deleted;
        if value.is_null() && (!may_be_null || model.key.contains(&id)) {
            let (model, field) = (model.name.clone(), field.name.clone());
            return Err(espressync_model::ModelError::MissingField { model, field }.into());
        }
        values.push(value);
    }
    let row = Row::new(values);
    model.key_of(&row)?;
    let unknown = object.iter().filter(|(name, value)| is_unknown(model, name, value));
    let unknown = unknown.map(|(name, _)| format!("{}.{name}", model.name)).collect();
    Ok((Record { row, meta: Meta { version, changed_at, deleted } }, unknown))
}

/// Reads a row of `sync_MutationEvent`. A null of a field that the schema does not know asks for
/// nothing, and what only the server writes is left out.
///
/// # Errors
/// An unknown model, operation or field, text that is no JSON, a value of another type: by name.
pub fn event_from_amplify(schema: &Schema, json: &Json) -> Result<Mutation, WireError> {
    let name = text(json, "model")?;
    let id = schema.id_of(name)?;
    let model = schema.model(id);
    let place = format!("the queued change of {name} {}", text(json, "modelId").unwrap_or("?"));
    let operation = match text(json, "operation")? {
        "Create" => Operation::Create,
        "Update" => Operation::Update,
        "Delete" => Operation::Delete,
        _ => {
            let expected = "Create, Update or Delete";
            return Err(WireError::shape(
                format!("the operation of {place}"),
                expected,
                &json["operation"],
            ));
        }
    };
    let data = parse(&format!("the data of {place}"), text(json, "data")?)?;
    let object = (data.as_object())
        .ok_or_else(|| WireError::shape(format!("the data of {place}"), "an object", &data))?;
    let version = version_from_json(&data)?.unwrap_or_default();
    let fields = fields_of(schema, id, object)?;
    let key = model.key_of(&Row::new(vec![Value::Null; model.fields.len()]).with(&fields))?;
    let condition = condition_of(schema, id, &place, json)?;
    Ok(Mutation { model: id, key, operation, fields, version, condition, once: None })
}

/// Reads a row of `sync_ModelMetadata`. `None` when the model was not synced to an end, or only
/// the records that some sync expression chose, of which nothing is known here.
///
/// # Errors
/// An unknown model.
pub fn metadata_from_amplify(schema: &Schema, json: &Json) -> Result<Option<Metadata>, WireError> {
    let model = schema.id_of(text(json, "model")?)?;
    let moment = |name: &str| json.get(name).and_then(Json::as_i64).map(Timestamp);
    let has_expression =
        json.get("lastSyncPredicate").and_then(Json::as_str).is_some_and(|text| text != "null");
    let last_full_sync = moment("lastFullSync").unwrap_or(Timestamp::ZERO);
    let last_sync = moment("lastSync").filter(|_| !has_expression);
    Ok(last_sync.map(|last_sync| Metadata { model, last_sync, last_full_sync }))
}

fn fields_of(schema: &Schema, id: ModelId, object: &Map<String, Json>) -> Result<Patch, WireError> {
    let model = schema.model(id);
    let is_field = |name: &str| model.fields().any(|(_, field)| field.name == name);
    let known =
        object.iter().filter(|(name, value)| is_field(name) || is_unknown(model, name, value));
    let known = known.map(|(name, value)| (name.clone(), value.clone()));
    let mut patch = patch_from_json(schema, id, &Json::Object(crate::json::object(known)))?;
    patch.retain(|field, _| !model.at(field).is_read_only);
    Ok(patch)
}

/// A value as the server has it: Amplify's rows hold an AWSJSON parsed, where that is possible.
fn as_sent(field: &Field, json: &Json) -> Json {
    let is_json = field.base == BaseType::Scalar(Scalar::AwsJson);
    match json {
        Json::Array(elements) if field.is_list && is_json => {
            elements.iter().map(json_as_text).collect()
        }
        one if is_json => json_as_text(one),
        other => other.clone(),
    }
}

fn json_as_text(json: &Json) -> Json {
    match json {
        Json::Null => Json::Null,
        Json::String(text) if serde_json::from_str::<Json>(text).is_ok() => json.clone(),
        parsed => Json::String(parsed.to_string()),
    }
}

/// Whether something would be lost with a member of this name.
fn is_unknown(model: &Model, name: &str, value: &Json) -> bool {
    !value.is_null()
        && ![VERSION, LAST_CHANGED_AT, DELETED, "__typename"].contains(&name)
        && !model.fields().any(|(_, field)| field.name == name)
        && model.relation_named(name).is_err()
}

fn condition_of(
    schema: &Schema,
    model: ModelId,
    place: &str,
    json: &Json,
) -> Result<Predicate, WireError> {
    match json.get("condition") {
        None | Some(Json::Null) => Ok(Predicate::All),
        Some(_) => {
            let condition = text(json, "condition")?;
            if condition.is_empty() {
                return Ok(Predicate::All);
            }
            let condition = parse(&format!("the condition of {place}"), condition)?;
            filter_from_json(schema, model, &condition)
        }
    }
}

fn text<'a>(json: &'a Json, name: &str) -> Result<&'a str, WireError> {
    let found = json.get(name).unwrap_or(&Json::Null);
    found
        .as_str()
        .ok_or_else(|| WireError::shape(format!("`{name}` of a row of Amplify's"), "text", found))
}

/// What a database of Amplify's holds: each store's rows in the order of their keys, as a JSON
/// list in text.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Stores {
    /// The rows of each model, by its name: the stores `user_<Model>`.
    pub models: Vec<(String, String)>,
    /// The store `sync_ModelMetadata`.
    pub metadata: String,
    /// The store `sync_MutationEvent`.
    pub events: String,
}

/// What was read of it, and what was not.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Found {
    /// Records.
    pub records: Vec<(ModelId, Record)>,
    /// What waits to be sent, in order.
    pub mutations: Vec<Mutation>,
    /// How far models were synced; models with unreadable rows are left out, so that the server's
    /// rows are read again.
    pub metadata: Vec<Metadata>,
    /// Names of models and fields that hold something and that the schema does not know.
    pub unknown: BTreeSet<String>,
    /// Rows that could not be read, and why. What the server has of them comes with the next sync.
    pub unreadable_rows: Vec<String>,
    /// Queued changes that could not be read, and why: nobody else has them.
    pub unreadable_changes: Vec<String>,
}

/// Reads all that a database of Amplify's holds. What cannot be read is said by name.
///
/// # Errors
/// [`WireError::NotJson`] for a store that is no list of JSON at all.
pub fn read(schema: &Schema, stores: &Stores) -> Result<Found, WireError> {
    let mut found = Found::default();
    let mut damaged = BTreeSet::new();
    for (name, rows) in &stores.models {
        let rows = list(name, rows)?;
        let Ok(model) = schema.id_of(name) else {
            if !rows.is_empty() {
                found.unknown.insert(name.clone());
            }
            continue;
        };
        for row in &rows {
            match row_from_amplify(schema, model, row) {
                Ok((record, unknown)) => {
                    found.records.push((model, record));
                    found.unknown.extend(unknown);
                }
                Err(error) => {
                    damaged.insert(model);
                    found.unreadable_rows.push(format!("a row of {name}: {error}"));
                }
            }
        }
    }
    for event in list("the queue", &stores.events)? {
        match event_from_amplify(schema, &event) {
            Ok(mutation) => found.mutations.push(mutation),
            Err(error) => found.unreadable_changes.push(error.to_string()),
        }
    }
    for metadata in list("the sync metadata", &stores.metadata)? {
        // An unknown model's means nothing here.
        if let Ok(Some(metadata)) = metadata_from_amplify(schema, &metadata)
            && !damaged.contains(&metadata.model)
        {
            found.metadata.push(metadata);
        }
    }
    Ok(found)
}

fn list(what: &str, text: &str) -> Result<Vec<Json>, WireError> {
    if text.is_empty() {
        return Ok(Vec::new());
    }
    match parse(what, text)? {
        Json::Array(rows) => Ok(rows),
        other => Err(WireError::shape(what, "a list", &other)),
    }
}
