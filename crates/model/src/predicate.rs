use crate::operator::{NAMES, Operator};
use crate::{FieldId, Model, ModelError, ModelId, RelationId, Row, Schema, Value, operands};

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
    /// Matches when a record at the other end does: some of a has-many, the one of the others.
    /// Where there is none, nothing matches. Only queries can ask this, as only a store knows
    /// other records; [`Predicate::check`] refuses it elsewhere.
    Related(RelationId, Box<Predicate>),
}

/// Says whether a record at the other end of a row's relation matches a predicate of its model.
pub type Relatives<'a> = dyn Fn(&Row, RelationId, &Predicate) -> bool + 'a;

/// How deep predicates may lie in one another, so that none exhausts the stack.
const MAX_DEPTH: usize = 64;

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
        let operands = operands::check_given(model, id, operator, operands)?;
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

    /// Reads one comparison of a field of this model or of one that relations lead to, as dynamic
    /// callers give it: `("lineItems.product.name", "eq", ["Mocha"])`.
    ///
    /// # Errors
    /// As [`Predicate::parse`], and [`ModelError::UnknownRelation`].
    pub fn parse_path(
        schema: &Schema,
        model: ModelId,
        path: &str,
        operator: &str,
        operands: Vec<Value>,
    ) -> Result<Self, ModelError> {
        let mut relations = Vec::new();
        let (mut model, mut rest) = (schema.model(model), path);
        while let Some((name, further)) = rest.split_once('.') {
            let relation = model.relation_named(name)?;
            relations.push(relation);
            model = schema.model(model.relation_at(relation).target);
            rest = further;
        }
        let parsed = Self::parse(model, rest, operator, operands)?;
        Ok(relations.into_iter().rev().fold(parsed, |part, relation| relation.matches(part)))
    }

    /// Asks that a record at the other end of a relation, given by name, matches.
    ///
    /// # Errors
    /// [`ModelError::UnknownRelation`].
    pub fn related(model: &Model, relation: &str, part: Self) -> Result<Self, ModelError> {
        model.relation_named(relation).map(|relation| relation.matches(part))
    }

    /// Refuses what a condition or a filter of one model cannot ask: fields that the model has
    /// not, operands of another type than their field's, and other models' records.
    ///
    /// # Errors
    /// [`ModelError::UnknownField`], [`ModelError::WrongType`], [`ModelError::RelationAsked`],
    /// [`ModelError::TooDeep`].
    pub fn check(&self, model: &Model) -> Result<(), ModelError> {
        self.check_at(None, model, 0)
    }

    /// Refuses what a query cannot ask: as [`Predicate::check`], but relations may be asked.
    ///
    /// # Errors
    /// As [`Predicate::check`], and [`ModelError::UnknownRelation`].
    pub fn check_in(&self, schema: &Schema, model: &Model) -> Result<(), ModelError> {
        self.check_at(Some(schema), model, 0)
    }

    fn check_at(
        &self,
        schema: Option<&Schema>,
        model: &Model,
        depth: usize,
    ) -> Result<(), ModelError> {
        if depth > MAX_DEPTH {
            return Err(ModelError::TooDeep { model: model.name.clone(), most: MAX_DEPTH });
        }
        match self {
            Self::All => Ok(()),
            Self::Field(field, operator) => {
                check_field(model, *field)?;
                operands::check_all(schema, model, model.at(*field), operator)
            }
            Self::And(parts) | Self::Or(parts) => {
                parts.iter().try_for_each(|part| part.check_at(schema, model, depth + 1))
            }
            Self::Not(part) => part.check_at(schema, model, depth + 1),
            Self::Related(relation, part) => {
                model.check_relation(*relation)?;
                let relation = model.relation_at(*relation);
                let Some(schema) = schema else {
                    return Err(ModelError::RelationAsked {
                        model: model.name.clone(),
                        relation: relation.name.clone(),
                    });
                };
                part.check_at(Some(schema), schema.model(relation.target), depth + 1)
            }
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
            first @ (Self::Field(..) | Self::Or(_) | Self::Not(_) | Self::Related(..)) => {
                Self::And(vec![first, other])
            }
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
            first @ (Self::All
            | Self::Field(..)
            | Self::And(_)
            | Self::Not(_)
            | Self::Related(..)) => Self::Or(vec![first, other]),
        }
    }

    /// Whether a row matches a predicate that asks for no relation, as [`Predicate::check`] sees
    /// to; one that does finds no record at the other end.
    #[must_use]
    pub fn matches(&self, row: &Row) -> bool {
        self.matches_with(row, &|_, _, _| false)
    }

    /// Whether some part leads to other records.
    #[must_use]
    pub fn asks_relations(&self) -> bool {
        match self {
            Self::All | Self::Field(..) => false,
            Self::And(parts) | Self::Or(parts) => parts.iter().any(Self::asks_relations),
            Self::Not(part) => part.asks_relations(),
            Self::Related(..) => true,
        }
    }

    /// Whether a row matches, where `relatives` knows the records at the other ends.
    #[must_use]
    pub fn matches_with(&self, row: &Row, relatives: &Relatives<'_>) -> bool {
        match self {
            Self::All => true,
            Self::Field(field, operator) => operator.matches(row.get(*field)),
            Self::And(parts) => parts.iter().all(|part| part.matches_with(row, relatives)),
            Self::Or(parts) => parts.iter().any(|part| part.matches_with(row, relatives)),
            Self::Not(part) => !part.matches_with(row, relatives),
            Self::Related(relation, part) => relatives(row, *relation, part),
        }
    }
}

impl RelationId {
    /// Some record at the other end matches this.
    #[must_use]
    pub fn matches(self, part: Predicate) -> Predicate {
        Predicate::Related(self, Box::new(part))
    }

    /// There is a record at the other end.
    #[must_use]
    pub fn exists(self) -> Predicate {
        self.matches(Predicate::All)
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Field, FieldId, RelationKind, Scalar};

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

    /// Orders of many lines, each of one order.
    fn sales() -> Schema {
        let (order, line) = (ModelId(0), ModelId(1));
        Schema::new(vec![
            Model::new("Order", "Orders")
                .field(Field::new("id", Scalar::Id).required())
                .field(Field::new("total", Scalar::Float))
                .relation("lines", RelationKind::HasMany, line, vec![FieldId(1)]),
            Model::new("Line", "Lines")
                .field(Field::new("id", Scalar::Id).required())
                .field(Field::new("orderId", Scalar::Id))
                .field(Field::new("quantity", Scalar::Int))
                .relation("order", RelationKind::BelongsTo, order, vec![FieldId(1)]),
        ])
    }

    #[test]
    fn a_path_of_names_leads_through_relations() {
        let (lines, order) = (RelationId(0), RelationId(0));
        let check = |path: &str, expected: Predicate| {
            let parsed = Predicate::parse_path(&sales(), ModelId(0), path, "gt", vec![2.into()]);
            assert_eq!(parsed, Ok(expected), "{path}");
        };
        check("total", FieldId(1).gt(2));
        check("lines.quantity", lines.matches(FieldId(2).gt(2)));
        check("lines.order.total", lines.matches(order.matches(FieldId(1).gt(2))));
        let sales = sales();
        let named = Predicate::related(sales.model(ModelId(0)), "lines", Predicate::All);
        assert_eq!(named, Ok(lines.exists()));
    }

    #[test]
    fn what_a_predicate_cannot_ask_is_named() {
        let sales = sales();
        let model = sales.model(ModelId(0));
        let check = |predicate: Predicate, in_query: &str, in_condition: &str| {
            let said = |checked: Result<(), ModelError>| {
                checked.err().map(|error| error.to_string()).unwrap_or_default()
            };
            assert_eq!(said(predicate.check_in(&sales, model)), in_query);
            assert_eq!(said(predicate.check(model)), in_condition);
        };
        let refused = "Order.lines leads to other records, for which only queries can ask; use \
                       fields of `Order`";
        check(RelationId(0).matches(FieldId(2).gt(2)), "", refused);
        let unknown = "`Order` has no relation `number 7`; it has lines";
        check(!RelationId(7).exists(), unknown, unknown);
        let unknown = "`Line` has no field `number 9`; it has id, orderId, quantity";
        check(RelationId(0).matches(FieldId(9).eq(2)), unknown, refused);
        let deep = |levels: usize| (0..levels).fold(FieldId(1).eq(2), |part, _| !part);
        check(deep(MAX_DEPTH), "", "");
        let too_deep = "a predicate on `Order` lies more than 64 levels deep; flatten its groups";
        check(deep(MAX_DEPTH + 1), too_deep, too_deep);
        let none = Predicate::related(&Model::new("Tag", "Tags"), "posts", Predicate::All);
        let expected = "`Tag` has no relation `posts`; it has none";
        assert_eq!(none.unwrap_err().to_string(), expected);
    }
}
