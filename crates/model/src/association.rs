use crate::{Model, Relation, RelationKind, Schema};

/// What DataStore's introspection says of a relation (contract 7): the two ends by field names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Association {
    /// The relation's kind.
    pub kind: RelationKind,
    /// The other end: for a has-many the target's field that belongs here, or its foreign key;
    /// for a has-one the target's key. None for what belongs.
    pub associated_with: Vec<String>,
    /// The foreign key, where this model holds it.
    pub target_names: Vec<String>,
}

impl Schema {
    /// The association of a model's relation.
    #[must_use]
    pub fn association(&self, model: &Model, relation: &Relation) -> Association {
        let target = self.model(relation.target);
        let names = |of: &Model, fields: &[crate::FieldId]| {
            fields.iter().map(|field| of.at(*field).name.clone()).collect::<Vec<_>>()
        };
        let (associated_with, target_names) = match relation.kind {
            RelationKind::HasMany | RelationKind::HasOneByReference => {
                let back =
                    target.relations.iter().find(|other| self.is_back(model, relation, other));
                let with = match back {
                    Some(back) => vec![back.name.clone()],
                    None => names(target, &relation.fields),
                };
                (with, Vec::new())
            }
            RelationKind::HasOne => (names(target, &target.key), names(model, &relation.fields)),
            RelationKind::BelongsTo => (Vec::new(), names(model, &relation.fields)),
        };
        Association { kind: relation.kind, associated_with, target_names }
    }

    /// Whether another relation is the same seen from the target, which holds its key.
    fn is_back(&self, model: &Model, relation: &Relation, other: &Relation) -> bool {
        other.kind == RelationKind::BelongsTo
            && other.fields == relation.fields
            && self.model(other.target).name == model.name
    }
}
