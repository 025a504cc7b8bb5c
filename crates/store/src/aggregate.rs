//! Counts, sums and the like, over everything that matches or by groups of it.

use espressync_model::{Aggregate, FieldId, ModelId, Predicate, Query, Row, Value};

use crate::Store;
use crate::index::{compare_rows, sorted, upward};
use crate::table::Slot;

/// What some rows come to that have the same values in the fields by which they are grouped.
#[derive(Debug, Clone, PartialEq)]
pub struct Group {
    /// The values of these fields.
    pub by: Vec<Value>,
    /// What was asked for, in that order.
    pub values: Vec<Value>,
}

impl Store {
    /// What the live records that match come to: one group of all without fields to group by,
    /// else one for each of their values, in the order of these, null first.
    #[must_use]
    pub fn aggregate(
        &self,
        model: ModelId,
        predicate: &Predicate,
        by: &[FieldId],
        aggregates: &[Aggregate],
    ) -> Vec<Group> {
        let slots = self.search(model, &Query::filter(predicate.clone()));
        if by.is_empty() {
            return vec![self.group(model, &slots, by, aggregates)];
        }
        let (table, keys) = (self.table(model), upward(by));
        let slots = sorted(table, &keys, slots);
        let groups = slots.chunk_by(|a, b| compare_rows(table, &keys, *a, *b).is_eq());
        groups.map(|slots| self.group(model, slots, by, aggregates)).collect()
    }

    fn group(
        &self,
        model: ModelId,
        slots: &[Slot],
        by: &[FieldId],
        aggregates: &[Aggregate],
    ) -> Group {
        let table = self.table(model);
        let row = |slot: &Slot| table.record(*slot).map(|record| &record.row);
        let first: Option<&Row> = slots.first().and_then(row);
        let by = first.map(|row| by.iter().map(|field| row.get(*field).clone()).collect());
        let values = aggregates.iter().map(|aggregate| match aggregate.field() {
            Some(field) => aggregate.of(slots.iter().filter_map(row).map(|row| row.get(field))),
            None => aggregate.of(slots.iter().map(|_| &Value::Null)),
        });
        Group { by: by.unwrap_or_default(), values: values.collect() }
    }
}
