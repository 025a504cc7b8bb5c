//! The arguments by which records are found through a key or an index (contract 1.5): their types
//! and what they ask for. AppSync reads a condition on several sort fields as one text, `a#b`; of
//! such a condition the first fields may be given alone.

use async_graphql::dynamic::{Enum, InputObject, InputValue, Type, TypeRef};
use espressync_model::remote::RemoteError;
use espressync_model::{BaseType, Direction, Field, Model, Scalar, Schema as Models, Value};
use espressync_wire::json::value_from_json;
use serde_json::{Map, Value as Json};

use super::document::Selected;
use super::errors::{bad_argument, invalid};
use crate::backend::Range;
use crate::ways::Way;

/// The argument that turns the order round.
pub(super) const SORT_DIRECTION: &str = "sortDirection";

const SORT_DIRECTION_TYPE: &str = "ModelSortDirection";

const OPERATORS: [&str; 7] = ["eq", "le", "lt", "ge", "gt", "between", "beginsWith"];

/// The arguments of one way through a model.
#[derive(Clone, Copy)]
pub(super) struct KeyArguments<'a> {
    pub(super) models: &'a Models,
    pub(super) model: &'a Model,
    pub(super) way: &'a Way,
}

impl KeyArguments<'_> {
    /// The argument of the field whose value is given.
    pub(super) fn hash(&self, is_required: bool) -> InputValue {
        let field = self.hash_field();
        let of = self.models.type_name(field.base);
        let of = if is_required { TypeRef::named_nn(of) } else { TypeRef::named(of) };
        InputValue::new(&field.name, of)
    }

    /// The argument with the condition on the sort fields, where there are any.
    pub(super) fn sort(&self) -> Option<InputValue> {
        let name = self.sort_name()?;
        let of = match self.way.sort.as_slice() {
            [only] => simple_condition(self.model.at(*only)),
            _ => self.composite("KeyConditionInput"),
        };
        Some(InputValue::new(name, TypeRef::named(of)))
    }

    /// The types of these arguments.
    pub(super) fn types(&self) -> Vec<Type> {
        match self.way.sort.as_slice() {
            [] => Vec::new(),
            [only] => {
                let scalar = condition_scalar(self.model.at(*only).base);
                vec![condition(simple_condition(self.model.at(*only)), scalar).into()]
            }
            several => {
                let key = self.composite("KeyInput");
                let mut input = InputObject::new(&key);
                for (position, id) in several.iter().enumerate() {
                    let field = self.model.at(*id);
                    // The generator translates AppSync's scalars only in the last place.
                    let is_scalar = matches!(field.base, BaseType::Scalar(_));
                    let of = match is_scalar && position + 1 == several.len() {
                        true => condition_scalar(field.base),
                        false => self.models.type_name(field.base),
                    };
                    input = input.field(InputValue::new(&field.name, TypeRef::named(of)));
                }
                let condition = condition(self.composite("KeyConditionInput"), &key);
                vec![input.into(), condition.into()]
            }
        }
    }

    /// Reads the value of the field that is given; null when it is not.
    pub(super) fn read_hash(&self, field: &Selected) -> Result<Value, RemoteError> {
        let of = self.hash_field();
        value_from_json(self.models, &self.model.name, of, field.argument(&of.name))
            .map_err(|error| bad_argument(&error))
    }

    /// Reads the condition on the sort fields.
    pub(super) fn read_range(&self, field: &Selected) -> Result<Range, RemoteError> {
        let Some(name) = self.sort_name() else { return Ok(Range::All) };
        let Json::Object(operators) = field.argument(&name) else { return Ok(Range::All) };
        let mut given = operators.iter().filter(|(_, operand)| !operand.is_null());
        let Some((operator, operand)) = given.next() else { return Ok(Range::All) };
        if given.next().is_some() {
            return Err(invalid(if self.way.sort.len() > 1 {
                format!("Argument {name} must specify at most one key condition operation.")
            } else {
                "KeyConditionExpressions must only contain one condition per key. Provide a \
                 single operator (one of eq, lt, le, gt, ge, beginsWith, between) on the sort key \
                 argument."
                    .to_owned()
            }));
        }
        let place = format!("{name}.{operator}");
        let one = |operand: &Json| self.operand(&place, operand);
        Ok(match operator.as_str() {
            "eq" => Range::Eq(one(operand)?),
            "lt" => Range::Lt(one(operand)?),
            "le" => Range::Le(one(operand)?),
            "gt" => Range::Gt(one(operand)?),
            "ge" => Range::Ge(one(operand)?),
            "beginsWith" => Range::BeginsWith(one(operand)?),
            "between" => {
                let bounds = operand.as_array().map(Vec::as_slice).unwrap_or_default();
                let [low, high] = bounds else {
                    let message = format!("Argument '{place}' expects exactly two elements.");
                    return Err(invalid(message));
                };
                let bound = |bound: &Json, number: usize| {
                    self.operand(&format!("{place}[{number}]"), bound)
                };
                Range::Between(bound(low, 0)?, bound(high, 1)?)
            }
            _ => return Err(invalid(format!("{operator} is no condition on a key"))),
        })
    }

    /// Refuses what a list cannot be asked without the field that is given: it has no order then.
    pub(super) fn refuse_without_hash(&self, field: &Selected) -> Result<(), RemoteError> {
        let hash = &self.hash_field().name;
        if let Some(name) = self.sort_name().filter(|name| !field.argument(name).is_null()) {
            return Err(invalid(if self.way.sort.len() > 1 {
                format!("When providing argument '{name}' you must also provide '{hash}'.")
            } else {
                format!("When providing argument '{name}' you must also provide arguments {hash}")
            }));
        }
        if !field.argument(SORT_DIRECTION).is_null() {
            return Err(invalid(format!(
                "When providing argument 'sortDirection' you must also provide argument '{hash}'."
            )));
        }
        Ok(())
    }

    /// Refuses a direction where nothing is sorted, as AppSync's queries over keys do.
    pub(super) fn refuse_direction(&self, field: &Selected) -> Result<(), RemoteError> {
        if self.way.sort.is_empty() && !field.argument(SORT_DIRECTION).is_null() {
            let message =
                "sortDirection is not supported for List operations without a Sort key defined.";
            return Err(invalid(message));
        }
        Ok(())
    }

    fn hash_field(&self) -> &Field {
        self.model.at(self.way.equal[0])
    }

    /// `status` or `statusCreatedAt`.
    fn sort_name(&self) -> Option<String> {
        let mut names = self.way.sort.iter().map(|id| self.model.at(*id).name.as_str());
        let first = names.next()?;
        if self.way.sort.len() == 1 {
            return Some(first.to_owned());
        }
        let mut camel = change_first(first, char::to_ascii_lowercase);
        for name in names {
            camel.push_str(&change_first(name, char::to_ascii_uppercase));
        }
        Some(camel)
    }

    fn composite(&self, end: &str) -> String {
        let model = change_first(&self.model.name, char::to_ascii_uppercase);
        let way = change_first(&self.way.name, char::to_ascii_uppercase);
        format!("Model{model}{way}Composite{end}")
    }

    /// Reads an operand: one value, or an object with the first of the sort fields or all.
    fn operand(&self, place: &str, json: &Json) -> Result<Vec<Value>, RemoteError> {
        if let [only] = self.way.sort.as_slice() {
            return Ok(vec![self.part(self.model.at(*only), json)?]);
        }
        let none = Map::new();
        let members = json.as_object().unwrap_or(&none);
        let mut values = Vec::new();
        let mut missing: Option<&str> = None;
        for id in &self.way.sort {
            let field = self.model.at(*id);
            let json = members.get(&field.name).unwrap_or(&Json::Null);
            let is_blank =
                json.is_null() || json.as_str().is_some_and(|text| text.trim().is_empty());
            match missing {
                None if is_blank => missing = Some(&field.name),
                None => values.push(self.part(field, json)?),
                Some(_) if is_blank => {}
                Some(missing) => {
                    return Err(invalid(format!(
                        "When providing argument '{place}.{}' you must also provide \
                         '{place}.{missing}'.",
                        field.name
                    )));
                }
            }
        }
        match values.is_empty() {
            true => Err(invalid(format!("Argument '{place}' has no value to compare with."))),
            false => Ok(values),
        }
    }

    /// Reads one field's value. Text may be the beginning of one, so it is not held to its
    /// scalar's format, nor to an enum's names.
    fn part(&self, field: &Field, json: &Json) -> Result<Value, RemoteError> {
        let scalar = Scalar::named(condition_scalar(field.base)).unwrap_or(Scalar::String);
        let as_compared = Field::new(&field.name, scalar);
        value_from_json(self.models, &self.model.name, &as_compared, json)
            .map_err(|error| bad_argument(&error))
    }
}

/// Which way a field asks for.
pub(super) fn direction(field: &Selected) -> Direction {
    match field.argument(SORT_DIRECTION).as_str() {
        Some("DESC") => Direction::Descending,
        Some(_) | None => Direction::Ascending,
    }
}

pub(super) fn direction_argument() -> InputValue {
    InputValue::new(SORT_DIRECTION, TypeRef::named(SORT_DIRECTION_TYPE))
}

pub(super) fn direction_type() -> Type {
    Enum::new(SORT_DIRECTION_TYPE).items(["ASC", "DESC"]).into()
}

/// The scalar by which a value is compared as a key.
fn condition_scalar(base: BaseType) -> &'static str {
    match base {
        BaseType::Scalar(Scalar::Id) => "ID",
        BaseType::Scalar(Scalar::Int | Scalar::AwsTimestamp) => "Int",
        BaseType::Scalar(Scalar::Float) => "Float",
        BaseType::Scalar(_) | BaseType::Enum(_) | BaseType::Object(_) => "String",
    }
}

fn simple_condition(field: &Field) -> String {
    format!("Model{}KeyConditionInput", condition_scalar(field.base))
}

fn condition(name: String, of: &str) -> InputObject {
    let is_number = of == "Int" || of == "Float";
    let operators = OPERATORS.iter().filter(|operator| !is_number || **operator != "beginsWith");
    operators.fold(InputObject::new(name), |input, operator| {
        let of = if *operator == "between" { TypeRef::named_list(of) } else { TypeRef::named(of) };
        input.field(InputValue::new(*operator, of))
    })
}

fn change_first(name: &str, change: fn(&char) -> char) -> String {
    let mut characters = name.chars();
    let first = characters.next().map(|first| change(&first));
    first.into_iter().chain(characters).collect()
}
