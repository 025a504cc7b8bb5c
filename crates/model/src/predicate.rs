use std::cmp::Ordering;

use crate::{BaseType, FieldId, Model, ModelError, Row, Scalar, Value};

/// A condition on a row. Equality is of value, order is that of [`Value::order`], and null is
/// equal to null only and has no order, so `lt` and its kin are false on it.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum Predicate {
    /// Matches every row.
    #[default]
    All,
    /// Compares one field.
    Field(FieldId, Operator),
    /// Matches when every part does; true of none.
    And(Vec<Predicate>),
    /// Matches when some part does; false of none.
    Or(Vec<Predicate>),
    /// Matches when the part does not.
    Not(Box<Predicate>),
}

/// How a field is compared (contract 6.2).
#[derive(Debug, Clone, PartialEq)]
pub enum Operator {
    /// The same value.
    Eq(Value),
    /// Another value.
    Ne(Value),
    /// Less.
    Lt(Value),
    /// Less or the same.
    Le(Value),
    /// Greater.
    Gt(Value),
    /// Greater or the same.
    Ge(Value),
    /// From the first to the second, both included.
    Between(Value, Value),
    /// Text that begins with this.
    BeginsWith(Value),
    /// Text that contains this, or a list with this element.
    Contains(Value),
    /// Not [`Operator::Contains`], null included.
    NotContains(Value),
    /// One of these.
    In(Vec<Value>),
    /// None of these.
    NotIn(Vec<Value>),
}

/// The operators by name, for error messages.
const NAMES: &str = "eq, ne, lt, le, gt, ge, between, beginsWith, contains, notContains, in, notIn";

impl Predicate {
    /// Reads one comparison by names, as dynamic callers give it: `("price", "between", [2, 3])`.
    ///
    /// # Errors
    /// An unknown field or operator, the wrong number of operands, an operand of another type.
    pub fn parse(
        model: &Model,
        field: &str,
        operator: &str,
        operands: Vec<Value>,
    ) -> Result<Self, ModelError> {
        let id = model.field_named(field)?;
        let operands = check_operands(model, id, operator, operands)?;
        let count = operands.len();
        let wrong_count = |expected| ModelError::OperandCount {
            model: model.name.clone(),
            field: field.to_owned(),
            operator: operator.to_owned(),
            expected,
            found: count,
        };
        match operator {
            "in" => return Ok(Self::Field(id, Operator::In(operands))),
            "notIn" => return Ok(Self::Field(id, Operator::NotIn(operands))),
            "between" => {
                let [low, high]: [Value; 2] = operands.try_into().map_err(|_| wrong_count(2))?;
                return Ok(Self::Field(id, Operator::Between(low, high)));
            }
            _ => {}
        }
        let one: fn(Value) -> Operator = match operator {
            "eq" => Operator::Eq,
            "ne" => Operator::Ne,
            "lt" => Operator::Lt,
            "le" => Operator::Le,
            "gt" => Operator::Gt,
            "ge" => Operator::Ge,
            "beginsWith" => Operator::BeginsWith,
            "contains" => Operator::Contains,
            "notContains" => Operator::NotContains,
            _ => {
                return Err(ModelError::UnknownOperator {
                    model: model.name.clone(),
                    field: field.to_owned(),
                    operator: operator.to_owned(),
                    known: NAMES,
                });
            }
        };
        let [operand]: [Value; 1] = operands.try_into().map_err(|_| wrong_count(1))?;
        Ok(Self::Field(id, one(operand)))
    }

    /// Refuses fields that the model has not, and operands of another type than their field's.
    ///
    /// # Errors
    /// [`ModelError::UnknownField`], [`ModelError::WrongType`].
    pub fn check(&self, model: &Model) -> Result<(), ModelError> {
        match self {
            Self::All => Ok(()),
            Self::Field(field, operator) => {
                check_field(model, *field)?;
                let (name, operands) = operator.parts();
                check_operands(model, *field, name, operands).map(|_| ())
            }
            Self::And(parts) | Self::Or(parts) => {
                parts.iter().try_for_each(|part| part.check(model))
            }
            Self::Not(part) => part.check(model),
        }
    }

    /// Both this and the other.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        match self {
            Self::All => other,
            Self::And(mut parts) => {
                parts.push(other);
                Self::And(parts)
            }
            first @ (Self::Field(..) | Self::Or(_) | Self::Not(_)) => Self::And(vec![first, other]),
        }
    }

    /// Either this or the other.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        match self {
            Self::Or(mut parts) => {
                parts.push(other);
                Self::Or(parts)
            }
            first @ (Self::All | Self::Field(..) | Self::And(_) | Self::Not(_)) => {
                Self::Or(vec![first, other])
            }
        }
    }

    /// Whether a row matches.
    #[must_use]
    pub fn matches(&self, row: &Row) -> bool {
        match self {
            Self::All => true,
            Self::Field(field, operator) => operator.matches(row.get(*field)),
            Self::And(parts) => parts.iter().all(|part| part.matches(row)),
            Self::Or(parts) => parts.iter().any(|part| part.matches(row)),
            Self::Not(part) => !part.matches(row),
        }
    }
}

impl std::ops::Not for Predicate {
    type Output = Self;

    fn not(self) -> Self {
        Self::Not(Box::new(self))
    }
}

/// Refuses a field that the model has not.
pub(crate) fn check_field(model: &Model, field: FieldId) -> Result<(), ModelError> {
    if field.index() < model.fields.len() {
        return Ok(());
    }
    let names: Vec<&str> = model.fields.iter().map(|field| field.name.as_str()).collect();
    Err(ModelError::UnknownField {
        model: model.name.clone(),
        field: format!("number {}", field.0),
        known: names.join(", "),
    })
}

/// Checks operands against the field's type. `contains` on a list takes an element; a whole
/// number is taken for a Float, as JavaScript writes it.
fn check_operands(
    model: &Model,
    id: FieldId,
    operator: &str,
    operands: Vec<Value>,
) -> Result<Vec<Value>, ModelError> {
    let field = model.at(id);
    let check = |operand: Value| {
        let fits = match (field.base, &operand) {
            (_, Value::Null | Value::List(_) | Value::Object(_)) => true,
            (BaseType::Scalar(Scalar::Int | Scalar::Float | Scalar::AwsTimestamp), value) => {
                value.as_number().is_some()
            }
            (BaseType::Scalar(Scalar::Boolean), value) => matches!(value, Value::Bool(_)),
            (_, value) => matches!(value, Value::Text(_)),
        };
        if fits {
            return Ok(operand);
        }
        let expected = match field.base {
            BaseType::Scalar(scalar) => scalar.name(),
            BaseType::Enum(_) | BaseType::Object(_) => "text",
        };
        Err(ModelError::WrongType {
            model: model.name.clone(),
            field: field.name.clone(),
            expected: format!("compared by {operator} with {expected}"),
            found: operand.to_string(),
        })
    };
    operands.into_iter().map(check).collect()
}

impl Operator {
    /// The name in dynamic calls, and the operands.
    fn parts(&self) -> (&'static str, Vec<Value>) {
        let (name, operand) = match self {
            Self::Eq(operand) => ("eq", operand),
            Self::Ne(operand) => ("ne", operand),
            Self::Lt(operand) => ("lt", operand),
            Self::Le(operand) => ("le", operand),
            Self::Gt(operand) => ("gt", operand),
            Self::Ge(operand) => ("ge", operand),
            Self::BeginsWith(operand) => ("beginsWith", operand),
            Self::Contains(operand) => ("contains", operand),
            Self::NotContains(operand) => ("notContains", operand),
            Self::Between(low, high) => return ("between", vec![low.clone(), high.clone()]),
            Self::In(operands) => return ("in", operands.clone()),
            Self::NotIn(operands) => return ("notIn", operands.clone()),
        };
        (name, vec![operand.clone()])
    }

    /// Whether a field's value stands the comparison.
    #[must_use]
    pub fn matches(&self, value: &Value) -> bool {
        let ordered = |operand: &Value, accepted: fn(Ordering) -> bool| {
            value.order(operand).is_some_and(accepted)
        };
        match self {
            Self::Eq(operand) => value.same(operand),
            Self::Ne(operand) => !value.same(operand),
            Self::Lt(operand) => ordered(operand, Ordering::is_lt),
            Self::Le(operand) => ordered(operand, Ordering::is_le),
            Self::Gt(operand) => ordered(operand, Ordering::is_gt),
            Self::Ge(operand) => ordered(operand, Ordering::is_ge),
            Self::Between(low, high) => {
                ordered(low, Ordering::is_ge) && ordered(high, Ordering::is_le)
            }
            Self::BeginsWith(operand) => match (value.as_text(), operand.as_text()) {
                (Some(text), Some(start)) => text.starts_with(start),
                _ => false,
            },
            Self::Contains(operand) => contains(value, operand),
            Self::NotContains(operand) => !contains(value, operand),
            Self::In(operands) => operands.iter().any(|operand| value.same(operand)),
            Self::NotIn(operands) => !operands.iter().any(|operand| value.same(operand)),
        }
    }
}

fn contains(value: &Value, operand: &Value) -> bool {
    match (value, operand) {
        (Value::List(elements), operand) => elements.iter().any(|element| element.same(operand)),
        (Value::Text(text), Value::Text(part)) => text.contains(&**part),
        _ => false,
    }
}

macro_rules! comparisons {
    ($($(#[$doc:meta])* $name:ident => $operator:ident),+ $(,)?) => {
        impl FieldId {
            $($(#[$doc])*
            #[must_use]
            pub fn $name(self, operand: impl Into<Value>) -> Predicate {
                Predicate::Field(self, Operator::$operator(operand.into()))
            })+

            /// From `low` to `high`, both included.
            #[must_use]
            pub fn between(self, low: impl Into<Value>, high: impl Into<Value>) -> Predicate {
                Predicate::Field(self, Operator::Between(low.into(), high.into()))
            }

            /// One of these values.
            #[must_use]
            pub fn is_in<V: Into<Value>>(self, operands: impl IntoIterator<Item = V>) -> Predicate {
                let operands = operands.into_iter().map(Into::into).collect();
                Predicate::Field(self, Operator::In(operands))
            }
        }
    };
}

comparisons! {
    /// The same value.
    eq => Eq,
    /// Another value.
    ne => Ne,
    /// Less.
    lt => Lt,
    /// Less or the same.
    le => Le,
    /// Greater.
    gt => Gt,
    /// Greater or the same.
    ge => Ge,
    /// Text that begins with this.
    begins_with => BeginsWith,
    /// Text that contains this, or a list with this element.
    contains => Contains,
    /// Neither text that contains this nor a list with this element.
    not_contains => NotContains,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Field;

    fn model() -> Model {
        Model::new("Product", "Products")
            .field(Field::new("id", Scalar::Id).required())
            .field(Field::new("price", Scalar::Float))
            .field(Field::new("tags", Scalar::String).list(false))
    }

    fn check(field: &str, operator: &str, operands: Vec<Value>, expected: bool) {
        let row = Row::new(vec!["flat-white".into(), 4.5.into(), vec!["hot", "milk"].into()]);
        let predicate = Predicate::parse(&model(), field, operator, operands).unwrap();
        assert_eq!(predicate.matches(&row), expected, "{field} {operator}");
        assert_eq!((!predicate).matches(&row), !expected, "not {field} {operator}");
    }

    #[test]
    fn every_operator_means_what_it_says() {
        let n = |number: f64| vec![Value::from(number)];
        check("price", "eq", n(4.5), true);
        check("price", "eq", vec![Value::Null], false);
        check("price", "ne", n(4.5), false);
        check("price", "lt", n(4.5), false);
        check("price", "le", n(4.5), true);
        check("price", "gt", vec![4.into()], true);
        check("price", "ge", n(4.6), false);
        check("price", "lt", vec![Value::Null], false);
        check("price", "between", vec![4.0.into(), 4.5.into()], true);
        check("id", "beginsWith", vec!["flat".into()], true);
        check("id", "contains", vec!["whi".into()], true);
        check("id", "notContains", vec!["WHI".into()], true);
        check("tags", "contains", vec!["milk".into()], true);
        check("tags", "contains", vec!["mil".into()], false);
        check("price", "in", vec![1.0.into(), 4.5.into()], true);
        check("price", "notIn", vec![], true);
    }

    fn check_error(field: &str, operator: &str, operands: Vec<Value>, expected: &str) {
        let error = Predicate::parse(&model(), field, operator, operands).unwrap_err();
        assert_eq!(error.to_string(), expected);
    }

    #[test]
    fn bad_input_is_named() {
        let expected =
            format!("`like` on Product.price is no predicate operator; there are {NAMES}");
        check_error("price", "like", vec![1.0.into()], &expected);
        let expected = "`between` on Product.price takes 2 operand(s), 1 given";
        check_error("price", "between", vec![1.0.into()], expected);
        let expected = "Product.price should be compared by eq with Float, found \"4\"";
        check_error("price", "eq", vec!["4".into()], expected);
        let expected = "`Product` has no field `cost`; it has id, price, tags";
        check_error("cost", "eq", vec![1.0.into()], expected);
    }

    #[test]
    fn groups_of_none() {
        let row = Row::new(vec!["x".into()]);
        assert!(Predicate::And(vec![]).matches(&row));
        assert!(!Predicate::Or(vec![]).matches(&row));
        assert!(Predicate::All.and(FieldId(0).eq("x")).matches(&row));
        assert!(FieldId(0).eq("y").or(FieldId(0).eq("x")).matches(&row));
    }
}
