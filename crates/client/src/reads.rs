use std::cell::Ref;

use espressync_model::{
    Aggregate, Bookmark, Entity, FieldId, Key, Model, ModelError, ModelId, Predicate, Query,
    Record, Value,
};
use espressync_store::{Group, Include, Loaded, Plan, Store};

use crate::{ClientError, DataStore};

/// A page of an answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Slice<T> {
    /// Its rows.
    pub items: Vec<T>,
    /// Where the query goes on ([`Query::after`]); `None` when this was the last of it.
    pub next: Option<Bookmark>,
}

/// Reads: answered from memory, at once. Each has a form for entities and one for any model.
impl DataStore {
    /// The entity of a key.
    ///
    /// # Errors
    /// [`ClientError::Model`] when the stored row does not fit the entity.
    pub fn get<E: Entity>(&self, key: &str) -> Result<Option<E>, ClientError> {
        let store = self.shared.store.borrow();
        let model = store.schema().known(E::MODEL)?;
        let record = store.live_record(E::MODEL, key);
        Ok(record.map(|record| E::from_row(model, &record.row)).transpose()?)
    }

    /// The entity of a key of several fields, by their values in the key's order.
    ///
    /// # Errors
    /// As [`DataStore::get`], and [`ClientError::Model`] for values that can be no key.
    pub fn get_by<E: Entity>(&self, values: &[Value]) -> Result<Option<E>, ClientError> {
        let key = self.schema().known(E::MODEL)?.key_from(values)?;
        self.get(key.as_str())
    }

    /// The live record of a key.
    ///
    /// # Errors
    /// [`ClientError::Model`] for an unknown model.
    pub fn record(&self, model: ModelId, key: &Key) -> Result<Option<Record>, ClientError> {
        let store = self.shared.store.borrow();
        store.schema().known(model)?;
        Ok(store.live_record(model, key.as_str()).cloned())
    }

    /// The live record of a key of several fields, by their values in the key's order.
    ///
    /// # Errors
    /// [`ClientError::Model`] for an unknown model and for values that can be no key.
    pub fn record_by(
        &self,
        model: ModelId,
        values: &[Value],
    ) -> Result<Option<Record>, ClientError> {
        let key = self.schema().known(model)?.key_from(values)?;
        self.record(model, &key)
    }

    /// The entities that a query finds.
    ///
    /// # Errors
    /// [`ClientError::Model`]: a query that cannot be answered, or a row that does not fit.
    pub fn query<E: Entity>(&self, query: &Query) -> Result<Vec<E>, ClientError> {
        let store = self.ask(E::MODEL, query)?;
        entities(&store, store.query(E::MODEL, query))
    }

    /// The records that a query finds.
    ///
    /// # Errors
    /// [`ClientError::Model`] for a query that cannot be answered.
    pub fn records(&self, model: ModelId, query: &Query) -> Result<Vec<Record>, ClientError> {
        let store = self.ask(model, query)?;
        Ok(store.query(model, query).into_iter().cloned().collect())
    }

    /// A page of the entities that a query finds, and where the next begins.
    ///
    /// # Errors
    /// As [`DataStore::query`].
    pub fn page<E: Entity>(&self, query: &Query) -> Result<Slice<E>, ClientError> {
        let store = self.ask(E::MODEL, query)?;
        let (records, next) = store.query_page(E::MODEL, query);
        Ok(Slice { items: entities(&store, records)?, next })
    }

    /// A page of the records that a query finds, and where the next begins.
    ///
    /// # Errors
    /// As [`DataStore::records`].
    pub fn record_page(&self, model: ModelId, query: &Query) -> Result<Slice<Record>, ClientError> {
        let store = self.ask(model, query)?;
        let (records, next) = store.query_page(model, query);
        Ok(Slice { items: records.into_iter().cloned().collect(), next })
    }

    /// What a query finds, each record with those that relations lead to.
    ///
    /// # Errors
    /// [`ClientError::Model`] for a query or an include that cannot be answered.
    pub fn query_including(
        &self,
        model: ModelId,
        query: &Query,
        includes: &[Include],
    ) -> Result<Vec<Loaded>, ClientError> {
        let store = self.ask(model, query)?;
        let (schema, of) = (store.schema(), store.schema().known(model)?);
        includes.iter().try_for_each(|include| include.check(schema, of))?;
        Ok(store.query_including(model, query, includes))
    }

    /// How many records match.
    ///
    /// # Errors
    /// [`ClientError::Model`] for a predicate that cannot be asked.
    pub fn count(&self, model: ModelId, predicate: &Predicate) -> Result<usize, ClientError> {
        let store = self.shared.store.borrow();
        predicate.check_in(store.schema(), store.schema().known(model)?)?;
        Ok(store.count(model, predicate))
    }

    /// What the records that match come to: one group of all without fields to group by, else one
    /// for each of their values, in the order of these, null first.
    ///
    /// # Errors
    /// [`ClientError::Model`] for a predicate that cannot be asked, a field that is unknown or has
    /// no order to group by, and an aggregate that its field has not.
    pub fn aggregate(
        &self,
        model: ModelId,
        predicate: &Predicate,
        by: &[FieldId],
        aggregates: &[Aggregate],
    ) -> Result<Vec<Group>, ClientError> {
        let store = self.shared.store.borrow();
        let of = store.schema().known(model)?;
        predicate.check_in(store.schema(), of)?;
        by.iter().try_for_each(|field| of.check_order(*field))?;
        aggregates.iter().try_for_each(|aggregate| aggregate.check(of))?;
        Ok(store.aggregate(model, predicate, by, aggregates))
    }

    /// How a query would be answered now: by which index, looking at how many records, sorted how.
    ///
    /// # Errors
    /// [`ClientError::Model`] for a query that cannot be answered.
    pub fn explain(&self, model: ModelId, query: &Query) -> Result<Plan, ClientError> {
        let store = self.ask(model, query)?;
        Ok(store.explain(model, query))
    }

    /// The store, for a query that it can answer.
    fn ask(&self, model: ModelId, query: &Query) -> Result<Ref<'_, Store>, ClientError> {
        let store = self.shared.store.borrow();
        query.check_in(store.schema(), model)?;
        Ok(store)
    }
}

/// Records as entities.
pub(crate) fn entities<E: Entity>(
    store: &Store,
    records: Vec<&Record>,
) -> Result<Vec<E>, ClientError> {
    let model: &Model = store.schema().known(E::MODEL)?;
    let entities: Result<Vec<E>, ModelError> =
        records.into_iter().map(|record| E::from_row(model, &record.row)).collect();
    Ok(entities?)
}
