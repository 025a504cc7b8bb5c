use std::fmt;

use espressync_model::{Key, ModelId, Record, Timestamp};
use espressync_store::Pending;
use futures::FutureExt;
use futures::channel::oneshot;
use futures::future::LocalBoxFuture;
use futures::lock::Mutex;

use crate::driver::Command;
use crate::{ClientError, DataStore};

/// What becomes of changes that the server does not have yet when a store is cleared.
#[derive(Debug, Clone, PartialEq)]
pub enum IfPending {
    /// Then nothing is cleared.
    Refuse,
    /// They are sent first. If some are left after so many milliseconds, or can never be sent
    /// because the server has refused them, nothing is cleared. Sync must run.
    Wait {
        /// How long, in milliseconds.
        at_most: u64,
    },
    /// They go, as they are all in this export, which the caller has kept somewhere. If any other
    /// change waits by now, nothing is cleared.
    Export(Export),
    /// They are lost. For when the user has been told how many.
    Lose,
}

/// Every change that waits to be sent or was refused, as it was at one moment.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Export {
    /// The changes, in the order in which they would be sent.
    pub changes: Vec<Waiting>,
}

/// A record's change that waits.
#[derive(Debug, Clone, PartialEq)]
pub struct Waiting {
    /// The model.
    pub model: ModelId,
    /// The record's key.
    pub key: Key,
    /// The record as the user sees it; a tombstone where it is to be deleted.
    pub record: Option<Record>,
    /// What it owes the server.
    pub pending: Pending,
}

impl Export {
    /// Whether a change that waits is in the export, whatever has become of its journey since.
    pub(crate) fn holds(&self, model: ModelId, key: &Key, pending: &Pending) -> bool {
        let asks = |pending: &Pending| {
            let fields = pending.fields.iter().map(|(field, waits)| (*field, waits.value.clone()));
            let fields: Vec<_> = fields.collect();
            let mut counts: Vec<_> =
                pending.additions.iter().map(|(field, amount)| (*field, amount.clone())).collect();
            let attempted = pending.attempt.iter().flat_map(|attempt| &attempt.additions);
            counts.extend(attempted.map(|(field, (_, amount))| (*field, amount.clone())));
            (fields, counts, pending.is_delete, pending.is_undelete)
        };
        self.changes
            .iter()
            .any(|it| it.model == model && it.key == *key && asks(&it.pending) == asks(pending))
    }
}

/// A clear that waits for the outbox to empty.
#[derive(Debug)]
pub(crate) struct WaitingClear {
    pub(crate) deadline: Timestamp,
    pub(crate) reply: oneshot::Sender<Result<(), ClientError>>,
}

/// Start, stop, clear, close. What is asked is done in the order in which it was asked, by
/// whichever handle; each is done in the time of one transaction, or in the time that it names.
impl DataStore {
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

    /// Empties the local database, in one transaction.
    ///
    /// # Errors
    /// [`ClientError::Unsent`] when changes wait that `if_pending` does not give up: then nothing
    /// is cleared. [`ClientError::Store`], [`ClientError::Closed`].
    pub async fn clear(&self, if_pending: IfPending) -> Result<(), ClientError> {
        let (reply, answer) = oneshot::channel();
        self.command(Command::Clear { if_pending, reply });
        answer.await.map_err(|_| ClientError::Closed)?
    }

    /// Everything that waits to be sent or was refused, to be kept before a
    /// [clear](DataStore::clear).
    #[must_use]
    pub fn export_waiting(&self) -> Export {
        let store = self.shared.store.borrow();
        let changes = store.outbox().iter().map(|(model, key, pending)| Waiting {
            model,
            key: key.clone(),
            record: store.record(model, key).cloned(),
            pending: pending.clone(),
        });
        Export { changes: changes.collect() }
    }

    /// Ends the driver, once everything that was asked before is done. Rows stay, and so do
    /// changes that wait to be sent. Streams end, and what is asked later is answered with
    /// [`ClientError::Closed`]; reads go on to show what was there.
    pub async fn close(&self) {
        let (reply, answer) = oneshot::channel();
        self.command(Command::Close(reply));
        // No answer: it was closed already.
        let _ = answer.await;
    }
}

/// The stores of several users or shops on one device, of which one is open at a time. Each has a
/// database of its own, so what one has waiting is there when it is opened again.
pub struct Namespaces {
    open: Box<Open>,
    current: Mutex<Option<(String, DataStore)>>,
}

/// Opens the store of a name.
type Open = dyn Fn(String) -> LocalBoxFuture<'static, Result<DataStore, ClientError>>;

impl fmt::Debug for Namespaces {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Namespaces").field("current", &self.current).finish_non_exhaustive()
    }
}

impl Namespaces {
    /// No store is open yet. `open` opens the store of a name and spawns its driver.
    pub fn new<F: Future<Output = Result<DataStore, ClientError>> + 'static>(
        open: impl Fn(String) -> F + 'static,
    ) -> Self {
        Self { open: Box::new(move |name| open(name).boxed_local()), current: Mutex::new(None) }
    }

    /// The store of this name. The one that was open is closed first, so that no two users' data
    /// are open at once; calls that come together take turns.
    ///
    /// # Errors
    /// Those of opening; then no store is open.
    pub async fn switch(&self, name: &str) -> Result<DataStore, ClientError> {
        let mut current = self.current.lock().await;
        if let Some((of, store)) = current.as_ref()
            && of == name
            && !store.is_closed()
        {
            return Ok(store.clone());
        }
        if let Some((_, before)) = current.take() {
            before.close().await;
        }
        let store = (self.open)(name.to_owned()).await?;
        *current = Some((name.to_owned(), store.clone()));
        Ok(store)
    }

    /// Closes the store that is open, as when a user signs out.
    pub async fn close(&self) {
        if let Some((_, store)) = self.current.lock().await.take() {
            store.close().await;
        }
    }
}
