//! What queries mean, written as plainly as can be: every answer is a scan.

use std::cmp::Ordering;

use espressync_model::{
    Direction, FieldId, Key, ModelId, Operator, Predicate, Query, Record, Relation, RelationKind,
    Row, Schema, Sort, Value,
};

use crate::shop::Change;

/// Records in the order in which their keys were first seen.
pub(crate) struct Naive {
    pub(crate) schema: Schema,
    records: Vec<(ModelId, Key, Record)>,
}

impl Naive {
    pub(crate) fn new(schema: Schema) -> Self {
        Self { schema, records: Vec::new() }
    }

    pub(crate) fn apply(&mut self, (model, key, record): Change) {
        let known = self.records.iter().position(|(of, other, _)| (*of, other) == (model, &key));
        match (known, record) {
            (Some(at), Some(record)) => self.records[at].2 = record,
            (Some(at), None) => {
                self.records.remove(at);
            }
            (None, Some(record)) => self.records.push((model, key, record)),
            (None, None) => {}
        }
    }

    pub(crate) fn live(&self, model: ModelId) -> impl Iterator<Item = (&Key, &Row)> {
        let live =
            self.records.iter().filter(move |(of, _, record)| *of == model && !record.meta.deleted);
        live.map(|(_, key, record)| (key, &record.row))
    }

    pub(crate) fn query(&self, model: ModelId, query: &Query) -> Vec<&Key> {
        let mut found: Vec<(&Key, &Row)> = self
            .live(model)
            .filter(|(_, row)| self.matches(model, row, &query.predicate))
            .collect();
        found.sort_by(|a, b| order(&query.sort, a.1, b.1));
        let keys = found.into_iter().map(|(key, _)| key);
        match query.page {
            Some(page) => keys.skip(page.number * page.limit).take(page.limit).collect(),
            None => keys.collect(),
        }
    }

    pub(crate) fn matches(&self, model: ModelId, row: &Row, predicate: &Predicate) -> bool {
        match predicate {
            Predicate::All => true,
            Predicate::Field(field, operator) => compares(row.get(*field), operator),
            Predicate::And(parts) => parts.iter().all(|part| self.matches(model, row, part)),
            Predicate::Or(parts) => parts.iter().any(|part| self.matches(model, row, part)),
            Predicate::Not(part) => !self.matches(model, row, part),
            Predicate::Related(relation, part) => {
                let relation = self.schema.model(model).relation_at(*relation);
                let ends = self.ends(model, row, relation);
                ends.iter().any(|(_, end)| self.matches(relation.target, end, part))
            }
        }
    }

    pub(crate) fn ends(&self, model: ModelId, row: &Row, relation: &Relation) -> Vec<(&Key, &Row)> {
        let (here, there) = (self.schema.model(model), self.schema.model(relation.target));
        let values = |row: &Row, fields: &[FieldId]| -> Vec<Value> {
            fields.iter().map(|field| row.get(*field).clone()).collect()
        };
        let own = values(row, &here.key);
        let foreign = values(row, &relation.fields);
        let is_end = |end: &Row| match relation.kind {
            RelationKind::HasMany | RelationKind::HasOneByReference => {
                values(end, &relation.fields) == own
            }
            // Orders and invoices each have a key for the other.
            RelationKind::HasOne if foreign[0].is_null() => values(end, &[FieldId(2)]) == own,
            RelationKind::BelongsTo if here.name == "Invoice" && foreign[0].is_null() => {
                values(end, &[FieldId(8)]) == own
            }
            RelationKind::HasOne | RelationKind::BelongsTo => values(end, &there.key) == foreign,
        };
        self.live(relation.target).filter(|(_, end)| is_end(end)).collect()
    }
}

fn units(value: &Value) -> Option<Vec<u16>> {
    value.as_text().map(|text| text.encode_utf16().collect())
}

/// The order of two values that have one.
fn compare(a: &Value, b: &Value) -> Option<Ordering> {
    match (a, b) {
        (Value::Bool(a), Value::Bool(b)) => Some(a.cmp(b)),
        (Value::Text(_), Value::Text(_)) => Some(units(a).cmp(&units(b))),
        _ => a.as_number()?.partial_cmp(&b.as_number()?),
    }
}

fn order(sort: &[Sort], a: &Row, b: &Row) -> Ordering {
    for key in sort {
        let (left, right) = (a.get(key.field), b.get(key.field));
        let order = match (left.is_null(), right.is_null()) {
            (false, false) => compare(left, right).expect("one kind"),
            (left, right) => right.cmp(&left),
        };
        match key.direction {
            _ if order.is_eq() => {}
            Direction::Ascending => return order,
            Direction::Descending => return order.reverse(),
        }
    }
    Ordering::Equal
}

fn is(a: &Value, b: &Value) -> bool {
    a == b || compare(a, b) == Some(Ordering::Equal)
}

fn compares(value: &Value, operator: &Operator) -> bool {
    let ordered = |other: &Value, wanted: &[Ordering]| {
        compare(value, other).is_some_and(|order| wanted.contains(&order))
    };
    let contains = |part: &Value| match (value, part) {
        (Value::List(all), part) => all.iter().any(|one| is(one, part)),
        (Value::Text(text), Value::Text(part)) => text.contains(&**part),
        _ => false,
    };
    match operator {
        Operator::Eq(other) => is(value, other),
        Operator::Ne(other) => !is(value, other),
        Operator::Lt(other) => ordered(other, &[Ordering::Less]),
        Operator::Le(other) => ordered(other, &[Ordering::Less, Ordering::Equal]),
        Operator::Gt(other) => ordered(other, &[Ordering::Greater]),
        Operator::Ge(other) => ordered(other, &[Ordering::Greater, Ordering::Equal]),
        Operator::Between(low, high) => {
            ordered(low, &[Ordering::Greater, Ordering::Equal])
                && ordered(high, &[Ordering::Less, Ordering::Equal])
        }
        Operator::BeginsWith(part) => {
            units(value).zip(units(part)).is_some_and(|(text, part)| text.starts_with(&part))
        }
        Operator::Contains(part) => contains(part),
        Operator::NotContains(part) => !contains(part),
        Operator::In(others) => others.iter().any(|other| is(value, other)),
        Operator::NotIn(others) => !others.iter().any(|other| is(value, other)),
    }
}
