use std::cell::RefCell;
use std::pin::Pin;
use std::rc::{Rc, Weak};
use std::task::{Context, Poll};

use espressync_model::{
    Entity, Key, Model, ModelError, ModelId, Predicate, Query, Record, Row, Schema,
};
use espressync_store::{Applied, Cause, Store};
use espressync_sync::SyncStatus;
use futures::channel::mpsc;
use futures::future::LocalBoxFuture;
use futures::{Stream, StreamExt};

use crate::datastore::Shared;
use crate::live::{Live, repeat};
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
///
/// There is one for each: the server's answer to an own write, and that write as a subscription
/// tells it, are silent, also where they fill in what only the server writes. An answer that brings
/// more is a change by [`Cause::Merge`].
#[derive(Debug, Clone, PartialEq)]
pub struct Change {
    /// The model.
    pub model: ModelId,
    /// The record's key.
    pub key: Key,
    /// What became of it.
    pub kind: ChangeKind,
    /// How it came about.
    pub cause: Cause,
    /// The record as it is, or as it last was.
    pub record: Record,
}

/// The answer to a live query. Items are shared between snapshots, as long as they stay the same.
#[derive(Debug, Clone, PartialEq)]
pub struct Snapshot<T> {
    /// What the query finds now.
    pub items: Rc<Vec<Rc<T>>>,
    /// Whether the model has been synced with the server.
    pub is_synced: bool,
}

/// Observation: streams that end when they are dropped, or when the store is closed.
impl DataStore {
    /// Every visible change, of one model or of all, from now on.
    pub fn observe(&self, model: Option<ModelId>) -> impl Stream<Item = Change> + use<> {
        let watch = model.map_or(Watch::All, Watch::Model);
        self.shared.observers.changes(watch)
    }

    /// Every visible change of one record from now on. It need not be there yet.
    pub fn observe_record(&self, model: ModelId, key: Key) -> impl Stream<Item = Change> + use<> {
        self.shared.observers.changes(Watch::Record(model, key))
    }

    /// Every visible change from now on that leaves a record that matches, and every deletion of
    /// one that matched. A predicate through relations is asked when the record itself changes.
    ///
    /// # Errors
    /// [`ClientError::Model`] for a predicate that cannot be asked.
    pub fn observe_where(
        &self,
        model: ModelId,
        predicate: Predicate,
    ) -> Result<impl Stream<Item = Change> + use<>, ClientError> {
        let schema = self.schema();
        predicate.check_in(&schema, schema.known(model)?)?;
        Ok(self.shared.observers.changes(Watch::Matching(model, predicate)))
    }

    /// What a query finds: at once, and again after every change of it, at most once a frame. It
    /// is kept current change by change and not asked anew: a write that does not concern it costs
    /// it nothing. Changes of a page's earlier rows move the page.
    ///
    /// # Errors
    /// [`ClientError::Model`] for a query that cannot be answered, at once; as the stream's items
    /// for a stored row that does not fit the entity.
    pub fn observe_query<E: Entity>(
        &self,
        query: Query,
    ) -> Result<impl Stream<Item = Result<Snapshot<E>, ClientError>> + Unpin + use<E>, ClientError>
    {
        self.snapshots(E::MODEL, query, E::from_row)
    }

    /// As [`DataStore::observe_query`], for any model: the rows that a query finds.
    ///
    /// # Errors
    /// [`ClientError::Model`] for a query that cannot be answered.
    pub fn observe_rows(
        &self,
        model: ModelId,
        query: Query,
    ) -> Result<impl Stream<Item = Result<Snapshot<Row>, ClientError>> + Unpin + use<>, ClientError>
    {
        self.snapshots(model, query, |_, row| Ok(row.clone()))
    }

    fn snapshots<T>(
        &self,
        model: ModelId,
        query: Query,
        make: Make<T>,
    ) -> Result<Snapshots<T>, ClientError> {
        query.check_in(&self.schema(), model)?;
        let live = Live::new(&self.shared.store.borrow(), model, query);
        let live = Rc::new(RefCell::new(live));
        self.shared.observers.query(&live);
        let shared = Rc::clone(&self.shared);
        Ok(Snapshots { shared, live, make, items: Rc::default(), frame: None, is_first: true })
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

    /// How many rows all live queries have looked at to stay current, since each was made. For
    /// whoever wants to know what observation costs.
    #[must_use]
    pub fn rows_looked_at(&self) -> u64 {
        self.shared.observers.rows_looked_at()
    }
}

/// Makes an item of a row.
type Make<T> = fn(&Model, &Row) -> Result<T, ModelError>;

/// The snapshots of a live query.
struct Snapshots<T> {
    shared: Rc<Shared>,
    live: Rc<RefCell<Live>>,
    make: Make<T>,
    /// The items of the rows that are held.
    items: Rc<Vec<Rc<T>>>,
    /// The end of the frame in which something was shown.
    frame: Option<LocalBoxFuture<'static, ()>>,
    is_first: bool,
}

impl<T> Stream for Snapshots<T> {
    type Item = Result<Snapshot<T>, ClientError>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        if this.shared.observers.are_over() && !this.is_first {
            return Poll::Ready(None);
        }
        {
            let mut live = this.live.borrow_mut();
            if !live.is_dirty {
                live.waker = Some(context.waker().clone());
                return Poll::Pending;
            }
        }
        if let Some(frame) = &mut this.frame
            && frame.as_mut().poll(context).is_pending()
        {
            return Poll::Pending;
        }
        // A change that comes alone is shown at once; those after it share the next frame.
        this.frame = Some(this.shared.frames.next());
        this.is_first = false;
        Poll::Ready(Some(this.snapshot()))
    }
}

impl<T> Snapshots<T> {
    fn snapshot(&mut self) -> Result<Snapshot<T>, ClientError> {
        let store = self.shared.store.borrow();
        let mut live = self.live.borrow_mut();
        live.is_dirty = false;
        let model = store.schema().model(live.model());
        let make = |row: &Row| (self.make)(model, row).map(Rc::new);
        // Whoever keeps an earlier snapshot keeps it as it was.
        let repeated = repeat(Rc::make_mut(&mut self.items), live.take_edits(), make);
        if !matches!(repeated, Ok(true)) {
            let items: Result<Vec<Rc<T>>, ModelError> = live.rows().map(make).collect();
            if items.is_err() {
                live.lose_track();
            }
            self.items = Rc::new(items?);
        }
        let (start, end) = live.window();
        let (start, end) = (start.min(self.items.len()), end.min(self.items.len()));
        let items = if (start, end) == (0, self.items.len()) {
            Rc::clone(&self.items)
        } else {
            Rc::new(self.items[start..end].to_vec())
        };
        live.was_synced = store.cursor(live.model()).is_some();
        Ok(Snapshot { items, is_synced: live.was_synced })
    }
}

/// Which changes someone wants to hear of.
#[derive(Debug)]
pub(crate) enum Watch {
    All,
    Model(ModelId),
    Record(ModelId, Key),
    Matching(ModelId, Predicate),
}

impl Watch {
    fn wants(&self, store: &Store, change: &Change) -> bool {
        match self {
            Self::All => true,
            Self::Model(model) => change.model == *model,
            Self::Record(model, key) => change.model == *model && change.key == *key,
            Self::Matching(model, predicate) => {
                change.model == *model && store.matches(*model, predicate, &change.record.row)
            }
        }
    }
}

/// Who wants to know what.
#[derive(Debug, Default)]
pub(crate) struct Observers(RefCell<Lists>);

#[derive(Debug, Default)]
struct Lists {
    changes: Vec<(Watch, mpsc::UnboundedSender<Change>)>,
    queries: Vec<Weak<RefCell<Live>>>,
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
    fn changes(&self, watch: Watch) -> mpsc::UnboundedReceiver<Change> {
        let (sender, receiver) = mpsc::unbounded();
        self.0.borrow_mut().add(|lists| &mut lists.changes, (watch, sender));
        receiver
    }

    fn query(&self, live: &Rc<RefCell<Live>>) {
        self.0.borrow_mut().add(|lists| &mut lists.queries, Rc::downgrade(live));
    }

    fn status(&self) -> mpsc::Receiver<()> {
        // A tick that has ticked once, so that the first look comes at once.
        let (mut tick, ticks) = mpsc::channel(0);
        send(&mut tick);
        self.0.borrow_mut().add(|lists| &mut lists.status, tick);
        ticks
    }

    fn are_over(&self) -> bool {
        self.0.borrow().is_over
    }

    fn rows_looked_at(&self) -> u64 {
        let lists = self.0.borrow();
        let queries = lists.queries.iter().filter_map(Weak::upgrade);
        queries.map(|live| live.borrow().looked_at).sum()
    }

    /// Ends every stream.
    pub(crate) fn end(&self) {
        let ended = self.0.replace(Lists { is_over: true, ..Lists::default() });
        for live in ended.queries.iter().filter_map(Weak::upgrade) {
            live.borrow_mut().touch();
        }
    }

    /// Tells of what was stored.
    pub(crate) fn tell(&self, store: &Store, applied: &[Applied]) {
        let mut lists = self.0.borrow_mut();
        lists.changes.retain(|(_, sender)| !sender.is_closed());
        if !lists.changes.is_empty() {
            for change in applied.iter().filter_map(|applied| visible(store.schema(), applied)) {
                let wanting = lists.changes.iter().filter(|(watch, _)| watch.wants(store, &change));
                for (_, sender) in wanting {
                    // A closed receiver is dropped from the list next time.
                    let _ = sender.unbounded_send(change.clone());
                }
            }
        }
        lists.queries.retain(|live| {
            let Some(live) = live.upgrade() else { return false };
            let mut live = live.borrow_mut();
            live.apply(store, applied);
            if store.cursor(live.model()).is_some() != live.was_synced {
                live.touch();
            }
            true
        });
    }

    /// Tells that the status may have changed.
    pub(crate) fn tell_status(&self) {
        self.0.borrow_mut().status.retain_mut(send);
    }
}

/// Ticks, and says whether someone still listens.
fn send(tick: &mut Tick) -> bool {
    // A full channel holds a tick that was not looked at yet.
    tick.try_send(()).is_ok() || !tick.is_closed()
}

fn visible(schema: &Schema, applied: &Applied) -> Option<Change> {
    let live = |record: &Option<Record>| record.as_ref().filter(|r| !r.meta.deleted).cloned();
    let (kind, record) = match (live(&applied.before), live(&applied.after)) {
        (None, None) => return None,
        (None, Some(after)) => (ChangeKind::Insert, after),
        (Some(before), None) => (ChangeKind::Delete, before),
        (Some(before), Some(after)) => {
            let model = schema.model(applied.model);
            let mut fields = model.fields().filter(|(_, field)| !field.is_read_only);
            if fields.all(|(id, _)| before.row.get(id) == after.row.get(id)) {
                return None;
            }
            (ChangeKind::Update, after)
        }
    };
    let (model, key, cause) = (applied.model, applied.key.clone(), applied.cause);
    Some(Change { model, key, kind, cause, record })
}
