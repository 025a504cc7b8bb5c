//! Rows, records and inputs as JSON, by the schema.

use espressync_model::{
    BaseType, Field, FieldId, Meta, Model, ModelError, ModelId, ObjectId, Patch, Record, Row,
    Scalar, Schema, Timestamp, Value,
};
use serde_json::{Map, Value as Json};

use crate::failure::{WireError, describe};

/// Whether a text looks as if it were of a scalar's format, JSON included: for
/// [`Schema::checking`](espressync_model::Schema::checking) on clients.
#[must_use]
pub fn is_plausible(scalar: Scalar, text: &str) -> bool {
    match scalar {
        Scalar::AwsJson => serde_json::from_str::<Json>(text).is_ok(),
        other => espressync_model::is_plausible(other, text),
    }
}

/// The name of a record's version in JSON.
pub const VERSION: &str = "_version";
/// The name of the moment of a record's last change in JSON.
pub const LAST_CHANGED_AT: &str = "_lastChangedAt";
/// The name of the mark of a tombstone in JSON.
pub const DELETED: &str = "_deleted";

/// A record with all stored fields and its bookkeeping; `_deleted` is null on a live one.
#[must_use]
pub fn record_to_json(schema: &Schema, model: ModelId, record: &Record) -> Json {
    let mut object = object(schema.model(model).fields().map(|(id, field)| {
        (field.name.clone(), value_to_json(schema, field.base, record.row.get(id)))
    }));
    object.insert(VERSION.to_owned(), record.meta.version.into());
    object.insert(LAST_CHANGED_AT.to_owned(), record.meta.changed_at.0.into());
    let deleted = if record.meta.deleted { Json::Bool(true) } else { Json::Null };
    object.insert(DELETED.to_owned(), deleted);
    Json::Object(object)
}

/// Reads a server's record. Keys that the schema does not know are ignored, for a server may be
/// newer than its client.
///
/// # Errors
/// A value of another type, a missing one that the schema requires (of a tombstone only the key
/// is), missing bookkeeping: each by name.
pub fn record_from_json(schema: &Schema, model: ModelId, json: &Json) -> Result<Record, WireError> {
    let model = schema.model(model);
    let object = (json.as_object())
        .ok_or_else(|| WireError::shape(format!("a {}", model.name), "an object", json))?;
    let meta = meta_from_json(&model.name, object)?;
    let reader = Reader { schema, unknown: Unknown::Ignored };
    let mut values = Vec::with_capacity(model.fields.len());
    for (id, field) in model.fields() {
        let value = reader.value(&model.name, field, member(object, &field.name))?;
        let may_be_null = !field.is_required || (meta.deleted && !model.key.contains(&id));
        if value.is_null() && !may_be_null {
            let (model, field) = (model.name.clone(), field.name.clone());
            return Err(WireError::NullField { model, field });
        }
        values.push(value);
    }
    let row = Row::new(values);
    model.key_of(&row)?;
    Ok(Record { row, meta })
}

fn meta_from_json(model: &str, object: &Map<String, Json>) -> Result<Meta, WireError> {
    let wrong = |name: &str, expected| {
        WireError::shape(format!("{model}.{name}"), expected, member(object, name))
    };
    let version = member(object, VERSION).as_u64().filter(|version| *version > 0);
    let changed_at = member(object, LAST_CHANGED_AT).as_i64();
    let deleted = match member(object, DELETED) {
        Json::Null => false,
        Json::Bool(deleted) => *deleted,
        _ => return Err(wrong(DELETED, "true, false or null")),
    };
    Ok(Meta {
        version: version.ok_or_else(|| wrong(VERSION, "a version from 1"))?,
        changed_at: Timestamp(changed_at.ok_or_else(|| wrong(LAST_CHANGED_AT, "milliseconds"))?),
        deleted,
    })
}

/// The fields of a mutation's input. What only the server writes is left out.
#[must_use]
pub fn patch_to_json(schema: &Schema, model: ModelId, patch: &Patch) -> Map<String, Json> {
    let model = schema.model(model);
    let sent = patch.iter().filter(|(id, _)| !model.at(*id).is_read_only);
    object(sent.map(|(id, value)| {
        let field = model.at(id);
        (field.name.clone(), value_to_json(schema, field.base, value))
    }))
}

/// Reads the fields of a mutation's input, `_version` aside (see [`version_from_json`]). Null
/// clears a field; whether the row may lose it is for the check of the whole row.
///
/// # Errors
/// An unknown field or a value of another type, by name.
pub fn patch_from_json(schema: &Schema, model: ModelId, json: &Json) -> Result<Patch, WireError> {
    let model = schema.model(model);
    let object = (json.as_object()).ok_or_else(|| {
        WireError::shape(format!("the input of a {}", model.name), "an object", json)
    })?;
    let reader = Reader { schema, unknown: Unknown::Refused };
    let fields = object.iter().filter(|(name, _)| *name != VERSION);
    fields
        .map(|(name, value)| {
            let id = model.field_named(name)?;
            Ok((id, reader.value(&model.name, model.at(id), value)?))
        })
        .collect()
}

/// Reads the version that a mutation's input was made on; `None` when it says none.
///
/// # Errors
/// A `_version` that is no whole number from 0, or more than a GraphQL `Int` holds.
pub fn version_from_json(json: &Json) -> Result<Option<u64>, WireError> {
    match json.get(VERSION) {
        None | Some(Json::Null) => Ok(None),
        Some(json) => match json.as_u64().filter(|version| *version <= Meta::LAST_VERSION) {
            Some(version) => Ok(Some(version)),
            None => Err(WireError::shape(VERSION, "a whole number from 0 to 2147483647", json)),
        },
    }
}

/// A value as JSON.
#[must_use]
pub fn value_to_json(schema: &Schema, base: BaseType, value: &Value) -> Json {
    match value {
        Value::Null => Json::Null,
        Value::Bool(truth) => Json::Bool(*truth),
        Value::Int(number) => Json::from(*number),
        Value::Float(number) => Json::from(*number),
        Value::Text(text) => Json::from(&**text),
        Value::List(elements) => {
            elements.iter().map(|element| value_to_json(schema, base, element)).collect()
        }
        Value::Object(values) => match base {
            BaseType::Object(id) => object_to_json(schema, id, values),
            // A row that passed the schema's check has none.
            BaseType::Scalar(_) | BaseType::Enum(_) => Json::Null,
        },
    }
}

fn object_to_json(schema: &Schema, id: ObjectId, values: &[Value]) -> Json {
    let fields = schema.object(id).fields.iter().zip(values);
    let members =
        fields.map(|(field, value)| (field.name.clone(), value_to_json(schema, field.base, value)));
    Json::Object(object(members))
}

/// An object of these members. Not by `collect`, which sorts them first, with a sort of its own
/// for every place that calls it: each is two more kilobytes of code.
pub(crate) fn object(members: impl IntoIterator<Item = (String, Json)>) -> Map<String, Json> {
    let mut object = Map::new();
    object.extend(members);
    object
}

/// Reads a field's value; `owner` is the model's or non-model type's name, for the error. A whole
/// number is taken for a Float and an ID, as GraphQL does.
///
/// # Errors
/// A value of another type, by name. Null passes: whether it may stand is the caller's to say.
pub fn value_from_json(
    schema: &Schema,
    owner: &str,
    field: &Field,
    json: &Json,
) -> Result<Value, WireError> {
    Reader { schema, unknown: Unknown::Refused }.value(owner, field, json)
}

/// The key's values, from the parts of its text.
pub(crate) fn key_values(model: &Model, key: &espressync_model::Key) -> Vec<(FieldId, Value)> {
    let fields = model.key.iter().zip(key.parts());
    fields
        .map(|(id, part)| {
            let number = match model.at(*id).base {
                BaseType::Scalar(Scalar::Int | Scalar::AwsTimestamp) => {
                    part.parse().ok().map(Value::Int)
                }
                // By the parser that reads all other numbers: it is as exact as `str::parse`,
                // whose tables would be 10 KB more.
                BaseType::Scalar(Scalar::Float) => {
                    serde_json::from_str(part).ok().map(Value::Float)
                }
                BaseType::Scalar(_) | BaseType::Enum(_) | BaseType::Object(_) => None,
            };
            (*id, number.unwrap_or_else(|| Value::from(part)))
        })
        .collect()
}

/// A member of an object; null when there is none, as everywhere in GraphQL.
pub(crate) fn member<'a>(object: &'a Map<String, Json>, name: &str) -> &'a Json {
    object.get(name).unwrap_or(&Json::Null)
}

/// What becomes of keys that the schema does not know.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unknown {
    /// A server may be newer than its client.
    Ignored,
    /// What a client sends would be lost without a word.
    Refused,
}

#[derive(Clone, Copy)]
pub(crate) struct Reader<'a> {
    pub(crate) schema: &'a Schema,
    pub(crate) unknown: Unknown,
}

impl Reader<'_> {
    pub(crate) fn value(self, owner: &str, field: &Field, json: &Json) -> Result<Value, WireError> {
        match json {
            Json::Null => Ok(Value::Null),
            Json::Array(elements) if field.is_list => {
                let elements = elements.iter().map(|element| match element {
                    Json::Null if field.is_element_required => {
                        Err(self.wrong_type(owner, field, json))
                    }
                    Json::Null => Ok(Value::Null),
                    element => self.element(owner, field, element),
                });
                Ok(Value::List(elements.collect::<Result<_, _>>()?))
            }
            _ if field.is_list => Err(self.wrong_type(owner, field, json)),
            one => self.element(owner, field, one),
        }
    }

    /// One value that is not null: a field's own, or an element of its list.
    pub(crate) fn element(
        self,
        owner: &str,
        field: &Field,
        json: &Json,
    ) -> Result<Value, WireError> {
        let value = match field.base {
            BaseType::Scalar(scalar) => scalar_from_json(scalar, json),
            BaseType::Enum(id) => {
                let known = &self.schema.enum_type(id).values;
                let name = json.as_str().filter(|name| known.iter().any(|known| known == name));
                name.map(Value::from)
            }
            BaseType::Object(id) => match json {
                Json::Object(members) => return self.object(id, members),
                _ => None,
            },
        };
        value.ok_or_else(|| self.wrong_type(owner, field, json))
    }

    fn object(self, id: ObjectId, members: &Map<String, Json>) -> Result<Value, WireError> {
        let object = self.schema.object(id);
        if self.unknown == Unknown::Refused {
            let known = |name: &String| object.fields.iter().any(|field| field.name == *name);
            if let Some(name) = members.keys().find(|name| !known(name)) {
                let names: Vec<_> = object.fields.iter().map(|field| field.name.as_str()).collect();
                let (model, field, known) = (object.name.clone(), name.clone(), names.join(", "));
                return Err(ModelError::UnknownField { model, field, known }.into());
            }
        }
        let values = object.fields.iter().map(|field| {
            let value = self.value(&object.name, field, member(members, &field.name))?;
            if value.is_null() && field.is_required {
                return Err(self.wrong_type(&object.name, field, &Json::Null));
            }
            Ok(value)
        });
        Ok(Value::Object(values.collect::<Result<_, _>>()?))
    }

    fn wrong_type(self, owner: &str, field: &Field, found: &Json) -> WireError {
        let name = self.schema.type_name(field.base);
        WireError::Model(ModelError::WrongType {
            model: owner.to_owned(),
            field: field.name.clone(),
            expected: if field.is_list { format!("[{name}]") } else { name.to_owned() },
            found: describe(found),
        })
    }
}

fn scalar_from_json(scalar: Scalar, json: &Json) -> Option<Value> {
    let value = match (scalar, json) {
        (Scalar::Int | Scalar::AwsTimestamp, Json::Number(number)) => {
            Value::Int(number.as_i64().or_else(|| whole(number.as_f64()?))?)
        }
        (Scalar::Float, Json::Number(number)) => Value::Float(number.as_f64()?),
        (Scalar::Id, Json::Number(number)) => Value::from(number.as_i64()?.to_string()),
        (Scalar::Boolean, Json::Bool(truth)) => Value::Bool(*truth),
        (_, Json::String(text)) => Value::from(text.as_str()),
        _ => return None,
    };
    scalar.accepts(&value).then_some(value)
}

/// `3.0` for an integer, within what a double holds exactly.
#[allow(clippy::cast_possible_truncation, reason = "checked: whole and below 2^53")]
fn whole(number: f64) -> Option<i64> {
    (number.fract() == 0.0 && number.abs() < 9_007_199_254_740_992.0).then_some(number as i64)
}
