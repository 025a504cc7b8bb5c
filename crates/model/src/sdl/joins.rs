//! `@manyToMany` (contract 1.4): a model between the two, of which both have many.

use std::collections::BTreeMap;

use super::keys::{DraftIndex, default_name};
use super::models::Draft;
use super::names::lower_first;
use super::relations::{DraftRelation, Form, Place, camel, foreign, places};
use super::{Names, Problems, Result, SdlCause, problem};
use crate::{Field, ModelId, RelationKind, Scalar};

/// Adds the model of every `@manyToMany`, and makes its two ends has-manys of it.
pub(super) fn add(drafts: &mut Vec<Draft>, names: &Names, to: &mut Problems) {
    let mut relations: BTreeMap<String, Vec<Place>> = BTreeMap::new();
    for place in places(drafts) {
        if let Form::Join { relation } = &place.of(drafts).form {
            relations.entry(relation.clone()).or_default().push(place);
        }
    }
    for (name, ends) in relations {
        if let Some((left, right)) = to.keep(check(&name, &ends, drafts, names)) {
            let added = join(name, [left, right], drafts);
            to.keep(added);
        }
    }
}

/// The two ends, if they can be joined.
fn check(name: &str, ends: &[Place], drafts: &[Draft], names: &Names) -> Result<(Place, Place)> {
    let [left, right] = ends else {
        let first = ends.first().copied().unwrap_or(Place { model: 0, relation: 0 });
        let message = format!("is one of {} with the `relationName` \"{name}\"", ends.len());
        return first.bad(drafts, message + ", which should be on two fields: one in each model");
    };
    if left.model == right.model {
        let message = "joins a model with itself; write a model for it, with two @belongsTo";
        return right.bad(drafts, message);
    }
    for (one, other) in [(left, right), (right, left)] {
        if one.of(drafts).target.index() != other.model {
            let expected = &drafts[other.model].name;
            let message =
                format!("should be of type [{expected}], where the relation's other end is");
            return one.bad(drafts, message);
        }
    }
    if names.get(name).is_some() {
        return problem(left.of(drafts).at, SdlCause::Duplicate(name.to_owned()));
    }
    Ok((*left, *right))
}

fn join(name: String, ends: [Place; 2], drafts: &mut Vec<Draft>) -> Result<()> {
    let mut model = Draft::new(name, ends[0].of(drafts).at);
    model.fields.push(Field::new("id", Scalar::Id).required());
    let keys = ends.map(|end| {
        let side = &drafts[end.model];
        let fields = foreign_key(side);
        let names: Vec<String> = fields.iter().map(|field| field.name.clone()).collect();
        model.fields.extend(fields);
        let index = DraftIndex {
            name: format!("by{}", side.name),
            query_field: Some(default_name(&model.plural, &names)),
            fields: names.clone(),
        };
        model.indexes.push(index);
        model.rules.extend(side.rules.iter().cloned());
        names
    });
    for (end, names) in ends.into_iter().zip(&keys) {
        model.relations.push(DraftRelation {
            name: lower_first(&drafts[end.model].name),
            kind: RelationKind::BelongsTo,
            target: id(end.model),
            resolved: Vec::new(),
            names: names.clone(),
            is_required: true,
            form: Form::Settled,
            limit: None,
            at: end.of(drafts).at,
        });
    }
    model.complete()?;
    for (end, names) in ends.into_iter().zip(keys) {
        let target = id(drafts.len());
        let relation = end.of_mut(drafts);
        (relation.target, relation.names, relation.form) = (target, names, Form::Settled);
    }
    drafts.push(model);
    Ok(())
}

/// `postId` and, for every sort key, `post` with the key's name as it is.
fn foreign_key(side: &Draft) -> Vec<Field> {
    let key = side.key.iter().filter_map(|part| side.field(part));
    let fields = key.enumerate().map(|(position, part)| {
        let name = match position {
            0 => camel(&[&side.name, &part.name]),
            _ => lower_first(&side.name) + &part.name,
        };
        foreign(part, name, true)
    });
    fields.collect()
}

fn id(position: usize) -> ModelId {
    ModelId(u16::try_from(position).unwrap_or(u16::MAX))
}
