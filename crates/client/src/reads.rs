use espressync_model::{Entity, Key, ModelId, Query, Record};

use crate::{ClientError, DataStore};

/// Reads: answered from memory, at once.
impl DataStore {
    /// The entity of a key.
    ///
    /// # Errors
    /// [`ClientError::Model`] when the stored row does not fit the entity.
    pub fn get<E: Entity>(&self, key: &str) -> Result<Option<E>, ClientError> {
        let store = self.shared.store.borrow();
        let record = store.record(E::MODEL, &Key::from(key));
        record
            .filter(|record| !record.meta.deleted)
            .map(|record| Ok(E::from_row(store.schema().model(E::MODEL), &record.row)?))
            .transpose()
    }

    /// The entities that a query finds.
    ///
    /// # Errors
    /// [`ClientError::Model`]: a query that cannot be answered, or a row that does not fit.
    pub fn query<E: Entity>(&self, query: &Query) -> Result<Vec<E>, ClientError> {
        let store = self.shared.store.borrow();
        query.check_in(store.schema(), E::MODEL)?;
        let model = store.schema().model(E::MODEL);
        let records = store.query(E::MODEL, query).into_iter();
        Ok(records.map(|record| E::from_row(model, &record.row)).collect::<Result<_, _>>()?)
    }

    /// The records that a query finds.
    ///
    /// # Errors
    /// [`ClientError::Model`] for a query that cannot be answered.
    pub fn records(&self, model: ModelId, query: &Query) -> Result<Vec<Record>, ClientError> {
        let store = self.shared.store.borrow();
        query.check_in(store.schema(), model)?;
        Ok(store.query(model, query).into_iter().cloned().collect())
    }
}
