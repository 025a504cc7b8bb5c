use async_graphql_parser::types::{BaseType as TypeShape, FieldDefinition, Type};

use async_graphql_value::ConstValue;

use super::directives::{Directive, Directives, renamed};
use super::{Named, Names, Result, SdlCause, problem, unsupported};
use crate::{BaseType, EnumType, Field, Scalar, Value};

/// The name inside a type's lists and exclamation marks.
pub(super) fn base_name(of: &Type) -> &str {
    match &of.base {
        TypeShape::Named(name) => name.as_str(),
        TypeShape::List(inner) => base_name(inner),
    }
}

/// Reads a field that is stored, with its `@default`.
pub(super) fn read(
    definition: &FieldDefinition,
    names: &Names,
    enums: &[EnumType],
) -> Result<Field> {
    let (ty, at) = (&definition.ty.node, definition.ty.pos);
    if let Some(argument) = definition.arguments.first() {
        return unsupported(argument.pos, "an argument of a field", "leave it out");
    }
    let base = match names.get(base_name(ty)) {
        Some(Named::Scalar(scalar)) => BaseType::Scalar(scalar),
        Some(Named::Enum(id)) => BaseType::Enum(id),
        Some(Named::Object(id)) => BaseType::Object(id),
        Some(Named::Model(_)) | None => {
            return problem(at, SdlCause::UnknownType(base_name(ty).to_owned()));
        }
    };
    let name = definition.name.node.as_str();
    if name.starts_with('_') {
        return problem(definition.name.pos, SdlCause::ReservedName(name.to_owned()));
    }
    let mut field = Field::new(name, base);
    field.is_required = !ty.nullable;
    if let TypeShape::List(element) = &ty.base {
        if matches!(element.base, TypeShape::List(_)) {
            return unsupported(at, "a list of lists", "use AWSJSON");
        }
        field = field.list(!element.nullable);
    }
    field.formerly = renamed(Directives(&definition.directives))?;
    match Directives(&definition.directives).get("default") {
        Some(directive) => Ok(field.clone().with_default(read_default(directive, &field, enums)?)),
        None => Ok(field),
    }
}

fn read_default(directive: Directive<'_>, field: &Field, enums: &[EnumType]) -> Result<Value> {
    let Some(ConstValue::String(text)) = directive.takes(&["value"])?.get("value") else {
        return directive.wrong("needs `value`, a text, as in `@default(value: \"1\")`");
    };
    if field.is_list {
        return directive.wrong(format!("`{}` is a list, which can have no default", field.name));
    }
    let value = match field.base {
        BaseType::Scalar(Scalar::Int | Scalar::AwsTimestamp) => {
            text.parse().map(Value::Int).unwrap_or_default()
        }
        BaseType::Scalar(Scalar::Float) => text.parse().map(Value::Float).unwrap_or_default(),
        BaseType::Scalar(Scalar::Boolean) => text.parse().map(Value::Bool).unwrap_or_default(),
        BaseType::Scalar(_) => Value::from(text.as_str()),
        BaseType::Enum(id) => {
            let known = &enums[id.index()].values;
            if known.contains(text) { Value::from(text.as_str()) } else { Value::Null }
        }
        BaseType::Object(_) => Value::Null,
    };
    #[cfg(feature = "formats")]
    let is_of_format = |scalar| crate::formats::fits(scalar, text);
    #[cfg(not(feature = "formats"))]
    let is_of_format = |_: Scalar| true;
    let fits = match field.base {
        BaseType::Scalar(scalar) => scalar.accepts(&value) && is_of_format(scalar),
        BaseType::Enum(_) | BaseType::Object(_) => !value.is_null(),
    };
    if fits {
        Ok(value)
    } else {
        directive.wrong(format!("{text:?} is no value of `{}`", field.name))
    }
}
