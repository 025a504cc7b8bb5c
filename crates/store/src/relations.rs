//! The other ends of relations: derived from foreign keys, never stored.
//!
//! A has-one and the relation that belongs back to it may each have a foreign key of their own
//! (contract 1.4), and an app sets only one of them. So where this side's is null, the other
//! side's is asked: both ends then show the same.

use std::ops::Range;
use std::rc::Rc;

use espressync_model::{
    FieldId, Key, ModelId, Predicate, Query, Record, Relation, RelationId, RelationKind, Row,
    Schema, Value,
};

use crate::Store;
use crate::index::Ordered;
use crate::table::{Slot, in_order};

/// The slots of the live records at the other end of a row's relation, in their order.
#[derive(Debug)]
pub(crate) struct Ends {
    one: Option<Slot>,
    many: Option<(Rc<Vec<Slot>>, Range<usize>)>,
}

impl Ends {
    const NONE: Self = Self { one: None, many: None };

    fn of(ordered: Ordered, run: Range<usize>) -> Self {
        Self { one: None, many: Some((ordered.slots, run)) }
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.many.as_ref().map_or(usize::from(self.one.is_some()), |(_, run)| run.len())
    }
}

impl Iterator for Ends {
    type Item = Slot;

    fn next(&mut self) -> Option<Slot> {
        match &mut self.many {
            Some((slots, run)) => run.next().and_then(|position| slots.get(position)).copied(),
            None => self.one.take(),
        }
    }
}

/// The fields of every index that the schema asks for, by model: the declared ones, every foreign
/// key, and keys of several fields.
pub(crate) fn indexes(schema: &Schema, model: ModelId) -> Vec<Vec<FieldId>> {
    let own = schema.model(model);
    let declared = own.indexes.iter().map(|index| index.fields.clone());
    let key = Some(own.key.clone()).filter(|fields| fields.len() > 1);
    let relations = schema.models().flat_map(|(of, other)| {
        other.relations.iter().map(move |relation| (holder(of, relation), relation))
    });
    let foreign = relations.filter(|(holder, _)| *holder == model);
    let foreign = foreign.map(|(_, relation)| relation.fields.clone());
    declared.chain(key).chain(foreign).collect()
}

/// The model that holds a relation's foreign key.
fn holder(of: ModelId, relation: &Relation) -> ModelId {
    if relation.kind.is_held_by_target() { relation.target } else { of }
}

/// The foreign key on the other side by which a has-one or what belongs to one is also known: the
/// only one between the two that no list shares.
pub(crate) fn reciprocal<'a>(
    schema: &'a Schema,
    model: ModelId,
    relation: &Relation,
) -> Option<&'a [FieldId]> {
    let back = match relation.kind {
        RelationKind::HasOne => RelationKind::BelongsTo,
        RelationKind::BelongsTo => RelationKind::HasOne,
        RelationKind::HasMany | RelationKind::HasOneByReference => return None,
    };
    let here = partners(schema, model, relation.kind, relation.target);
    let there = partners(schema, relation.target, back, model);
    match (here.as_slice(), there.as_slice()) {
        ([this], [other]) if this.fields == relation.fields => Some(&other.fields),
        _ => None,
    }
}

/// The relations of a kind from one model to another, without what belongs to a list.
fn partners(schema: &Schema, of: ModelId, kind: RelationKind, to: ModelId) -> Vec<&Relation> {
    let is_of_list = |fields: &[FieldId]| {
        schema.model(to).relations.iter().any(|other| {
            other.kind.is_held_by_target() && other.target == of && other.fields == fields
        })
    };
    let relations = schema.model(of).relations.iter().filter(|relation| {
        relation.kind == kind && relation.target == to && !is_of_list(&relation.fields)
    });
    relations.collect()
}

impl Store {
    /// The records at the other end of a row's relation.
    pub(crate) fn ends(&self, model: ModelId, row: &Row, relation: RelationId) -> Ends {
        let own = self.schema().model(model);
        let relation = own.relation_at(relation);
        let key: Vec<&Value> = own.key.iter().map(|field| row.get(*field)).collect();
        if relation.kind.is_held_by_target() {
            return self.holders(relation.target, &relation.fields, &key);
        }
        let mut foreign = relation.fields.iter().map(|field| row.get(*field));
        match foreign.clone().next() {
            Some(Value::Text(text)) if relation.fields.len() == 1 => {
                Ends { one: self.table(relation.target).live_slot(text), many: None }
            }
            _ if foreign.all(Value::is_null) => {
                let back = reciprocal(self.schema(), model, relation);
                back.map_or(Ends::NONE, |back| self.holders(relation.target, back, &key))
            }
            _ => {
                let key = Key::of(relation.fields.iter().map(|field| row.get(*field)));
                let table = self.table(relation.target);
                Ends { one: key.and_then(|key| table.live_slot(key.as_str())), many: None }
            }
        }
    }

    /// The records of a model whose foreign key is this.
    pub(crate) fn holders(&self, model: ModelId, fields: &[FieldId], key: &[&Value]) -> Ends {
        // Null is no key, and what is not linked is nobody's.
        if key.iter().any(|value| value.is_null()) {
            return Ends::NONE;
        }
        let table = self.table(model);
        let ordered = table.ordered_over(fields);
        let run = ordered.run(table, key, None);
        Ends::of(ordered, run)
    }

    /// Whether a record at the other end of a row's relation matches.
    fn is_related(&self, model: ModelId, row: &Row, id: RelationId, part: &Predicate) -> bool {
        let target = self.schema().model(model).relation_at(id).target;
        let table = self.table(target);
        let mut ends = self.ends(model, row, id);
        if *part == Predicate::All {
            return ends.len() > 0;
        }
        ends.any(|slot| {
            table.record(slot).is_some_and(|record| self.matches(target, part, &record.row))
        })
    }

    /// Whether a row of a model matches a predicate, which may ask for relations.
    #[must_use]
    pub fn matches(&self, model: ModelId, predicate: &Predicate, row: &Row) -> bool {
        let relatives = |row: &Row, relation: RelationId, part: &Predicate| {
            self.is_related(model, row, relation, part)
        };
        predicate.matches_with(row, &relatives)
    }

    /// What a query of the model at the other end leaves of the live records that a row's relation
    /// leads to: at most one but for a has-many. The row need not be stored.
    #[must_use]
    pub fn related(
        &self,
        model: ModelId,
        row: &Row,
        relation: RelationId,
        query: &Query,
    ) -> Vec<&Record> {
        let target = self.schema().model(model).relation_at(relation).target;
        let table = self.table(target);
        let slots = self.search_among(target, query, self.ends(model, row, relation));
        slots.into_iter().filter_map(|slot| table.record(slot)).collect()
    }

    /// How many of the live records that a row's relation leads to match.
    #[must_use]
    pub fn related_count(
        &self,
        model: ModelId,
        row: &Row,
        relation: RelationId,
        predicate: &Predicate,
    ) -> usize {
        let ends = self.ends(model, row, relation);
        if *predicate == Predicate::All {
            return ends.len();
        }
        let target = self.schema().model(model).relation_at(relation).target;
        let table = self.table(target);
        let rows = ends.filter_map(|slot| table.record(slot));
        rows.filter(|record| self.matches(target, predicate, &record.row)).count()
    }

    /// What a query of the last model leaves of the live records that a path of relations leads to
    /// from a row, each once: a many-to-many goes to the model between and on.
    #[must_use]
    pub fn related_along(
        &self,
        model: ModelId,
        row: &Row,
        path: &[RelationId],
        query: &Query,
    ) -> Vec<&Record> {
        let Some((first, path)) = path.split_first() else { return Vec::new() };
        let mut at = self.schema().model(model).relation_at(*first).target;
        let mut slots: Vec<Slot> = self.ends(model, row, *first).collect();
        for relation in path {
            let table = self.table(at);
            let rows = slots.iter().filter_map(|slot| table.record(*slot));
            let ends = rows.flat_map(|record| self.ends(at, &record.row, *relation));
            slots = in_order(ends.collect());
            at = self.schema().model(at).relation_at(*relation).target;
        }
        let table = self.table(at);
        let slots = self.search_among(at, query, slots.into_iter());
        slots.into_iter().filter_map(|slot| table.record(slot)).collect()
    }
}
