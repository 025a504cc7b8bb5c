use async_graphql::dynamic::{Enum, InputObject, InputValue, Type, TypeRef};
use espressync_model::remote::Operation;
use espressync_model::{
    BaseType, Field, FieldId, Model, ModelApi, ObjectType, Offer, Scalar, Schema as Models,
};
use espressync_wire::names;

use super::types::{MUTATIONS, OPERATIONS, input_name, list_of, offer, subscription_names};

/// The scalars that have filter inputs of their own; all others borrow one of them.
const FILTERED: [&str; 5] = ["String", "ID", "Int", "Float", "Boolean"];

const ATTRIBUTE_TYPES: [&str; 10] = [
    "binary",
    "binarySet",
    "bool",
    "list",
    "map",
    "number",
    "numberSet",
    "string",
    "stringSet",
    "_null",
];

/// The inputs of one model: create, update, delete, condition, filter, subscription filter.
pub(super) fn of_model(models: &Models, model: &Model, api: &ModelApi) -> Vec<Type> {
    let comparisons = |name: String, with_key: bool, prefix: &str| {
        let fields = model.fields().filter(|(id, _)| with_key || !model.key.contains(id));
        let fields = fields.filter(|(id, _)| !api.input_only.contains(id));
        fields.fold(InputObject::new(name), |input, (_, field)| {
            match comparison(models, field, prefix) {
                Some(of) => input.field(InputValue::new(&field.name, TypeRef::named(of))),
                None => input,
            }
        })
    };
    let group = |input: InputObject, has_not: bool| {
        let name = input.type_name().to_owned();
        let input = input
            .field(InputValue::new("and", TypeRef::named_list(&name)))
            .field(InputValue::new("or", TypeRef::named_list(&name)));
        let not = InputValue::new("not", TypeRef::named(name));
        let input = if has_not { input.field(not) } else { input };
        // Amplify's transformer has this one for subscriptions, too.
        input.field(InputValue::new("_deleted", TypeRef::named("ModelBooleanInput")))
    };
    let filter = comparisons(names::filter(model), true, "Model");
    let condition = comparisons(names::condition(model), false, "Model");
    let subscription = comparisons(names::subscription_filter(model), true, "ModelSubscription");
    let mut types: Vec<Type> = vec![group(filter, true).into()];
    let offered = |operation: &Operation| *offer(api, *operation) != Offer::Off;
    for operation in MUTATIONS.into_iter().filter(offered) {
        types.push(match operation {
            Operation::Create => create(models, model, api).into(),
            Operation::Update => update(models, model).into(),
            Operation::Delete | Operation::Undelete => by_key(models, model, operation).into(),
        });
    }
    if OPERATIONS.iter().any(offered) {
        types.push(group(condition, true).into());
    }
    if OPERATIONS.iter().any(|each| !subscription_names(model, api, *each).is_empty()) {
        types.push(group(subscription, false).into());
    }
    let filtered = model.fields().filter(|(id, _)| !api.input_only.contains(id));
    types.extend(filtered.filter_map(|(_, field)| enum_filter(models, field)));
    types
}

/// The input of an embedded type.
pub(super) fn of_object(models: &Models, object: &ObjectType) -> Vec<Type> {
    let input = InputObject::new(format!("{}Input", object.name));
    let fields = object.fields.iter();
    let input = fields.fold(input, |input, field| {
        let of = list_of(&input_name(models, field.base), field, field.is_required);
        input.field(InputValue::new(&field.name, of))
    });
    vec![input.into()]
}

/// The filter of an enum's field.
fn enum_filter(models: &Models, field: &Field) -> Option<Type> {
    let BaseType::Enum(_) = field.base else { return None };
    let name = comparison(models, field, "Model")?;
    let of = models.type_name(field.base);
    if !field.is_list {
        return Some(operators(&name, of, &["eq", "ne"]).into());
    }
    let list = InputObject::new(name)
        .field(InputValue::new("eq", TypeRef::named_list(of)))
        .field(InputValue::new("ne", TypeRef::named_list(of)))
        .field(InputValue::new("contains", TypeRef::named(of)))
        .field(InputValue::new("notContains", TypeRef::named(of)));
    Some(list.into())
}

/// The filters of the scalars (contract 2.3), which every API has.
pub(super) fn of_scalars() -> Vec<Type> {
    let mut types = vec![
        Type::from(Enum::new("ModelAttributeTypes").items(ATTRIBUTE_TYPES)),
        Type::from(list_operator(operators("ModelSizeInput", "Int", ORDERED), "between", "Int")),
    ];
    for scalar in FILTERED {
        types.push(filter_of(scalar).into());
        types.push(subscription_filter_of(scalar).into());
    }
    types
}

const EQUAL: &[&str] = &["ne", "eq"];
const ORDERED: &[&str] = &["ne", "eq", "le", "lt", "ge", "gt"];
const TEXT: &[&str] =
    &["ne", "eq", "le", "lt", "ge", "gt", "contains", "notContains", "beginsWith"];

fn operators_of(scalar: &str) -> &'static [&'static str] {
    match scalar {
        "Boolean" => EQUAL,
        "Int" | "Float" => ORDERED,
        _ => TEXT,
    }
}

fn operators(name: &str, of: &str, operators: &[&str]) -> InputObject {
    let operators = operators.iter();
    operators.fold(InputObject::new(name), |input, operator| {
        input.field(InputValue::new(*operator, TypeRef::named(of)))
    })
}

fn list_operator(input: InputObject, operator: &str, of: &str) -> InputObject {
    input.field(InputValue::new(operator, TypeRef::named_list(of)))
}

fn filter_of(scalar: &str) -> InputObject {
    let mut input = operators(&format!("Model{scalar}Input"), scalar, operators_of(scalar));
    if scalar != "Boolean" {
        input = list_operator(input, "between", scalar);
    }
    input = input
        .field(InputValue::new("attributeExists", TypeRef::named(TypeRef::BOOLEAN)))
        .field(InputValue::new("attributeType", TypeRef::named("ModelAttributeTypes")));
    if operators_of(scalar) == TEXT {
        input = input.field(InputValue::new("size", TypeRef::named("ModelSizeInput")));
    }
    input
}

fn subscription_filter_of(scalar: &str) -> InputObject {
    let name = format!("ModelSubscription{scalar}Input");
    let input = operators(&name, scalar, operators_of(scalar));
    if scalar == "Boolean" {
        return input;
    }
    ["between", "in", "notIn"]
        .into_iter()
        .fold(input, |input, operator| list_operator(input, operator, scalar))
}

/// The filter input of a field; embedded values have none.
fn comparison(models: &Models, field: &Field, prefix: &str) -> Option<String> {
    let name = match field.base {
        BaseType::Object(_) => return None,
        // As Amplify's transformer has them, lists or not: its name for a
        // `ModelSubscription{Enum}ListInput` is used by none of its types.
        BaseType::Enum(_) if prefix == "ModelSubscription" => "String",
        BaseType::Enum(_) => {
            let list = if field.is_list { "List" } else { "" };
            return Some(format!("Model{}{list}Input", models.type_name(field.base)));
        }
        BaseType::Scalar(Scalar::AwsTimestamp) => "Int",
        BaseType::Scalar(scalar) if FILTERED.contains(&scalar.name()) => scalar.name(),
        BaseType::Scalar(_) => "String",
    };
    Some(format!("{prefix}{name}Input"))
}

fn create(models: &Models, model: &Model, api: &ModelApi) -> InputObject {
    let input = InputObject::new(names::input(model, Operation::Create));
    let fields = model.fields().filter(|(_, field)| !field.is_read_only);
    let input = fields.fold(input, |input, (id, field)| {
        let is_required = field.is_required && !is_filled_in(model, api, id);
        let of = list_of(&input_name(models, field.base), field, is_required);
        input.field(InputValue::new(&field.name, of))
    });
    versioned(input)
}

/// Whether the server fills a field in when a create says nothing (contract 1.3).
fn is_filled_in(model: &Model, api: &ModelApi, id: FieldId) -> bool {
    let is_id = model.has_managed_id() && model.key.contains(&id);
    is_id || api.is_stamped(id)
}

fn update(models: &Models, model: &Model) -> InputObject {
    let input = InputObject::new(names::input(model, Operation::Update));
    let fields = model.fields().filter(|(_, field)| !field.is_read_only);
    let input = fields.fold(input, |input, (id, field)| {
        let of = list_of(&input_name(models, field.base), field, model.key.contains(&id));
        input.field(InputValue::new(&field.name, of))
    });
    versioned(input)
}

/// The input of a delete or an undelete.
fn by_key(models: &Models, model: &Model, operation: Operation) -> InputObject {
    let input = InputObject::new(names::input(model, operation));
    let fields = model.key.iter().map(|id| model.at(*id));
    let input = fields.fold(input, |input, field| {
        input
            .field(InputValue::new(&field.name, list_of(models.type_name(field.base), field, true)))
    });
    versioned(input)
}

fn versioned(input: InputObject) -> InputObject {
    input.field(InputValue::new("_version", TypeRef::named(TypeRef::INT)))
}
