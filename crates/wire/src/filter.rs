//! Predicates as AppSync's filter and condition inputs (contract 2.3, 3.2).

use espressync_model::{
    BaseType, Field, FieldId, Key, Model, ModelError, ModelId, Operator, Predicate, Scalar, Schema,
    Value,
};
use serde_json::{Map, Value as Json, json};

use crate::failure::WireError;
use crate::json::{Reader, Unknown, key_values, value_to_json};

/// A predicate as a filter: `{"and":[{"price":{"gt":1}}]}`. Null when every row matches.
///
/// `in` and `notIn`, which AppSync's query filters lack, go as `or` of `eq` and `and` of `ne`.
#[must_use]
pub fn filter_to_json(schema: &Schema, model: ModelId, predicate: &Predicate) -> Json {
    let model = schema.model(model);
    let writer = Writer { schema, model, known: &[] };
    writer.root(predicate, model.key.first().copied())
}

/// A predicate as the condition of a mutation. AppSync's condition inputs have no key fields, but
/// the record's key is known, so what the predicate says about it is decided here.
#[must_use]
pub fn condition_to_json(
    schema: &Schema,
    model: ModelId,
    key: &Key,
    predicate: &Predicate,
) -> Json {
    let model = schema.model(model);
    let known = key_values(model, key);
    let writer = Writer { schema, model, known: &known };
    let free = model.fields().map(|(id, _)| id).find(|id| !model.key.contains(id));
    writer.root(predicate, free)
}

/// Reads a filter or condition. Several fields of one object, and several operators of one field,
/// must all hold; null and an empty object match every row.
///
/// # Errors
/// An unknown field or operator, an operand of another type, another shape: each by name.
pub fn filter_from_json(
    schema: &Schema,
    model: ModelId,
    json: &Json,
) -> Result<Predicate, WireError> {
    let model = schema.model(model);
    match json {
        Json::Null => Ok(Predicate::All),
        Json::Object(object) => read_group(schema, model, object),
        _ => Err(WireError::shape(format!("a filter of {}", model.name), "an object", json)),
    }
}

/// What is left of a predicate once the parts that are decided are taken out.
enum Reduced {
    Always,
    Never,
    Open(Json),
}

struct Writer<'a> {
    schema: &'a Schema,
    model: &'a Model,
    known: &'a [(FieldId, Value)],
}

impl Writer<'_> {
    /// Amplify keeps a group at the root even around one comparison, and AppSync's sync resolver
    /// looks for it there.
    fn root(&self, predicate: &Predicate, any: Option<FieldId>) -> Json {
        match self.reduce(predicate) {
            Reduced::Always => Json::Null,
            Reduced::Never => any.map_or(Json::Null, |id| {
                let name = self.model.at(id).name.as_str();
                json!({ "and": [{ name: { "ne": null } }, { name: { "eq": null } }] })
            }),
            Reduced::Open(json) => {
                let is_group = ["and", "or", "not"].iter().any(|word| json.get(word).is_some());
                if is_group { json } else { json!({ "and": [json] }) }
            }
        }
    }

    fn reduce(&self, predicate: &Predicate) -> Reduced {
        match predicate {
            Predicate::All => Reduced::Always,
            Predicate::Field(field, operator) => self.comparison(*field, operator),
            Predicate::And(parts) => self.all(parts.iter().map(|part| self.reduce(part))),
            Predicate::Or(parts) => self.some(parts.iter().map(|part| self.reduce(part))),
            Predicate::Not(part) => match self.reduce(part) {
                Reduced::Always => Reduced::Never,
                Reduced::Never => Reduced::Always,
                Reduced::Open(json) => Reduced::Open(json!({ "not": json })),
            },
            // No filter has words for it; `Predicate::check` keeps it out, and
            // `Predicate::matches` too finds nothing there.
            Predicate::Related(..) => Reduced::Never,
        }
    }

    fn all(&self, parts: impl Iterator<Item = Reduced>) -> Reduced {
        let mut open = Vec::new();
        for part in parts {
            match part {
                Reduced::Always => {}
                Reduced::Never => return Reduced::Never,
                Reduced::Open(json) => open.push(json),
            }
        }
        group("and", open).map_or(Reduced::Always, Reduced::Open)
    }

    fn some(&self, parts: impl Iterator<Item = Reduced>) -> Reduced {
        let mut open = Vec::new();
        for part in parts {
            match part {
                Reduced::Always => return Reduced::Always,
                Reduced::Never => {}
                Reduced::Open(json) => open.push(json),
            }
        }
        group("or", open).map_or(Reduced::Never, Reduced::Open)
    }

    fn comparison(&self, field: FieldId, operator: &Operator) -> Reduced {
        if let Some((_, value)) = self.known.iter().find(|(known, _)| *known == field) {
            return if operator.matches(value) { Reduced::Always } else { Reduced::Never };
        }
        let json = |value: &Value| value_to_json(self.schema, self.model.at(field).base, value);
        let one = |name: &str, operand: &Value| self.open(field, name, json(operand));
        match operator {
            Operator::Eq(operand) => one("eq", operand),
            Operator::Ne(operand) => one("ne", operand),
            Operator::Lt(operand) => one("lt", operand),
            Operator::Le(operand) => one("le", operand),
            Operator::Gt(operand) => one("gt", operand),
            Operator::Ge(operand) => one("ge", operand),
            Operator::Between(low, high) => {
                self.open(field, "between", json!([json(low), json(high)]))
            }
            Operator::BeginsWith(operand) => one("beginsWith", operand),
            Operator::Contains(operand) => one("contains", operand),
            Operator::NotContains(operand) => one("notContains", operand),
            Operator::In(operands) => self.some(operands.iter().map(|each| one("eq", each))),
            Operator::NotIn(operands) => self.all(operands.iter().map(|each| one("ne", each))),
        }
    }

    fn open(&self, field: FieldId, operator: &str, operand: Json) -> Reduced {
        let name = self.model.at(field).name.as_str();
        Reduced::Open(json!({ name: { operator: operand } }))
    }
}

/// A group of one is its part.
fn group(word: &str, mut parts: Vec<Json>) -> Option<Json> {
    if parts.len() > 1 { Some(json!({ word: parts })) } else { parts.pop() }
}

fn read_group(
    schema: &Schema,
    model: &Model,
    object: &Map<String, Json>,
) -> Result<Predicate, WireError> {
    let mut all = Vec::new();
    for (name, json) in object {
        match (name.as_str(), json) {
            (_, Json::Null) => {}
            ("and", json) => all.push(Predicate::And(read_list(schema, model, name, json)?)),
            ("or", json) => all.push(Predicate::Or(read_list(schema, model, name, json)?)),
            ("not", Json::Object(part)) => all.push(!read_group(schema, model, part)?),
            (_, Json::Object(operators)) => {
                for (operator, operand) in operators {
                    all.push(read_comparison(schema, model, name, operator, operand)?);
                }
            }
            (name, json) => {
                let place = format!("{}.{name} in a filter", model.name);
                return Err(WireError::shape(place, "an object", json));
            }
        }
    }
    Ok(match all.len() {
        0 => Predicate::All,
        1 => all.remove(0),
        _ => Predicate::And(all),
    })
}

/// A list of groups; one group alone is a list of it, as GraphQL coerces.
fn read_list(
    schema: &Schema,
    model: &Model,
    word: &str,
    json: &Json,
) -> Result<Vec<Predicate>, WireError> {
    let parts = if let Json::Array(parts) = json { parts } else { std::slice::from_ref(json) };
    let parts = parts.iter().map(|part| match part {
        Json::Object(part) => read_group(schema, model, part),
        _ => {
            let place = format!("`{word}` in a filter of {}", model.name);
            Err(WireError::shape(place, "a list of objects", part))
        }
    });
    parts.collect()
}

fn read_comparison(
    schema: &Schema,
    model: &Model,
    name: &str,
    operator: &str,
    operand: &Json,
) -> Result<Predicate, WireError> {
    let id = model.field_named(name)?;
    match (operator, operand) {
        ("attributeExists", Json::Bool(exists)) => return Ok(existence(id, *exists)),
        ("attributeExists", _) => {
            let place = format!("attributeExists on {}.{name}", model.name);
            return Err(WireError::shape(place, "true or false", operand));
        }
        ("attributeType", Json::String(kind)) => return Ok(has_type(model, id, kind)),
        ("size", Json::Object(operators)) => {
            let size = format!("{name}.size");
            if model.field_named(&size).is_ok() {
                return read_size(schema, model, &size, operators);
            }
        }
        _ => {}
    }
    // An unknown operator is named before its operand is judged by the field's type.
    if let Err(error @ ModelError::UnknownOperator { .. }) =
        Predicate::parse(model, name, operator, Vec::new())
    {
        return Err(error.into());
    }
    let reader = Reader { schema, unknown: Unknown::Refused };
    let field = compared_as(model.at(id), operator);
    let read = |json: &Json| match json {
        Json::Null => Ok(Value::Null),
        Json::Array(_) => reader.value(&model.name, &field, json),
        one => reader.element(&model.name, &field, one),
    };
    let operands = match (operator, operand) {
        ("between" | "in" | "notIn", Json::Array(operands)) => {
            operands.iter().map(read).collect::<Result<_, _>>()?
        }
        (_, operand) => vec![read(operand)?],
    };
    Ok(Predicate::parse(model, name, operator, operands)?)
}

/// The size of a field is a field of its own, `<name>.size`, where the schema that filters are
/// read over has one.
fn read_size(
    schema: &Schema,
    model: &Model,
    size: &str,
    operators: &Map<String, Json>,
) -> Result<Predicate, WireError> {
    let given = operators.iter().filter(|(_, operand)| !operand.is_null());
    let parts =
        given.map(|(operator, operand)| read_comparison(schema, model, size, operator, operand));
    Ok(Predicate::And(parts.collect::<Result<_, _>>()?))
}

fn existence(field: FieldId, exists: bool) -> Predicate {
    let null = Value::Null;
    Predicate::Field(field, if exists { Operator::Ne(null) } else { Operator::Eq(null) })
}

/// `attributeType`: a field holds values of its own type, or nothing.
fn has_type(model: &Model, id: FieldId, kind: &str) -> Predicate {
    let field = model.at(id);
    let own = match field.base {
        _ if field.is_list => "list",
        BaseType::Scalar(Scalar::Boolean) => "bool",
        BaseType::Scalar(scalar) if !is_text(scalar) => "number",
        BaseType::Scalar(_) | BaseType::Enum(_) => "string",
        BaseType::Object(_) => "map",
    };
    match kind {
        "_null" => existence(id, false),
        kind if kind == own => existence(id, true),
        _ => Predicate::Or(Vec::new()),
    }
}

/// The field as an operand is read: what is only compared need not be a whole value, as in
/// `beginsWith: "2026-"` on a date.
fn compared_as(field: &Field, operator: &str) -> Field {
    let is_name = ["eq", "ne", "in", "notIn"].contains(&operator);
    let base = match field.base {
        BaseType::Enum(_) if is_name => field.base,
        BaseType::Scalar(scalar) if !is_text(scalar) || scalar == Scalar::Id => field.base,
        BaseType::Scalar(_) | BaseType::Enum(_) | BaseType::Object(_) => Scalar::String.into(),
    };
    Field { base, ..field.clone() }
}

fn is_text(scalar: Scalar) -> bool {
    !matches!(scalar, Scalar::Int | Scalar::Float | Scalar::AwsTimestamp | Scalar::Boolean)
}
