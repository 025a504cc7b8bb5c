use std::cmp::Ordering;

use crate::predicate::check_field;
use crate::query::check_sort;
use crate::{BaseType, FieldId, Model, ModelError, Scalar, Value};

/// What is computed of many rows. Null counts for nothing but [`Aggregate::Count`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Aggregate {
    /// How many rows.
    Count,
    /// The sum of a field of numbers; 0 of none. Integers are summed exactly, and become a float
    /// only beyond 64 bits.
    Sum(FieldId),
    /// The sum by the count of values; null of none.
    Average(FieldId),
    /// The least value in the order of sorts; null of none.
    Min(FieldId),
    /// The greatest; null of none.
    Max(FieldId),
}

/// The aggregates by name, for error messages.
const NAMES: &str = "count, sum, average, min, max";

impl Aggregate {
    /// Reads an aggregate by names, as dynamic callers give it: `("sum", "total")`; the field of
    /// `count` is ignored.
    ///
    /// # Errors
    /// [`ModelError::UnknownAggregate`], [`ModelError::UnknownField`], and as
    /// [`Aggregate::check`].
    pub fn parse(model: &Model, name: &str, field: &str) -> Result<Self, ModelError> {
        let of: fn(FieldId) -> Self = match name {
            "count" => return Ok(Self::Count),
            "sum" => Self::Sum,
            "average" => Self::Average,
            "min" => Self::Min,
            "max" => Self::Max,
            _ => {
                let (model, aggregate) = (model.name.clone(), name.to_owned());
                return Err(ModelError::UnknownAggregate { model, aggregate, known: NAMES });
            }
        };
        let aggregate = of(model.field_named(field)?);
        aggregate.check(model).map(|()| aggregate)
    }

    /// Refuses a field that the model has not, and one whose values cannot be so aggregated.
    ///
    /// # Errors
    /// [`ModelError::UnknownField`], [`ModelError::NoNumber`], [`ModelError::NoOrder`].
    pub fn check(self, model: &Model) -> Result<(), ModelError> {
        match self {
            Self::Count => Ok(()),
            Self::Min(field) | Self::Max(field) => check_sort(model, field),
            Self::Sum(id) | Self::Average(id) => {
                check_field(model, id)?;
                let field = model.at(id);
                let found = match field.base {
                    BaseType::Scalar(Scalar::Int | Scalar::Float | Scalar::AwsTimestamp)
                        if !field.is_list =>
                    {
                        return Ok(());
                    }
                    BaseType::Scalar(scalar) if !field.is_list => scalar.name(),
                    BaseType::Enum(_) if !field.is_list => "an enum",
                    BaseType::Scalar(_) | BaseType::Enum(_) | BaseType::Object(_) => {
                        "a list or an object"
                    }
                };
                let (model, field) = (model.name.clone(), field.name.clone());
                Err(ModelError::NoNumber { model, field, found: found.to_owned() })
            }
        }
    }

    /// The field that is looked at.
    #[must_use]
    pub fn field(self) -> Option<FieldId> {
        match self {
            Self::Count => None,
            Self::Sum(field) | Self::Average(field) | Self::Min(field) | Self::Max(field) => {
                Some(field)
            }
        }
    }

    /// What comes of the rows' values of [its field](Self::field): of as many nulls as there are
    /// rows for [`Aggregate::Count`].
    #[must_use]
    pub fn of<'a>(self, values: impl Iterator<Item = &'a Value>) -> Value {
        match self {
            Self::Count => Value::Int(i64::try_from(values.count()).unwrap_or(i64::MAX)),
            Self::Sum(_) => Sum::of(values).whole(),
            Self::Average(_) => Sum::of(values).average(),
            Self::Min(_) => found(values.fold(None, |a, b| best(Ordering::Less, a, b))),
            Self::Max(_) => found(values.fold(None, |a, b| best(Ordering::Greater, a, b))),
        }
    }
}

/// The value that stands so to the other; null stands to none.
fn best<'a>(wanted: Ordering, best: Option<&'a Value>, next: &'a Value) -> Option<&'a Value> {
    match best {
        best if next.is_null() => best,
        Some(best) if next.sort_order(best) != wanted => Some(best),
        Some(_) | None => Some(next),
    }
}

fn found(value: Option<&Value>) -> Value {
    value.cloned().unwrap_or_default()
}

/// A sum on its way.
#[derive(Default)]
struct Sum {
    count: u32,
    /// All integers, while they fit.
    integers: i64,
    is_integer: bool,
    floats: f64,
    /// What rounding has taken from `floats` (Neumaier): 0.1 ten times is 1.
    lost: f64,
}

impl Sum {
    fn of<'a>(values: impl Iterator<Item = &'a Value>) -> Self {
        let mut sum = Self { is_integer: true, ..Self::default() };
        values.for_each(|value| sum.add(value));
        sum
    }

    fn add(&mut self, value: &Value) {
        let Some(number) = value.as_number() else { return };
        self.count += 1;
        if let Value::Int(integer) = value
            && let Some(next) = self.integers.checked_add(*integer)
        {
            self.integers = next;
            return;
        }
        self.is_integer = false;
        let next = self.floats + number;
        self.lost += if self.floats.abs() >= number.abs() {
            (self.floats - next) + number
        } else {
            (number - next) + self.floats
        };
        self.floats = next;
    }

    fn whole(&self) -> Value {
        if self.is_integer { Value::Int(self.integers) } else { Value::Float(self.number()) }
    }

    fn number(&self) -> f64 {
        let integers = Value::Int(self.integers).as_number().unwrap_or_default();
        // An infinite sum has lost nothing that could be told.
        let lost = if self.lost.is_finite() { self.lost } else { 0.0 };
        self.floats + lost + integers
    }

    fn average(&self) -> Value {
        if self.count == 0 {
            Value::Null
        } else {
            Value::Float(self.number() / f64::from(self.count))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Field;

    const FIELD: FieldId = FieldId(0);

    fn check(aggregate: Aggregate, values: &[Value], expected: impl Into<Value>) {
        assert_eq!(aggregate.of(values.iter()), expected.into(), "{aggregate:?} of {values:?}");
    }

    #[test]
    fn null_counts_for_nothing_but_the_count() {
        let mixed = [Value::Null, 2.into(), Value::Null, 5.into()];
        check(Aggregate::Count, &mixed, 4);
        check(Aggregate::Sum(FIELD), &mixed, 7);
        check(Aggregate::Average(FIELD), &mixed, 3.5);
        check(Aggregate::Min(FIELD), &mixed, 2);
        check(Aggregate::Max(FIELD), &mixed, 5);
        let none = [Value::Null];
        check(Aggregate::Sum(FIELD), &none, 0);
        check(Aggregate::Average(FIELD), &none, Value::Null);
        check(Aggregate::Min(FIELD), &none, Value::Null);
        check(Aggregate::Max(FIELD), &[], Value::Null);
        check(Aggregate::Max(FIELD), &["b".into(), "a".into()], "b");
    }

    #[test]
    fn sums_are_as_exact_as_can_be() {
        let tenths = vec![Value::from(0.1); 10];
        check(Aggregate::Sum(FIELD), &tenths, 1.0);
        let large = [1e100.into(), 1.0.into(), Value::from(-1e100)];
        check(Aggregate::Sum(FIELD), &large, 1.0);
        check(Aggregate::Sum(FIELD), &[i64::MAX.into(), (-1).into()], i64::MAX - 1);
        check(Aggregate::Sum(FIELD), &[i64::MAX.into(), 1.into()], 9_223_372_036_854_775_808.0);
        check(Aggregate::Sum(FIELD), &[f64::MAX.into(), f64::MAX.into()], f64::INFINITY);
        check(Aggregate::Sum(FIELD), &[1.into(), 0.5.into()], 1.5);
    }

    #[test]
    fn what_has_no_sum_is_named() {
        let model = Model::new("Cup", "Cups")
            .field(Field::new("name", Scalar::String))
            .field(Field::new("sizes", Scalar::Int).list(true));
        let check = |name: &str, field: &str, expected: &str| {
            let error = Aggregate::parse(&model, name, field).unwrap_err();
            assert_eq!(error.to_string(), expected);
        };
        let expected = "Cup.name is String; only numbers have a sum or an average";
        check("sum", "name", expected);
        let expected = "Cup.sizes is a list or an object; only numbers have a sum or an average";
        check("average", "sizes", expected);
        check("min", "sizes", "Cup.sizes is a list or an object, which has no order");
        check("max", "price", "`Cup` has no field `price`; it has name, sizes");
        let expected = "`median` of `Cup` is no aggregate; there are count, sum, average, min, max";
        check("median", "name", expected);
        assert_eq!(Aggregate::parse(&model, "count", ""), Ok(Aggregate::Count));
    }
}
