use std::cell::RefCell;
use std::fmt;
use std::rc::Rc;

use espressync_model::{Entity, Key, ModelError, ModelId, Query, Record, Schema};
use espressync_store::Draft;

use crate::write::{Outcome, make};
use crate::{SyncError, Write};

/// What a user does who decides by what is stored: reads see the store as it is when the turn of
/// the transaction comes, and the writes before them. All of it is stored, or nothing.
///
/// Once a write is refused, the transaction is lost, whatever its owner makes of the error.
pub struct Transaction<'d, 's> {
    draft: &'d mut Draft<'s>,
    written: Vec<(ModelId, Record)>,
    refusal: Option<SyncError>,
}

impl fmt::Debug for Transaction<'_, '_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Transaction").field("written", &self.written).finish_non_exhaustive()
    }
}

impl Transaction<'_, '_> {
    /// The schema.
    #[must_use]
    pub fn schema(&self) -> &Schema {
        self.draft.schema()
    }

    /// The live record of a key.
    ///
    /// # Errors
    /// [`ModelError::UnknownModel`].
    pub fn record(&self, model: ModelId, key: &Key) -> Result<Option<&Record>, SyncError> {
        self.schema().known(model)?;
        Ok(self.draft.record(model, key).filter(|record| !record.meta.deleted))
    }

    /// The live records that a query asks for.
    ///
    /// # Errors
    /// [`SyncError::Model`] for a query that cannot be answered.
    pub fn records(&self, model: ModelId, query: &Query) -> Result<Vec<Record>, SyncError> {
        query.check_in(self.schema(), model)?;
        Ok(self.draft.query(model, query))
    }

    /// Makes a write, and returns the records that it wrote.
    ///
    /// # Errors
    /// As for writes outside of a transaction.
    pub fn write(&mut self, write: &Write) -> Result<&[(ModelId, Record)], SyncError> {
        let before = self.written.len();
        match make(self.draft, write, &mut self.written) {
            Ok(()) => Ok(&self.written[before..]),
            Err(error) => {
                self.refusal.get_or_insert_with(|| error.clone());
                Err(error)
            }
        }
    }

    /// The entity of a key.
    ///
    /// # Errors
    /// [`SyncError::Model`] when the stored row does not fit the entity.
    pub fn get<E: Entity>(&self, key: impl Into<Key>) -> Result<Option<E>, SyncError> {
        let definition = self.schema().known(E::MODEL)?;
        let record = self.record(E::MODEL, &key.into())?;
        record.map(|record| Ok(E::from_row(definition, &record.row)?)).transpose()
    }

    /// The entities that a query finds.
    ///
    /// # Errors
    /// [`SyncError::Model`]: a query that cannot be answered, or a row that does not fit.
    pub fn query<E: Entity>(&self, query: &Query) -> Result<Vec<E>, SyncError> {
        let records = self.records(E::MODEL, query)?;
        let definition = self.schema().model(E::MODEL);
        let entities = records.iter().map(|record| E::from_row(definition, &record.row));
        Ok(entities.collect::<Result<_, ModelError>>()?)
    }

    /// Stores an entity: a new record, or the fields in which it differs from the stored one.
    ///
    /// # Errors
    /// As for writes outside of a transaction.
    pub fn save<E: Entity>(&mut self, entity: &E) -> Result<(), SyncError> {
        self.write(&Write::save(E::MODEL, entity.to_row())).map(|_| ())
    }

    /// Deletes a record.
    ///
    /// # Errors
    /// As for writes outside of a transaction.
    pub fn delete<E: Entity>(&mut self, key: impl Into<Key>) -> Result<(), SyncError> {
        self.write(&Write::delete(E::MODEL, key)).map(|_| ())
    }
}

/// What a transaction does. It is done anew when another tab has written meanwhile.
type Work = dyn FnMut(&mut Transaction<'_, '_>) -> Result<(), SyncError>;

/// A transaction that waits for its turn.
#[derive(Clone)]
pub struct Transact(Rc<RefCell<Work>>);

impl Transact {
    /// A transaction that does this. What it returns as an error takes everything back.
    pub fn new(
        work: impl FnMut(&mut Transaction<'_, '_>) -> Result<(), SyncError> + 'static,
    ) -> Self {
        Self(Rc::new(RefCell::new(work)))
    }

    pub(crate) fn carry_out(&self, draft: &mut Draft<'_>) -> Outcome {
        draft.begin();
        let mut transaction = Transaction { draft, written: Vec::new(), refusal: None };
        // One that is asked for again from within itself has no turn.
        let done = match self.0.try_borrow_mut() {
            Ok(mut work) => work(&mut transaction),
            Err(_) => Err(SyncError::GivenUp),
        };
        let Transaction { draft, written, refusal } = transaction;
        match done.and_then(|()| refusal.map_or(Ok(()), Err)) {
            Ok(()) => {
                draft.keep();
                Ok(written)
            }
            Err(error) => {
                draft.roll_back();
                Err(error)
            }
        }
    }
}

impl fmt::Debug for Transact {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Transact")
    }
}

/// Two are the same when they are one.
impl PartialEq for Transact {
    fn eq(&self, other: &Self) -> bool {
        Rc::ptr_eq(&self.0, &other.0)
    }
}
