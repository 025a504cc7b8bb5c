//! Which operators can compare which fields, and with what.
//!
//! What a filter of the wire holds is read leniently ([`check_given`]): AppSync takes it, and a
//! comparison that makes no sense matches nothing. What an app asks is checked strictly
//! ([`check_all`]): it would not find out otherwise.

use crate::operator::NAMES;
use crate::{BaseType, Field, FieldId, Model, ModelError, Operator, Scalar, Schema, Value};

/// The operators of what has an order and is no text.
const OF_ORDERED: &str = "eq, ne, lt, le, gt, ge, between, in, notIn";
/// The operators of lists.
const OF_LISTS: &str = "eq, ne, contains, notContains, in, notIn";
/// The operators of objects.
const OF_OBJECTS: &str = "eq, ne, in, notIn";

/// Checks operands against the field's base type and hands them back. `contains` on a list takes
/// an element; a whole number is taken for a Float, as JavaScript writes it.
pub(crate) fn check_given(
    model: &Model,
    id: FieldId,
    operator: &str,
    operands: Vec<Value>,
) -> Result<Vec<Value>, ModelError> {
    let field = model.at(id);
    let wrong = operands.iter().find(|operand| {
        let is_taken = matches!(operand, Value::Null | Value::List(_) | Value::Object(_));
        !is_taken && !fits(None, field.base, operand)
    });
    match wrong {
        Some(operand) => Err(wrong_type(None, model, field, operator, operand)),
        None => Ok(operands),
    }
}

/// Refuses an operator that the field's type has not, and operands of another type; with a schema
/// also names that an enum has not.
pub(crate) fn check_all(
    schema: Option<&Schema>,
    model: &Model,
    field: &Field,
    operator: &Operator,
) -> Result<(), ModelError> {
    let (name, operands) = operator.parts();
    let known = operators_of(field);
    if known.split(", ").all(|known| known != name) {
        return Err(ModelError::WrongOperator {
            model: model.name.clone(),
            field: field.name.clone(),
            operator: name.to_owned(),
            found: type_name(schema, field),
            known,
        });
    }
    let is_of_element = !field.is_list || matches!(name, "contains" | "notContains");
    // A part of a name is asked for by these, in every order.
    let is_whole = matches!(name, "eq" | "ne" | "in" | "notIn") || field.is_list;
    let schema_of_names = schema.filter(|_| is_whole);
    let fits = |value: &Value| fits(schema_of_names, field.base, value);
    let wrong = operands.iter().find(|operand| match operand {
        Value::Null => false,
        operand if is_of_element => !fits(operand),
        Value::List(elements) => {
            elements.iter().any(|element| !element.is_null() && !fits(element))
        }
        Value::Bool(_) | Value::Int(_) | Value::Float(_) | Value::Text(_) | Value::Object(_) => {
            true
        }
    });
    match wrong {
        Some(operand) => Err(wrong_type(schema, model, field, name, operand)),
        None => Ok(()),
    }
}

fn operators_of(field: &Field) -> &'static str {
    match field.base {
        _ if field.is_list => OF_LISTS,
        BaseType::Object(_) => OF_OBJECTS,
        BaseType::Scalar(Scalar::Int | Scalar::Float | Scalar::AwsTimestamp | Scalar::Boolean) => {
            OF_ORDERED
        }
        BaseType::Scalar(_) | BaseType::Enum(_) => NAMES,
    }
}

/// Whether one value can be compared with one of this type.
fn fits(schema: Option<&Schema>, base: BaseType, value: &Value) -> bool {
    match base {
        BaseType::Scalar(Scalar::Int | Scalar::Float | Scalar::AwsTimestamp) => {
            value.as_number().is_some_and(|number| !number.is_nan())
        }
        BaseType::Scalar(Scalar::Boolean) => matches!(value, Value::Bool(_)),
        BaseType::Scalar(_) => matches!(value, Value::Text(_)),
        BaseType::Enum(id) => value.as_text().is_some_and(|text| {
            schema
                .is_none_or(|schema| schema.enum_type(id).values.iter().any(|known| known == text))
        }),
        // A filter of the wire names no object, but text is what stands for one there.
        BaseType::Object(_) => {
            matches!(value, Value::Object(_)) || schema.is_none() && value.as_text().is_some()
        }
    }
}

fn type_name(schema: Option<&Schema>, field: &Field) -> String {
    let name = match (field.base, schema) {
        (BaseType::Scalar(scalar), _) => scalar.name(),
        (base, Some(schema)) => schema.type_name(base),
        (BaseType::Enum(_), None) => "text",
        (BaseType::Object(_), None) => "an object",
    };
    if field.is_list { format!("[{name}]") } else { name.to_owned() }
}

fn wrong_type(
    schema: Option<&Schema>,
    model: &Model,
    field: &Field,
    operator: &str,
    operand: &Value,
) -> ModelError {
    let element = Field { is_list: false, ..field.clone() };
    let is_of_element = schema.is_none() || matches!(operator, "contains" | "notContains");
    let mut expected = type_name(schema, if is_of_element { &element } else { field });
    if let (BaseType::Enum(id), Some(schema)) = (field.base, schema) {
        expected = format!("{expected} ({})", schema.enum_type(id).values.join(", "));
    }
    ModelError::WrongType {
        model: model.name.clone(),
        field: field.name.clone(),
        expected: format!("compared by {operator} with {expected}"),
        found: operand.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{EnumId, EnumType, ObjectId, ObjectType, Predicate};

    fn schema() -> Schema {
        let model = Model::new("Cup", "Cups")
            .field(Field::new("id", Scalar::Id).required())
            .field(Field::new("price", Scalar::Float))
            .field(Field::new("isHot", Scalar::Boolean))
            .field(Field::new("size", BaseType::Enum(EnumId(0))))
            .field(Field::new("tags", Scalar::String).list(false))
            .field(Field::new("maker", BaseType::Object(ObjectId(0))));
        let maker = Field::new("name", Scalar::String);
        Schema::new(vec![model])
            .with_enums(vec![EnumType {
                name: "Size".into(),
                values: vec!["SMALL".into(), "LARGE".into()],
            }])
            .with_objects(vec![ObjectType { name: "Maker".into(), fields: vec![maker] }])
    }

    fn check(field: &str, operator: Operator, expected: &str) {
        let schema = schema();
        let (_, model) = schema.models().next().unwrap();
        let predicate = Predicate::Field(model.field_named(field).unwrap(), operator);
        let checked = predicate.check_in(&schema, model);
        let said = checked.err().map(|error| error.to_string()).unwrap_or_default();
        assert_eq!(said, expected);
    }

    #[test]
    fn what_makes_sense_is_taken() {
        let object = || Value::Object(["x".into()].into());
        check("price", Operator::Gt(2.into()), "");
        check("price", Operator::In(vec![2.into(), Value::Null]), "");
        check("price", Operator::Lt(f64::INFINITY.into()), "");
        check("isHot", Operator::Eq(true.into()), "");
        check("size", Operator::Ne("LARGE".into()), "");
        check("size", Operator::BeginsWith("LA".into()), "");
        check("tags", Operator::Contains("hot".into()), "");
        check("tags", Operator::Eq(vec!["hot"].into()), "");
        check("maker", Operator::Eq(object()), "");
        check("maker", Operator::Ne(Value::Null), "");
    }

    #[test]
    fn what_makes_none_is_named() {
        let of_ordered = "it has eq, ne, lt, le, gt, ge, between, in, notIn";
        let of_lists = "it has eq, ne, contains, notContains, in, notIn";
        let expected = format!("`contains` cannot compare Cup.price, which is Float; {of_ordered}");
        check("price", Operator::Contains("4".into()), &expected);
        let expected = "Cup.price should be compared by eq with Float, found NaN";
        check("price", Operator::Eq(f64::NAN.into()), expected);
        let expected = "Cup.price should be compared by in with Float, found a list of 1";
        check("price", Operator::In(vec![vec![1.0].into()]), expected);
        let expected =
            format!("`beginsWith` cannot compare Cup.isHot, which is Boolean; {of_ordered}");
        check("isHot", Operator::BeginsWith("t".into()), &expected);
        let expected = "Cup.size should be compared by eq with Size (SMALL, LARGE), found \"HUGE\"";
        check("size", Operator::Eq("HUGE".into()), expected);
        let expected = format!("`lt` cannot compare Cup.tags, which is [String]; {of_lists}");
        check("tags", Operator::Lt("hot".into()), &expected);
        let expected = "Cup.tags should be compared by eq with [String], found \"hot\"";
        check("tags", Operator::Eq("hot".into()), expected);
        let expected = "Cup.tags should be compared by contains with String, found 1";
        check("tags", Operator::Contains(1.into()), expected);
        let expected = "`lt` cannot compare Cup.maker, which is Maker; it has eq, ne, in, notIn";
        check("maker", Operator::Lt("x".into()), expected);
    }
}
