use std::cmp::Ordering;

use crate::{FieldId, Predicate, Value};

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
pub(crate) const NAMES: &str =
    "eq, ne, lt, le, gt, ge, between, beginsWith, contains, notContains, in, notIn";

impl Operator {
    /// The name in dynamic calls, and the operands.
    pub(crate) fn parts(&self) -> (&'static str, Vec<Value>) {
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
