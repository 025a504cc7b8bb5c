//! How a model's records are found other than by walking through all of them: by its own key, by
//! its indexes, and by the foreign keys through which others have many of it (contract 1.5).
//!
//! DynamoDB leaves a record without a value to sort by out of an index. Here nothing that is
//! stored is hidden: such a record comes first, unless a condition on what it lacks leaves it out.

use espressync_model::{FieldId, Index, Model, ModelId, Relation, Schema};

/// The name of the primary key among the ways.
const PRIMARY: &str = "Primary";

/// The records that hold given values in some fields, in the order of some others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Way {
    /// `Primary`, the index's name, or the fields of a foreign key that has no index.
    pub name: String,
    /// The fields whose values are given.
    pub equal: Vec<FieldId>,
    /// The fields that order the records. Several are one text, joined by `#`. What is equal here
    /// comes in the order of the records' keys.
    pub sort: Vec<FieldId>,
}

impl Way {
    /// The way by the primary key: by its first field, in the order of the rest.
    #[must_use]
    pub fn of_key(model: &Model) -> Self {
        Self::split(PRIMARY, &model.key, 1)
    }

    /// The way through an index.
    #[must_use]
    pub fn of_index(index: &Index) -> Self {
        Self::split(&index.name, &index.fields, 1)
    }

    /// The way from a record to those that point at it: through the index or the key that begins
    /// with the foreign key.
    #[must_use]
    pub fn of_children(target: &Model, relation: &Relation) -> Self {
        let foreign_key = &relation.fields;
        let mut indexes = target.indexes.iter();
        if let Some(index) = indexes.find(|index| index.fields.starts_with(foreign_key)) {
            return Self::split(&index.name, &index.fields, foreign_key.len());
        }
        if target.key.starts_with(foreign_key) {
            return Self::split(PRIMARY, &target.key, foreign_key.len());
        }
        let names: Vec<&str> =
            foreign_key.iter().map(|field| target.at(*field).name.as_str()).collect();
        Self::split(&names.join("-"), foreign_key, foreign_key.len())
    }

    fn split(name: &str, fields: &[FieldId], equal: usize) -> Self {
        let (equal, sort) = fields.split_at(equal.min(fields.len()));
        Self { name: name.to_owned(), equal: equal.to_vec(), sort: sort.to_vec() }
    }

    /// All its fields: by their values its records are found and ordered.
    #[must_use]
    pub fn fields(&self) -> Vec<FieldId> {
        self.equal.iter().chain(&self.sort).copied().collect()
    }

    /// Whether two ways lead through the same records in the same order.
    #[must_use]
    pub fn same(&self, other: &Self) -> bool {
        self.equal == other.equal && self.sort == other.sort
    }
}

/// All ways through a model, each once.
#[must_use]
pub fn ways(schema: &Schema, id: ModelId) -> Vec<Way> {
    let model = schema.model(id);
    // A key of one field is a record's name: it leads to one record, which needs no order.
    let key = (model.key.len() > 1).then(|| Way::of_key(model));
    let indexes = model.indexes.iter().map(Way::of_index);
    let relations = schema.models().flat_map(|(_, other)| &other.relations);
    let children = relations
        .filter(|relation| relation.kind.is_held_by_target() && relation.target == id)
        .map(|relation| Way::of_children(model, relation));
    let mut found: Vec<Way> = Vec::new();
    for way in key.into_iter().chain(indexes).chain(children) {
        if !found.iter().any(|known| known.same(&way)) {
            found.push(way);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use espressync_model::{Field, RelationKind, Scalar};

    use super::*;

    #[test]
    fn key_indexes_and_foreign_keys_each_once() {
        let field = |name: &str| Field::new(name, Scalar::Id);
        let ids = |ids: &[u16]| ids.iter().map(|id| FieldId(*id)).collect::<Vec<_>>();
        let relate = |model: Model, name: &str, fields: &[u16]| {
            model.relation(name, RelationKind::HasMany, ModelId(1), ids(fields))
        };
        let shop = Model::new("Shop", "Shops").field(field("id"));
        let shop = relate(relate(relate(shop, "visits", &[2]), "first", &[0]), "others", &[4, 3]);
        let names = ["till", "number", "shop", "day", "other"];
        let visit = names
            .into_iter()
            .fold(Model::new("Visit", "Visits"), |model, name| model.field(field(name)));
        let visit = visit.keyed_by(ids(&[0, 1])).index("byShop", ids(&[2, 3]), None).index(
            "again",
            ids(&[2, 3]),
            None,
        );
        let schema = Schema::new(vec![shop, visit]);
        let found: Vec<(String, Vec<FieldId>, Vec<FieldId>)> = ways(&schema, ModelId(1))
            .into_iter()
            .map(|way| (way.name, way.equal, way.sort))
            .collect();
        let expected = vec![
            ("Primary".to_owned(), ids(&[0]), ids(&[1])),
            ("byShop".to_owned(), ids(&[2]), ids(&[3])),
            ("other-day".to_owned(), ids(&[4, 3]), ids(&[])),
        ];
        assert_eq!(found, expected);
        assert_eq!(ways(&schema, ModelId(0)), []);
    }
}
