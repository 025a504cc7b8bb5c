//! Whose answer to a predicate through relations a change of another record may turn.

use std::collections::BTreeSet;

use espressync_model::{Key, ModelId, Predicate, Relation, RelationKind, Row, Value};

use crate::relations::reciprocal;
use crate::{Applied, Store};

impl Store {
    /// The keys of a model's records for which a predicate may have another answer since a record
    /// at the other end of a relation changed. Changes of the records themselves are not looked
    /// at. As much is read as there are such records, not as the model has.
    #[must_use]
    pub fn affected(
        &self,
        model: ModelId,
        predicate: &Predicate,
        change: &Applied,
    ) -> BTreeSet<Key> {
        let mut keys = BTreeSet::new();
        self.collect(model, predicate, change, &mut keys);
        keys
    }

    fn collect(
        &self,
        model: ModelId,
        predicate: &Predicate,
        change: &Applied,
        keys: &mut BTreeSet<Key>,
    ) {
        match predicate {
            Predicate::All | Predicate::Field(..) => {}
            Predicate::And(parts) | Predicate::Or(parts) => {
                parts.iter().for_each(|part| self.collect(model, part, change, keys));
            }
            Predicate::Not(part) => self.collect(model, part, change, keys),
            Predicate::Related(relation, part) => {
                let relation = self.schema().model(model).relation_at(*relation);
                if change.model == relation.target {
                    let rows = [&change.before, &change.after].into_iter().flatten();
                    rows.for_each(|record| self.sources(model, relation, &record.row, keys));
                }
                for key in self.affected(relation.target, part, change) {
                    if let Some(record) = self.record(relation.target, &key) {
                        self.sources(model, relation, &record.row, keys);
                    }
                }
            }
        }
    }

    /// The records from which a relation leads to a row of its target.
    fn sources(&self, model: ModelId, relation: &Relation, row: &Row, keys: &mut BTreeSet<Key>) {
        let holds = |fields: &[espressync_model::FieldId]| {
            Key::of(fields.iter().map(|field| row.get(*field)))
        };
        match relation.kind {
            RelationKind::HasMany | RelationKind::HasOneByReference => {
                keys.extend(holds(&relation.fields));
            }
            RelationKind::HasOne | RelationKind::BelongsTo => {
                let target = self.schema().model(relation.target);
                let values: Vec<&Value> = target.key.iter().map(|field| row.get(*field)).collect();
                let table = self.table(model);
                let found = self.holders(model, &relation.fields, &values);
                keys.extend(found.filter_map(|slot| table.key(slot).cloned()));
                if let Some(back) = reciprocal(self.schema(), model, relation) {
                    keys.extend(holds(back));
                }
            }
        }
    }
}
