//! Records together with those that relations lead to: one query for all, by indexes.

use espressync_model::{
    Entity, Key, Model, ModelError, ModelId, Query, Record, RelationId, Row, Schema,
};

use crate::Store;
use crate::table::Slot;

/// Asks for the records at the other end of a relation too, and for those of relations from there.
#[derive(Debug, Clone, PartialEq)]
pub struct Include {
    /// The relation, of the model that includes.
    pub relation: RelationId,
    /// Which records there, in which order, and how many for each record here.
    pub query: Query,
    /// What is included with each of these.
    pub includes: Vec<Include>,
}

/// A record with the included ones.
#[derive(Debug, Clone, PartialEq)]
pub struct Loaded {
    /// Its key.
    pub key: Key,
    /// The record.
    pub record: Record,
    /// For each include the records it found.
    pub related: Vec<(RelationId, Vec<Loaded>)>,
}

impl Include {
    /// Everything at the other end of a relation.
    #[must_use]
    pub fn all(relation: RelationId) -> Self {
        Self::some(relation, Query::all())
    }

    /// What a query of the model at the other end leaves.
    #[must_use]
    pub fn some(relation: RelationId, query: Query) -> Self {
        Self { relation, query, includes: Vec::new() }
    }

    /// This include, and another with each record that it finds.
    #[must_use]
    pub fn with(mut self, include: Self) -> Self {
        self.includes.push(include);
        self
    }

    /// Reads paths of relations' names: `["lines.product", "customer"]`. What several paths begin
    /// with is included once.
    ///
    /// # Errors
    /// [`ModelError::UnknownRelation`].
    pub fn parse(schema: &Schema, model: ModelId, paths: &[&str]) -> Result<Vec<Self>, ModelError> {
        let mut includes = Vec::new();
        for path in paths {
            let (mut level, mut model) = (&mut includes, schema.known(model)?);
            for name in path.split('.') {
                let relation = model.relation_named(name)?;
                let known = level.iter().position(|known: &Self| known.relation == relation);
                let position = known.unwrap_or(level.len());
                if known.is_none() {
                    level.push(Self::all(relation));
                }
                level = &mut level[position].includes;
                model = schema.model(model.relation_at(relation).target);
            }
        }
        Ok(includes)
    }

    /// Refuses what cannot be included.
    ///
    /// # Errors
    /// [`ModelError::UnknownRelation`], and as [`Query::check_in`].
    pub fn check(&self, schema: &Schema, model: &Model) -> Result<(), ModelError> {
        model.check_relation(self.relation)?;
        let target = model.relation_at(self.relation).target;
        self.query.check_in(schema, target)?;
        self.includes.iter().try_for_each(|include| include.check(schema, schema.model(target)))
    }
}

impl Loaded {
    /// What an include of this relation found.
    #[must_use]
    pub fn many(&self, relation: RelationId) -> &[Self] {
        let found = self.related.iter().find(|(of, _)| *of == relation);
        found.map_or(&[], |(_, loaded)| loaded)
    }

    /// The first that an include of this relation found: the only one, but for a has-many.
    #[must_use]
    pub fn one(&self, relation: RelationId) -> Option<&Self> {
        self.many(relation).first()
    }

    /// The record as an entity.
    ///
    /// # Errors
    /// [`ModelError`] when the stored row does not fit the entity.
    pub fn read<E: Entity>(&self, schema: &Schema) -> Result<E, ModelError> {
        E::from_row(schema.known(E::MODEL)?, &self.record.row)
    }
}

impl Store {
    /// The live records that a query asks for, each with what is included.
    #[must_use]
    pub fn query_including(
        &self,
        model: ModelId,
        query: &Query,
        includes: &[Include],
    ) -> Vec<Loaded> {
        self.load(model, self.search(model, query), includes)
    }

    fn load(&self, model: ModelId, slots: Vec<Slot>, includes: &[Include]) -> Vec<Loaded> {
        let table = self.table(model);
        let records = slots.into_iter().filter_map(|slot| table.key(slot).zip(table.record(slot)));
        let loaded = records.map(|(key, record)| Loaded {
            key: key.clone(),
            record: record.clone(),
            related: includes
                .iter()
                .map(|include| (include.relation, self.include(model, &record.row, include)))
                .collect(),
        });
        loaded.collect()
    }

    fn include(&self, model: ModelId, row: &Row, include: &Include) -> Vec<Loaded> {
        let target = self.schema().model(model).relation_at(include.relation).target;
        let ends = self.ends(model, row, include.relation);
        self.load(target, self.search_among(target, &include.query, ends), &include.includes)
    }
}
