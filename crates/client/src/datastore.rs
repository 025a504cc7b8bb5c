use std::cell::RefCell;
use std::fmt;
use std::rc::Rc;

use espressync_model::Schema;
use espressync_store::{Applied, OpenReport, Storage, Store};
use espressync_sync::{Config, Engine, Intent, SyncStatus};
use futures::FutureExt;
use futures::channel::{mpsc, oneshot};
use futures::future::LocalBoxFuture;

use crate::driver::{Command, Driver, Written};
use crate::observe::Observers;
use crate::{ClientError, Clock, Transport};

/// What handles and driver share.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) store: RefCell<Store>,
    pub(crate) observers: Observers,
    pub(crate) status: RefCell<SyncStatus>,
    pub(crate) frames: Frames,
}

impl Shared {
    /// Tells observers of what was stored. Called when no one holds the store.
    pub(crate) fn tell(&self, applied: &[Applied]) {
        self.observers.tell(&self.store.borrow(), applied);
    }
}

/// When the next picture is drawn.
pub(crate) struct Frames(Box<dyn Fn() -> LocalBoxFuture<'static, ()>>);

impl Frames {
    /// The next frame.
    pub(crate) fn next(&self) -> LocalBoxFuture<'static, ()> {
        (self.0)()
    }
}

impl fmt::Debug for Frames {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Frames")
    }
}

/// The handle of a data store. Clones are the same store.
///
/// Its methods are in the files of what they do: `reads`, `writes`, `lifecycle`, `observe`.
#[derive(Debug, Clone)]
pub struct DataStore {
    pub(crate) shared: Rc<Shared>,
    commands: mpsc::UnboundedSender<Command>,
}

impl DataStore {
    /// Opens the store that `storage` holds. Nothing is written until the [`Driver`] runs, and no
    /// network is used until [`DataStore::start`].
    ///
    /// # Errors
    /// [`ClientError::Store`]: no database, or one of a newer version, which is left untouched.
    pub async fn open<S: Storage, T: Transport + 'static, C: Clock + 'static>(
        schema: Schema,
        storage: S,
        transport: T,
        clock: C,
        config: Config,
    ) -> Result<(Self, Driver<S, T, C>, OpenReport), ClientError> {
        let schema = Rc::new(schema);
        let (store, report) = Store::open(Rc::clone(&schema), storage.load().await?)?;
        let engine = Engine::new(schema, config);
        let clock = Rc::new(clock);
        let shared = Rc::new(Shared {
            status: RefCell::new(engine.status(&store)),
            store: RefCell::new(store),
            observers: Observers::default(),
            frames: Frames({
                let clock = Rc::clone(&clock);
                Box::new(move || clock.next_frame().boxed_local())
            }),
        });
        let (commands, received) = mpsc::unbounded();
        let driver = Driver::new(Rc::clone(&shared), received, engine, storage, transport, clock);
        Ok((Self { shared, commands }, driver, report))
    }

    /// The schema.
    #[must_use]
    pub fn schema(&self) -> Rc<Schema> {
        self.shared.store.borrow().shared_schema()
    }

    pub(crate) async fn carry_out(&self, intent: Intent) -> Written {
        let (reply, answer) = oneshot::channel();
        self.command(Command::Intent(intent, reply));
        answer.await.map_err(|_| ClientError::Closed)?
    }

    /// Whether there is no driver any more.
    pub(crate) fn is_closed(&self) -> bool {
        self.commands.is_closed()
    }

    /// Without a driver the command, and with it the reply, is dropped, which the caller sees.
    pub(crate) fn command(&self, command: Command) {
        let _ = self.commands.unbounded_send(command);
    }
}
