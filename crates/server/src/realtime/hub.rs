use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use espressync_model::remote::{Change, Operation};
use espressync_model::{FieldId, ModelId, Record};
use futures::future::join_all;
use futures::{StreamExt, stream};
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::task::JoinError;

use super::group::{Group, Member};
use crate::app::AppState;
use crate::backend::Events;
use crate::graphql::{Audience, Subscription};

/// How many changes may wait to be told. Beyond it those who should be told are cut off: they
/// catch up by a delta sync.
const WAITING_CHANGES: usize = 64 * 1024;

/// How many changes are shown at a time.
const AT_ONCE: usize = 16;

/// Hands each committed change to the subscriptions that ask for it, in commit order.
///
/// The order holds for a socket as a whole and not only for each of its subscriptions: a record is
/// made, changed and deleted under three of them, and `aws-amplify` takes what comes last for the
/// newest. So all changes go through one queue; they are read and shown side by side, and told one
/// after the other.
#[derive(Debug)]
pub struct Hub {
    directory: Mutex<Directory>,
    queue: Sender<Due>,
}

/// A change, and to whom it is to be told.
#[derive(Debug)]
struct Due {
    change: Arc<Change>,
    groups: Vec<Arc<Group>>,
}

#[derive(Debug)]
struct Directory {
    places: BTreeMap<Place, Subscribers>,
    /// The number of the next subscription.
    next: u64,
    /// The other end of the queue, until the first subscription.
    waiting: Option<Receiver<Due>>,
}

/// A model and an operation.
type Place = (ModelId, u8);

/// Groups by the number of their first subscription.
type Groups = BTreeMap<u64, Arc<Group>>;

/// The subscriptions to one operation on one model.
#[derive(Debug, Default)]
struct Subscribers {
    by_audience: HashMap<Audience, (u64, Arc<Group>)>,
    /// Those whose records all have one of some texts in a field, which is most where each client
    /// asks for its own: of these only the groups of a record's own text are looked at.
    by_text: BTreeMap<FieldId, HashMap<Arc<str>, Groups>>,
    others: Groups,
}

impl Hub {
    /// A hub without subscriptions.
    #[must_use]
    pub fn new() -> Arc<Self> {
        let (queue, waiting) = channel(WAITING_CHANGES);
        let waiting = Some(waiting);
        let directory = Directory { places: BTreeMap::new(), next: 0, waiting };
        Arc::new(Self { directory: Mutex::new(directory), queue })
    }

    /// How many subscriptions there are.
    #[must_use]
    pub fn count(&self) -> usize {
        let directory = self.directory();
        let groups = directory.places.values().flat_map(|place| place.by_audience.values());
        groups.map(|(_, group)| group.len()).sum()
    }

    /// Begins a subscription: it gets every change whose commit ends after this call.
    pub(super) fn subscribe(
        self: &Arc<Self>,
        state: &Arc<AppState>,
        subscription: Subscription,
        member: Member,
    ) -> Membership {
        let place = (subscription.model, number_of(subscription.operation));
        let mut directory = self.directory();
        if let Some(waiting) = directory.waiting.take() {
            tokio::spawn(tell_all(waiting));
        }
        let number = directory.next;
        directory.next += 1;
        let subscribers = directory.places.entry(place).or_default();
        let group = subscribers.group_of(number, subscription, state);
        group.join(number, member);
        drop(directory);
        Membership { hub: Arc::clone(self), place, group, number }
    }

    fn directory(&self) -> MutexGuard<'_, Directory> {
        self.directory.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Events for Hub {
    fn publish(&self, changes: Vec<Change>) {
        let directory = self.directory();
        for change in changes {
            let place = (change.model, number_of(change.operation));
            let Some(subscribers) = directory.places.get(&place) else { continue };
            let groups = subscribers.of(&change.record);
            if groups.is_empty() {
                continue;
            }
            let due = Due { change: Arc::new(change), groups };
            if let Err(refused) = self.queue.try_send(due) {
                let due = refused.into_inner();
                due.groups.iter().for_each(|group| group.cut_off());
            }
        }
    }
}

impl Subscribers {
    /// The group that a subscription belongs to, which is a new one if nobody asks for the same.
    fn group_of(
        &mut self,
        number: u64,
        subscription: Subscription,
        state: &Arc<AppState>,
    ) -> Arc<Group> {
        if let Some((_, group)) = self.by_audience.get(&subscription.audience) {
            return Arc::clone(group);
        }
        let audience = subscription.audience.clone();
        let texts = subscription.texts.clone();
        let group = Arc::new(Group::new(subscription, Arc::clone(state)));
        self.by_audience.insert(audience, (number, Arc::clone(&group)));
        match texts {
            Some((field, texts)) => {
                let of_field = self.by_text.entry(field).or_default();
                for text in texts {
                    of_field.entry(text).or_default().insert(number, Arc::clone(&group));
                }
            }
            None => {
                self.others.insert(number, Arc::clone(&group));
            }
        }
        group
    }

    fn remove(&mut self, group: &Group) {
        let audience = &group.subscription.audience;
        let Some((number, _)) = self.by_audience.remove(audience) else { return };
        let Some((field, texts)) = &group.subscription.texts else {
            self.others.remove(&number);
            return;
        };
        let Some(of_field) = self.by_text.get_mut(field) else { return };
        for text in texts {
            if let Some(groups) = of_field.get_mut(text) {
                groups.remove(&number);
                if groups.is_empty() {
                    of_field.remove(text);
                }
            }
        }
    }

    /// The groups that ask for a record.
    fn of(&self, record: &Record) -> Vec<Arc<Group>> {
        let by_text = self.by_text.iter().filter_map(|(field, groups)| {
            let text = record.row.get(*field).as_text()?;
            groups.get(text).map(BTreeMap::values)
        });
        let candidates = by_text.flatten().chain(self.others.values());
        candidates.filter(|group| group.subscription.wants(record)).cloned().collect()
    }
}

/// Tells changes in their order, until the hub has gone.
async fn tell_all(waiting: Receiver<Due>) {
    let due =
        stream::unfold(waiting, async |mut waiting| waiting.recv().await.map(|due| (due, waiting)));
    let shown = due.map(show).buffered(AT_ONCE);
    let mut shown = std::pin::pin!(shown);
    while let Some((groups, payloads)) = shown.next().await {
        match payloads {
            Ok(payloads) => {
                groups.iter().zip(&payloads).for_each(|(group, payload)| group.tell(payload));
            }
            Err(error) => {
                tracing::error!(%error, "a change could not be told");
                groups.iter().for_each(|group| group.cut_off());
            }
        }
    }
}

/// Begins to show a change to its groups.
fn show(Due { change, groups }: Due) -> impl Future<Output = (Vec<Arc<Group>>, Shown)> {
    let asking = groups.clone();
    let shown =
        tokio::spawn(async move { join_all(asking.iter().map(|group| group.show(&change))).await });
    async { (groups, shown.await) }
}

/// What each group is told, unless showing it has panicked.
type Shown = Result<Vec<String>, JoinError>;

fn number_of(operation: Operation) -> u8 {
    match operation {
        Operation::Create => 0,
        // An undelete is told as an update.
        Operation::Update | Operation::Undelete => 1,
        Operation::Delete => 2,
    }
}

/// A subscription, which ends when this is dropped.
#[derive(Debug)]
pub(super) struct Membership {
    hub: Arc<Hub>,
    place: Place,
    group: Arc<Group>,
    number: u64,
}

impl Drop for Membership {
    fn drop(&mut self) {
        let mut directory = self.hub.directory();
        if self.group.leave(self.number)
            && let Some(subscribers) = directory.places.get_mut(&self.place)
        {
            subscribers.remove(&self.group);
        }
    }
}
