use std::collections::BTreeSet;

use espressync_model::{Key, Model, ModelId, RelationKind, Value};
use espressync_store::{Pending, Store};

/// A record's place: its model and key.
pub(crate) type Place = (ModelId, Key);

/// The next entries to send in one request, at most `limit`, in the order in which they were
/// made. Left out are records in flight, entries set aside, and those that point at a record whose
/// create has not been acknowledged, unless that create goes ahead of them in the same request.
/// A suspect goes alone.
pub(crate) fn next(
    store: &Store,
    in_flight: &BTreeSet<Place>,
    suspects: &BTreeSet<Place>,
    limit: usize,
) -> Vec<Place> {
    let mut chosen = BTreeSet::new();
    let mut batch = Vec::new();
    for (model, key, pending) in store.outbox().iter() {
        if batch.len() == limit {
            break;
        }
        let place = (model, key.clone());
        if pending.rejection.is_some() || in_flight.contains(&place) {
            continue;
        }
        let waits = parents(store, model, pending).any(|parent| !chosen.contains(&parent));
        if waits {
            continue;
        }
        let is_suspect = suspects.contains(&place);
        if is_suspect && !batch.is_empty() {
            break;
        }
        chosen.insert(place.clone());
        batch.push(place);
        if is_suspect {
            break;
        }
    }
    batch
}

/// The records that an entry's foreign keys point at, whose own creates were made before it and
/// are not acknowledged. Those made after it do not count: so a circle cannot wait for itself.
fn parents<'s>(
    store: &'s Store,
    model: ModelId,
    pending: &'s Pending,
) -> impl Iterator<Item = Place> + 's {
    let definition: &Model = store.schema().model(model);
    let relations = definition.relations.iter().filter(|relation| match relation.kind {
        RelationKind::BelongsTo | RelationKind::HasOne => true,
        RelationKind::HasMany | RelationKind::HasOneByReference => false,
    });
    relations.filter_map(move |relation| {
        let values: Option<Vec<&Value>> = relation
            .fields
            .iter()
            .map(|field| pending.fields.get(field).map(|waits| &waits.value))
            .collect();
        let key = Key::of(values?)?;
        let parent = store.outbox().get(relation.target, &key)?;
        let is_ahead = parent.base.is_none() && parent.sequence < pending.sequence;
        is_ahead.then_some((relation.target, key))
    })
}
