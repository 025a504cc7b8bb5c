use std::cell::RefCell;
use std::rc::Rc;

use espressync_model::{
    Edit, Entity, FieldId, Key, ModelError, ModelId, Patch, Predicate, Record, RelationId, Value,
};
use espressync_sync::{Intent, SyncError, Target, Transact, Transaction, Write};

use crate::{ClientError, DataStore};

/// Writes that are stored together or not at all.
///
/// A sale is one of these: the order and its lines. Each sees those before it. On the way to the
/// server parents go before children.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Writes(pub(crate) Vec<Write>);

impl Writes {
    /// None yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Stores an entity: a new record, or the fields in which it differs from the stored one.
    #[must_use]
    pub fn save<E: Entity>(self, entity: &E) -> Self {
        self.save_if(entity, Predicate::All)
    }

    /// As [`Writes::save`], if the stored record meets the condition. A new one has none to meet.
    #[must_use]
    pub fn save_if<E: Entity>(self, entity: &E, condition: Predicate) -> Self {
        self.and(Write::Save { model: E::MODEL, row: entity.to_row(), condition })
    }

    /// Stores the fields in which `after` differs from `before`, and leaves alone what others
    /// changed meanwhile. Both have the same key, which is `key`.
    #[must_use]
    pub fn update<E: Entity>(self, key: impl Into<Key>, before: &E, after: &E) -> Self {
        self.edit::<E>(key, Patch::between(&before.to_row(), &after.to_row()).into())
    }

    /// Sets fields of a record.
    #[must_use]
    pub fn set<E: Entity>(
        self,
        key: impl Into<Key>,
        fields: impl IntoIterator<Item = (FieldId, Value)>,
    ) -> Self {
        self.edit::<E>(key, fields.into_iter().collect::<Patch>().into())
    }

    /// Adds to a numeric field of a record; take away with a negative amount. What others add
    /// meanwhile counts as well.
    #[must_use]
    pub fn add<E: Entity>(
        self,
        key: impl Into<Key>,
        field: FieldId,
        amount: impl Into<Value>,
    ) -> Self {
        let add = [(field, amount.into())].into_iter().collect();
        self.edit::<E>(key, Edit { set: Patch::default(), add })
    }

    /// Changes fields of a record.
    #[must_use]
    pub fn edit<E: Entity>(self, key: impl Into<Key>, edit: Edit) -> Self {
        self.edit_if::<E>(key, edit, Predicate::All)
    }

    /// Changes fields of a record that meets the condition.
    #[must_use]
    pub fn edit_if<E: Entity>(self, key: impl Into<Key>, edit: Edit, condition: Predicate) -> Self {
        self.and(Write::Update { model: E::MODEL, key: key.into(), edit, condition })
    }

    /// Deletes a record.
    #[must_use]
    pub fn delete<E: Entity>(self, key: impl Into<Key>) -> Self {
        self.delete_if::<E>(key, Predicate::All)
    }

    /// Deletes a record that meets the condition.
    #[must_use]
    pub fn delete_if<E: Entity>(self, key: impl Into<Key>, condition: Predicate) -> Self {
        let target = Target::Record(key.into(), condition);
        self.and(Write::Delete { model: E::MODEL, target })
    }

    /// Deletes every record that matches; [`Predicate::All`] deletes all.
    #[must_use]
    pub fn delete_where<E: Entity>(self, predicate: Predicate) -> Self {
        self.and(Write::Delete { model: E::MODEL, target: Target::Matching(predicate) })
    }

    /// Brings a deleted record back, as long as its tombstone is here.
    #[must_use]
    pub fn undelete<E: Entity>(self, key: impl Into<Key>) -> Self {
        self.and(Write::Undelete { model: E::MODEL, key: key.into() })
    }

    /// One more write.
    #[must_use]
    pub fn and(mut self, write: Write) -> Self {
        self.0.push(write);
        self
    }
}

/// Writes: each is stored when its future resolves.
impl DataStore {
    /// Makes these writes, all or none, and returns the records as they are stored.
    ///
    /// # Errors
    /// [`ClientError::Write`] names what does not fit; [`ClientError::Store`] when the
    /// transaction did not commit. Nothing is stored then.
    pub async fn write(&self, writes: Writes) -> Result<Vec<(ModelId, Record)>, ClientError> {
        self.carry_out(Intent::Write(writes.0)).await
    }

    /// Stores an entity: a new record, or the fields in which it differs from the stored one.
    ///
    /// # Errors
    /// As [`DataStore::write`].
    pub async fn save<E: Entity>(&self, entity: &E) -> Result<E, ClientError> {
        let written = self.write(Writes::new().save(entity)).await?;
        let (model, record) = written.into_iter().next().ok_or(ClientError::Closed)?;
        self.entity(model, &record)
    }

    /// Does what `work` says in one go: its reads see the store as it is when its turn comes and
    /// the writes before them, and its writes are stored together, or not at all when it returns
    /// an error. `work` is called again when another tab has written meanwhile, so it should do
    /// nothing else.
    ///
    /// # Errors
    /// What `work` returns; [`ClientError::Write`] when one of its writes was refused;
    /// [`ClientError::Store`] when the transaction did not commit.
    pub async fn transaction<T: 'static, E: From<ClientError> + 'static>(
        &self,
        mut work: impl FnMut(&mut Transaction<'_, '_>) -> Result<T, E> + 'static,
    ) -> Result<T, E> {
        let done = Rc::new(RefCell::new(None));
        let outcome = Rc::clone(&done);
        let transact = Transact::new(move |transaction| {
            let result = work(transaction);
            let is_given_up = result.is_err();
            *outcome.borrow_mut() = Some(result);
            if is_given_up { Err(SyncError::GivenUp) } else { Ok(()) }
        });
        let stored = self.carry_out(Intent::Transact(transact)).await;
        match (stored, done.take()) {
            (Ok(_), Some(result)) | (Err(ClientError::Write(_)), Some(result @ Err(_))) => result,
            (Err(error), _) => Err(error.into()),
            (Ok(_), None) => Err(ClientError::Closed.into()),
        }
    }

    /// The foreign key by which an entity's relation leads to `other`, or nowhere: for
    /// [`Writes::edit`], or to be laid over a row.
    ///
    /// # Errors
    /// [`ClientError::Model`] when the relation leads to another model, or is known by the foreign
    /// key of the other end: then that one is to be set.
    pub fn link<E: Entity, O: Entity>(
        &self,
        relation: RelationId,
        other: Option<&O>,
    ) -> Result<Patch, ClientError> {
        let schema = self.schema();
        let (own, target) = (schema.known(E::MODEL)?, schema.known(O::MODEL)?);
        let found = own.relations().find(|(id, _)| *id == relation).map(|(_, found)| found);
        let is_held =
            found.filter(|it| it.target == O::MODEL && !it.kind.is_held_by_target()).is_some();
        if !is_held {
            let name = found.map_or_else(|| format!("number {}", relation.0), |it| it.name.clone());
            let ours = own.relations.iter().filter(|it| !it.kind.is_held_by_target());
            let known: Vec<String> =
                ours.map(|it| format!("{} to {}", it.name, schema.model(it.target).name)).collect();
            return Err(ClientError::Model(ModelError::UnknownRelation {
                model: own.name.clone(),
                relation: format!("{name} to {}", target.name),
                known: if known.is_empty() { "none".to_owned() } else { known.join(", ") },
            }));
        }
        Ok(own.link(target, relation, other.map(Entity::to_row).as_ref()))
    }

    /// Stores many entities, all or none.
    ///
    /// # Errors
    /// As [`DataStore::write`].
    pub async fn save_all<E: Entity>(&self, entities: &[E]) -> Result<(), ClientError> {
        let saves = entities.iter().map(|entity| Write::save(E::MODEL, entity.to_row()));
        self.write(Writes(saves.collect())).await.map(|_| ())
    }

    /// Deletes a record.
    ///
    /// # Errors
    /// As [`DataStore::write`]; there must be such a record.
    pub async fn delete<E: Entity>(&self, key: impl Into<Key>) -> Result<(), ClientError> {
        self.write(Writes::new().delete::<E>(key)).await.map(|_| ())
    }

    /// Deletes the record of an entity.
    ///
    /// # Errors
    /// As [`DataStore::write`]; there must be such a record.
    pub async fn delete_entity<E: Entity>(&self, entity: &E) -> Result<(), ClientError> {
        let key = self.schema().known(E::MODEL)?.key_of(&entity.to_row())?;
        self.delete::<E>(key).await
    }

    /// Brings a deleted record back, as long as its tombstone is here, and returns it.
    ///
    /// # Errors
    /// As [`DataStore::write`]. A server that has no undelete, as AWS AppSync, refuses it later:
    /// see [`DataStore::rejected`].
    pub async fn undelete<E: Entity>(&self, key: impl Into<Key>) -> Result<E, ClientError> {
        let written = self.write(Writes::new().undelete::<E>(key)).await?;
        let (model, record) = written.into_iter().next().ok_or(ClientError::Closed)?;
        self.entity(model, &record)
    }

    /// Has what was written while this store was [local](espressync_model::Model::is_local) sent,
    /// now that it has a server: each record that the server has never seen and that nothing waits
    /// for becomes a create. Returns how many.
    ///
    /// # Errors
    /// [`ClientError::Store`], [`ClientError::Closed`].
    pub async fn adopt_local(&self) -> Result<usize, ClientError> {
        self.carry_out(Intent::Adopt).await.map(|adopted| adopted.len())
    }

    /// Deletes every record that matches, and returns them; [`Predicate::All`] deletes all.
    ///
    /// # Errors
    /// As [`DataStore::write`].
    pub async fn delete_where<E: Entity>(
        &self,
        predicate: Predicate,
    ) -> Result<Vec<E>, ClientError> {
        let written = self.write(Writes::new().delete_where::<E>(predicate)).await?;
        written.iter().map(|(model, record)| self.entity(*model, record)).collect()
    }

    /// Sends again what the server refused.
    ///
    /// # Errors
    /// [`ClientError::Store`], [`ClientError::Closed`].
    pub async fn retry(&self, model: ModelId, key: Key) -> Result<(), ClientError> {
        self.carry_out(Intent::Retry(model, key)).await.map(|_| ())
    }

    /// Gives up what waits for a record; it becomes what the server last showed.
    ///
    /// # Errors
    /// [`ClientError::Store`], [`ClientError::Closed`].
    pub async fn discard(&self, model: ModelId, key: Key) -> Result<(), ClientError> {
        self.carry_out(Intent::Discard(model, key)).await.map(|_| ())
    }

    /// What the server refused for good, with its words.
    #[must_use]
    pub fn rejected(&self) -> Vec<(ModelId, Key, String)> {
        let store = self.shared.store.borrow();
        let entries = store.outbox().iter().filter_map(|(model, key, pending)| {
            let rejection = pending.rejection.as_ref()?;
            Some((model, key.clone(), rejection.message.clone()))
        });
        entries.collect()
    }

    fn entity<E: Entity>(&self, model: ModelId, record: &Record) -> Result<E, ClientError> {
        let store = self.shared.store.borrow();
        Ok(E::from_row(store.schema().model(model), &record.row)?)
    }
}
