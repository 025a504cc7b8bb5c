use std::cell::RefCell;
use std::rc::Rc;

use espressync_model::{Entity, Key, ModelId, Query, Record, Schema};
use espressync_store::{OpenReport, Storage, Store};
use espressync_sync::{Config, Engine, Intent, SyncStatus, Write};
use futures::channel::{mpsc, oneshot};
use futures::{Stream, StreamExt};

use crate::driver::{Command, Driver, Written};
use crate::observe::{Change, Observers, Snapshot};
use crate::{ClientError, Clock, Transport, Writes};

/// What handles and driver share.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) store: RefCell<Store>,
    pub(crate) observers: Observers,
    pub(crate) status: RefCell<SyncStatus>,
}

/// The handle of a data store. Clones are the same store.
#[derive(Debug, Clone)]
pub struct DataStore {
    shared: Rc<Shared>,
    commands: mpsc::UnboundedSender<Command>,
}

impl DataStore {
    /// Opens the store that `storage` holds. Nothing is written until the [`Driver`] runs, and no
    /// network is used until [`DataStore::start`].
    ///
    /// # Errors
    /// [`ClientError::Store`]: no database, or one of a newer version, which is left untouched.
    pub async fn open<S: Storage, T: Transport + 'static, C: Clock>(
        schema: Schema,
        storage: S,
        transport: T,
        clock: C,
        config: Config,
    ) -> Result<(Self, Driver<S, T, C>, OpenReport), ClientError> {
        let schema = Rc::new(schema);
        let records = storage.load(espressync_store::LogPosition::default()).await?;
        let (store, report) = Store::open(Rc::clone(&schema), records)?;
        let engine = Engine::new(schema, config);
        let shared = Rc::new(Shared {
            status: RefCell::new(engine.status(&store)),
            store: RefCell::new(store),
            observers: Observers::default(),
        });
        let (commands, received) = mpsc::unbounded();
        let driver = Driver::new(Rc::clone(&shared), received, engine, storage, transport, clock);
        Ok((Self { shared, commands }, driver, report))
    }

    /// Starts syncing.
    pub fn start(&self) {
        self.command(Command::Start);
    }

    /// Stops syncing. Rows stay, and so do changes that wait to be sent.
    pub fn stop(&self) {
        self.command(Command::Stop);
    }

    /// Passes on what the browser says of the network, or that the page is looked at again.
    pub fn set_online(&self, is_online: bool) {
        self.command(Command::Connectivity(is_online));
    }

    /// Empties the local database. While changes wait to be sent it refuses, unless `force`d:
    /// then they are lost.
    ///
    /// # Errors
    /// [`ClientError::Unsent`], [`ClientError::Store`], [`ClientError::Closed`].
    pub async fn clear(&self, force: bool) -> Result<(), ClientError> {
        let (reply, answer) = oneshot::channel();
        self.command(Command::Clear { force, reply });
        answer.await.map_err(|_| ClientError::Closed)?
    }

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

    /// Stores many entities, all or none.
    ///
    /// # Errors
    /// As [`DataStore::write`].
    pub async fn save_all<E: Entity>(&self, entities: &[E]) -> Result<(), ClientError> {
        let saves = entities.iter().map(|entity| Write::Save(E::MODEL, entity.to_row()));
        self.write(Writes(saves.collect())).await.map(|_| ())
    }

    /// Deletes a record.
    ///
    /// # Errors
    /// As [`DataStore::write`]; there must be such a record.
    pub async fn delete<E: Entity>(&self, key: &str) -> Result<(), ClientError> {
        self.write(Writes::new().delete::<E>(key)).await.map(|_| ())
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

    async fn carry_out(&self, intent: Intent) -> Written {
        let (reply, answer) = oneshot::channel();
        self.command(Command::Intent(intent, reply));
        answer.await.map_err(|_| ClientError::Closed)?
    }

    /// Without a driver the command, and with it the reply, is dropped, which the caller sees.
    fn command(&self, command: Command) {
        let _ = self.commands.unbounded_send(command);
    }

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

    /// The schema.
    #[must_use]
    pub fn schema(&self) -> Rc<Schema> {
        self.shared.store.borrow().shared_schema()
    }

    /// Every visible change, of one model or of all, from now on.
    pub fn observe(&self, model: Option<ModelId>) -> impl Stream<Item = Change> + use<> {
        self.shared.observers.changes(model)
    }

    /// What a query finds: at once, and again after every change of its model. Changes that come
    /// faster than they are looked at are one.
    ///
    /// # Errors
    /// [`ClientError::Model`] for a query that cannot be answered, at once and as the stream's
    /// items.
    pub fn observe_query<E: Entity>(
        &self,
        query: Query,
    ) -> Result<impl Stream<Item = Result<Snapshot<E>, ClientError>> + use<E>, ClientError> {
        query.check_in(&self.schema(), E::MODEL)?;
        let store = self.clone();
        let ticks = self.shared.observers.query(E::MODEL);
        Ok(ticks.map(move |()| {
            let items = store.query(&query)?;
            let is_synced = store.shared.store.borrow().cursor(E::MODEL).is_some();
            Ok(Snapshot { items, is_synced })
        }))
    }

    /// What is synced, waiting and stuck.
    #[must_use]
    pub fn status(&self) -> SyncStatus {
        self.shared.status.borrow().clone()
    }

    /// The status: at once, and again after every change.
    pub fn observe_status(&self) -> impl Stream<Item = SyncStatus> + use<> {
        let shared = Rc::clone(&self.shared);
        self.shared.observers.status().map(move |()| shared.status.borrow().clone())
    }

    fn entity<E: Entity>(&self, model: ModelId, record: &Record) -> Result<E, ClientError> {
        let store = self.shared.store.borrow();
        Ok(E::from_row(store.schema().model(model), &record.row)?)
    }
}
