use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use espressync_model::ModelId;
use espressync_model::remote::{Change, Operation};
use tokio::sync::mpsc::{Receiver, Sender, channel};

use crate::backend::Events;
use crate::graphql::Subscription;

/// How many changes may wait for one subscription. One that falls behind further is cut off: it
/// catches up by a delta sync, and holds up nobody.
const WAITING_CHANGES: usize = 1024;

/// Hands each committed change to the subscriptions that ask for it, in commit order.
#[derive(Debug)]
pub struct Hub {
    subscribers: Mutex<Subscribers>,
}

/// By model and operation, then by number.
type Subscribers = BTreeMap<(ModelId, u8), BTreeMap<u64, Subscriber>>;

#[derive(Debug)]
struct Subscriber {
    subscription: Arc<Subscription>,
    changes: Sender<Arc<Change>>,
}

impl Hub {
    /// A hub without subscriptions.
    #[must_use]
    pub fn new() -> Arc<Self> {
        Arc::new(Self { subscribers: Mutex::default() })
    }

    /// How many subscriptions there are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.subscribers().values().map(BTreeMap::len).sum()
    }

    /// Begins a subscription: it gets every change whose commit ends after this call.
    pub(super) fn subscribe(self: &Arc<Self>, subscription: Arc<Subscription>) -> Changes {
        let (changes, receiver) = channel(WAITING_CHANGES);
        let place = (subscription.model, number_of(subscription.operation));
        let mut subscribers = self.subscribers();
        let here = subscribers.entry(place).or_default();
        let number = here.last_key_value().map_or(0, |(last, _)| last + 1);
        here.insert(number, Subscriber { subscription, changes });
        drop(subscribers);
        Changes { hub: Arc::clone(self), place, number, receiver }
    }

    fn subscribers(&self) -> MutexGuard<'_, Subscribers> {
        self.subscribers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Events for Hub {
    fn publish(&self, changes: Vec<Change>) {
        let mut subscribers = self.subscribers();
        for change in changes {
            let Some(here) = subscribers.get_mut(&(change.model, number_of(change.operation)))
            else {
                continue;
            };
            let change = Arc::new(change);
            here.retain(|_, subscriber| {
                !subscriber.subscription.wants(&change)
                    || subscriber.changes.try_send(Arc::clone(&change)).is_ok()
            });
        }
    }
}

fn number_of(operation: Operation) -> u8 {
    match operation {
        Operation::Create => 0,
        // An undelete is told as an update.
        Operation::Update | Operation::Undelete => 1,
        Operation::Delete => 2,
    }
}

/// The changes of one subscription, which ends when this is dropped.
#[derive(Debug)]
pub(super) struct Changes {
    hub: Arc<Hub>,
    place: (ModelId, u8),
    number: u64,
    receiver: Receiver<Arc<Change>>,
}

impl Changes {
    /// The next change; `None` once the subscription has fallen too far behind.
    pub(super) async fn next(&mut self) -> Option<Arc<Change>> {
        self.receiver.recv().await
    }
}

impl Drop for Changes {
    fn drop(&mut self) {
        if let Some(here) = self.hub.subscribers().get_mut(&self.place) {
            here.remove(&self.number);
        }
    }
}
