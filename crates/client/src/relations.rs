use espressync_model::{
    Entity, Key, ModelError, ModelId, Predicate, Query, Record, RelationId, Row,
};

use crate::reads::entities;
use crate::{ClientError, DataStore};

/// Relations, loaded when they are asked for. The record that is asked need not be stored: its
/// own values say where its relations lead, and what is not saved yet has nobody pointing at it.
impl DataStore {
    /// The entities at the other end of an entity's relation that a query leaves.
    ///
    /// # Errors
    /// [`ClientError::Model`]: an unknown relation, one that leads to another model than `T`, a
    /// query that cannot be answered, a row that does not fit.
    pub fn many<E: Entity, T: Entity>(
        &self,
        of: &E,
        relation: RelationId,
        query: &Query,
    ) -> Result<Vec<T>, ClientError> {
        self.check_target::<T>(E::MODEL, relation)?;
        self.check_path(E::MODEL, &[relation], query)?;
        let store = self.shared.store.borrow();
        entities(&store, store.related(E::MODEL, &of.to_row(), relation, query))
    }

    /// The entity at the other end of an entity's relation.
    ///
    /// # Errors
    /// As [`DataStore::many`].
    pub fn one<E: Entity, T: Entity>(
        &self,
        of: &E,
        relation: RelationId,
    ) -> Result<Option<T>, ClientError> {
        let found = self.many(of, relation, &Query::all().limit(1))?;
        Ok(found.into_iter().next())
    }

    /// The records at the other end of a row's relation that a query leaves.
    ///
    /// # Errors
    /// [`ClientError::Model`]: an unknown model or relation, a query that cannot be answered.
    pub fn related(
        &self,
        model: ModelId,
        row: &Row,
        relation: RelationId,
        query: &Query,
    ) -> Result<Vec<Record>, ClientError> {
        self.related_along(model, row, &[relation], query)
    }

    /// As [`DataStore::related`], of the stored record of a key; none of a key there is not.
    ///
    /// # Errors
    /// As [`DataStore::related`].
    pub fn related_of(
        &self,
        model: ModelId,
        key: &Key,
        relation: RelationId,
        query: &Query,
    ) -> Result<Vec<Record>, ClientError> {
        self.check_path(model, &[relation], query)?;
        match self.record(model, key)? {
            Some(record) => self.related(model, &record.row, relation, query),
            None => Ok(Vec::new()),
        }
    }

    /// The records that a path of relations leads to from a row, each once: of a many-to-many to
    /// the model between and from there on.
    ///
    /// # Errors
    /// As [`DataStore::related`].
    pub fn related_along(
        &self,
        model: ModelId,
        row: &Row,
        path: &[RelationId],
        query: &Query,
    ) -> Result<Vec<Record>, ClientError> {
        self.check_path(model, path, query)?;
        let store = self.shared.store.borrow();
        Ok(store.related_along(model, row, path, query).into_iter().cloned().collect())
    }

    /// How many records at the other end of a row's relation match.
    ///
    /// # Errors
    /// [`ClientError::Model`]: an unknown model or relation, a predicate that cannot be asked.
    pub fn related_count(
        &self,
        model: ModelId,
        row: &Row,
        relation: RelationId,
        predicate: &Predicate,
    ) -> Result<usize, ClientError> {
        self.check_path(model, &[relation], &Query::filter(predicate.clone()))?;
        Ok(self.shared.store.borrow().related_count(model, row, relation, predicate))
    }

    fn check_path(
        &self,
        model: ModelId,
        path: &[RelationId],
        query: &Query,
    ) -> Result<(), ClientError> {
        let schema = self.schema();
        schema.known(model)?;
        let mut at = model;
        for relation in path {
            schema.model(at).check_relation(*relation)?;
            at = schema.model(at).relation_at(*relation).target;
        }
        Ok(query.check_in(&schema, at)?)
    }

    fn check_target<T: Entity>(
        &self,
        model: ModelId,
        relation: RelationId,
    ) -> Result<(), ClientError> {
        let schema = self.schema();
        let of = schema.known(model)?;
        of.check_relation(relation)?;
        let relation = of.relation_at(relation);
        if relation.target == T::MODEL {
            return Ok(());
        }
        Err(ModelError::WrongTarget {
            model: of.name.clone(),
            relation: relation.name.clone(),
            target: schema.model(relation.target).name.clone(),
            wanted: schema.known(T::MODEL)?.name.clone(),
        }
        .into())
    }
}
