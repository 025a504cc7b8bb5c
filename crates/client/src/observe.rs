use std::cell::RefCell;
use std::rc::Rc;

use espressync_model::{Entity, Key, ModelId, Query, Record};
use espressync_store::Applied;
use espressync_sync::SyncStatus;
use futures::channel::mpsc;
use futures::{Stream, StreamExt};

use crate::{ClientError, DataStore};

/// What became of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChangeKind {
    /// It is new here.
    Insert,
    /// It was changed.
    Update,
    /// It is gone.
    Delete,
}

/// A visible change of one record, made here or elsewhere.
#[derive(Debug, Clone, PartialEq)]
pub struct Change {
    /// The model.
    pub model: ModelId,
    /// The record's key.
    pub key: Key,
    /// What became of it.
    pub kind: ChangeKind,
    /// The record as it is, or as it last was.
    pub record: Record,
}

/// The answer to a live query.
#[derive(Debug, Clone, PartialEq)]
pub struct Snapshot<T> {
    /// What the query finds now.
    pub items: Vec<T>,
    /// Whether the model has been synced with the server.
    pub is_synced: bool,
}

/// Observation: streams that end when they are dropped, or when the store is.
impl DataStore {
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
}

/// Who wants to know what.
#[derive(Debug, Default)]
pub(crate) struct Observers(RefCell<Lists>);

#[derive(Debug, Default)]
struct Lists {
    changes: Vec<(Option<ModelId>, mpsc::UnboundedSender<Change>)>,
    queries: Vec<(ModelId, Tick)>,
    status: Vec<Tick>,
    /// Whether the store is closed: who comes now hears nothing.
    is_over: bool,
}

impl Lists {
    /// Adds a listener, unless it is too late.
    fn add<T>(&mut self, list: impl FnOnce(&mut Self) -> &mut Vec<T>, listener: T) {
        if !self.is_over {
            list(self).push(listener);
        }
    }
}

/// Tells a stream to look again. Ticks that were not looked at yet are one.
type Tick = mpsc::Sender<()>;

impl Observers {
    pub(crate) fn changes(&self, model: Option<ModelId>) -> mpsc::UnboundedReceiver<Change> {
        let (sender, receiver) = mpsc::unbounded();
        self.0.borrow_mut().add(|lists| &mut lists.changes, (model, sender));
        receiver
    }

    pub(crate) fn query(&self, model: ModelId) -> mpsc::Receiver<()> {
        let (tick, ticks) = ticking();
        self.0.borrow_mut().add(|lists| &mut lists.queries, (model, tick));
        ticks
    }

    pub(crate) fn status(&self) -> mpsc::Receiver<()> {
        let (tick, ticks) = ticking();
        self.0.borrow_mut().add(|lists| &mut lists.status, tick);
        ticks
    }

    /// Ends every stream.
    pub(crate) fn end(&self) {
        *self.0.borrow_mut() = Lists { is_over: true, ..Lists::default() };
    }

    /// Tells of changed records. Called when no one holds the store.
    pub(crate) fn tell(&self, applied: &[Applied]) {
        let visible: Vec<Change> = applied.iter().filter_map(visible).collect();
        let mut lists = self.0.borrow_mut();
        lists.changes.retain(|(_, sender)| !sender.is_closed());
        for (wanted, sender) in &lists.changes {
            for change in &visible {
                if wanted.is_none_or(|model| model == change.model) {
                    // A closed receiver is dropped from the list next time.
                    let _ = sender.unbounded_send(change.clone());
                }
            }
        }
        lists.queries.retain_mut(|(model, tick)| {
            let concerns = visible.iter().any(|change| change.model == *model);
            if concerns { send(tick) } else { !tick.is_closed() }
        });
    }

    /// Tells that a model is synced for the first time.
    pub(crate) fn tell_queries(&self) {
        self.0.borrow_mut().queries.retain_mut(|(_, tick)| send(tick));
    }

    /// Tells that the status may have changed.
    pub(crate) fn tell_status(&self) {
        self.0.borrow_mut().status.retain_mut(send);
    }
}

/// A tick that has ticked once, so that the first look comes at once.
fn ticking() -> (Tick, mpsc::Receiver<()>) {
    let (mut tick, ticks) = mpsc::channel(0);
    send(&mut tick);
    (tick, ticks)
}

/// Ticks, and says whether someone still listens.
fn send(tick: &mut Tick) -> bool {
    // A full channel holds a tick that was not looked at yet.
    tick.try_send(()).is_ok() || !tick.is_closed()
}

fn visible(applied: &Applied) -> Option<Change> {
    let live = |record: &Option<Record>| record.as_ref().filter(|r| !r.meta.deleted).cloned();
    let (kind, record) = match (live(&applied.before), live(&applied.after)) {
        (None, None) => return None,
        (None, Some(after)) => (ChangeKind::Insert, after),
        (Some(before), None) => (ChangeKind::Delete, before),
        // The echo of an own write changes only the bookkeeping.
        (Some(before), Some(after)) if before.row == after.row => return None,
        (Some(_), Some(after)) => (ChangeKind::Update, after),
    };
    Some(Change { model: applied.model, key: applied.key.clone(), kind, record })
}
