//! How a filtered sync reads the base table (contract 4.5): where the filter fixes the value of
//! what an index begins with, through that index and not by walking through everything. Whatever
//! is read is tested by the whole filter afterwards, so a plan may bring more than the filter
//! wants, and must never bring less.

use std::collections::BTreeMap;

use espressync_model::{Direction, FieldId, Key, ModelId, Operator, Predicate, Schema, Value};

use crate::backend::{Range, Walk};
use crate::ways::ways;

/// Where the rows that a filter wants are read.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Plan {
    /// The one record of this key.
    One(Key),
    /// Those that an index leads to.
    Some { walk: Walk, values: Vec<Value> },
    /// All.
    All,
}

impl Plan {
    /// The plan for a filter. Of several ways it takes the one that fixes most.
    pub(super) fn of(schema: &Schema, id: ModelId, predicate: &Predicate) -> Self {
        let mut demands = Demands::default();
        demands.read(predicate);
        let model = schema.model(id);
        let key: Option<Vec<&Value>> = model.key.iter().map(|part| demands.value(*part)).collect();
        if let Some(key) = key.and_then(Key::of) {
            return Self::One(key);
        }
        let plans = ways(schema, id).into_iter().filter_map(|way| {
            let values = way.equal.iter().map(|field| demands.value(*field).cloned());
            let values = values.collect::<Option<Vec<Value>>>()?;
            let range = match way.sort.as_slice() {
                [only] => demands.range(*only),
                // What is joined to one text is ordered otherwise than its parts.
                _ => Range::All,
            };
            let rank = (values.len(), range != Range::All);
            let walk = Walk { way, range, direction: Direction::Ascending };
            Some((rank, Self::Some { walk, values }))
        });
        // The first of the best, so that the plan is the same on every page.
        let best = plans.reduce(|best, next| if next.0 > best.0 { next } else { best });
        best.map_or(Self::All, |(_, plan)| plan)
    }
}

/// What every row that passes must fulfil.
#[derive(Debug, Default)]
struct Demands<'a> {
    operators: BTreeMap<FieldId, Vec<&'a Operator>>,
}

impl<'a> Demands<'a> {
    fn read(&mut self, predicate: &'a Predicate) {
        match predicate {
            Predicate::Field(field, operator) => {
                self.operators.entry(*field).or_default().push(operator);
            }
            Predicate::And(parts) => parts.iter().for_each(|part| self.read(part)),
            Predicate::All | Predicate::Or(_) | Predicate::Not(_) | Predicate::Related(..) => {}
        }
    }

    fn of(&self, field: FieldId) -> impl Iterator<Item = &'a Operator> {
        self.operators.get(&field).into_iter().flatten().copied()
    }

    /// The value that a field must have.
    fn value(&self, field: FieldId) -> Option<&'a Value> {
        self.of(field).find_map(|operator| {
            if let Operator::Eq(value) = operator {
                Some(value).filter(|it| is_key(it))
            } else {
                None
            }
        })
    }

    /// The first condition on a field that an index can hold to.
    fn range(&self, field: FieldId) -> Range {
        let range = self.of(field).find_map(|operator| {
            let one = |value: &Value| vec![value.clone()];
            Some(match operator {
                Operator::Eq(value) if is_key(value) => Range::Eq(one(value)),
                Operator::Lt(value) if is_ordered(value) => Range::Lt(one(value)),
                Operator::Le(value) if is_ordered(value) => Range::Le(one(value)),
                Operator::Gt(value) if is_ordered(value) => Range::Gt(one(value)),
                Operator::Ge(value) if is_ordered(value) => Range::Ge(one(value)),
                Operator::Between(low, high) if is_ordered(low) && is_ordered(high) => {
                    Range::Between(one(low), one(high))
                }
                Operator::BeginsWith(value) if value.as_text().is_some() => {
                    Range::BeginsWith(one(value))
                }
                Operator::Eq(_)
                | Operator::Ne(_)
                | Operator::Lt(_)
                | Operator::Le(_)
                | Operator::Gt(_)
                | Operator::Ge(_)
                | Operator::Between(..)
                | Operator::BeginsWith(_)
                | Operator::Contains(_)
                | Operator::NotContains(_)
                | Operator::In(_)
                | Operator::NotIn(_) => return None,
            })
        });
        range.unwrap_or_default()
    }
}

/// Whether an index finds a value.
fn is_key(value: &Value) -> bool {
    matches!(value, Value::Text(_) | Value::Int(_) | Value::Float(_))
}

/// Whether an index orders everything beside a value as a predicate does. Both order text by the
/// units of its encoding, UTF-8 here and UTF-16 there; beside text of characters below the
/// surrogates the two are one.
fn is_ordered(value: &Value) -> bool {
    is_key(value) && value.as_text().is_none_or(|text| text.chars().all(|each| each < '\u{e000}'))
}

#[cfg(test)]
mod tests {
    use espressync_model::{Field, Model, Scalar};

    use super::*;

    const SHOP: FieldId = FieldId(1);
    const DAY: FieldId = FieldId(2);
    const TILL: FieldId = FieldId(3);

    fn check(predicate: Predicate, expected: &str) {
        let names = ["id", "shop", "day", "till"];
        let visit = names.into_iter().fold(Model::new("Visit", "Visits"), |model, name| {
            model.field(Field::new(name, Scalar::Id))
        });
        let visit = visit
            .index("byShop", vec![SHOP], None)
            .index("byShopAndDay", vec![SHOP, DAY], None)
            .index("byTill", vec![TILL, DAY, SHOP], None);
        let schema = Schema::new(vec![visit]);
        let found = match Plan::of(&schema, ModelId(0), &predicate) {
            Plan::One(key) => format!("one {key}"),
            Plan::All => "all".to_owned(),
            Plan::Some { walk, values } => {
                format!("{} of {values:?}: {:?}", walk.way.name, walk.range)
            }
        };
        assert_eq!(found, expected, "{predicate:?}");
    }

    #[test]
    fn an_index_is_read_where_the_filter_fixes_its_beginning() {
        let shop = || SHOP.eq("berlin");
        let all = "byShop of [Text(\"berlin\")]: All";
        check(FieldId(0).eq("v").and(shop()), "one v");
        check(shop(), all);
        check(DAY.gt("a").and(shop()), "byShopAndDay of [Text(\"berlin\")]: Gt([Text(\"a\")])");
        check(
            Predicate::And(vec![Predicate::And(vec![shop()]), DAY.begins_with("2026-")]),
            "byShopAndDay of [Text(\"berlin\")]: BeginsWith([Text(\"2026-\")])",
        );
        check(
            shop().and(DAY.between("a", "b")),
            "byShopAndDay of [Text(\"berlin\")]: Between([Text(\"a\")], [Text(\"b\")])",
        );
        check(TILL.eq("t").and(DAY.eq("a")), "byTill of [Text(\"t\")]: All");
        check(shop().and(DAY.lt("\u{ff5e}")), all);
        check(shop().and(DAY.ne("a")), all);
    }

    #[test]
    fn everything_is_read_where_it_does_not() {
        check(Predicate::All, "all");
        check(SHOP.eq(Value::Null), "all");
        check(SHOP.eq("a").or(SHOP.eq("b")), "all");
        check(!SHOP.eq("a"), "all");
        check(DAY.eq("a"), "all");
        check(SHOP.begins_with("a"), "all");
    }
}
