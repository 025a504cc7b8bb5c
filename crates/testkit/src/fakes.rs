//! Network, clock and disk that a test holds in its hand.

use std::cell::{Cell, RefCell};
use std::future::Future;
use std::rc::Rc;

use espressync_client::{Clock, LinkEvent, Transport};
use espressync_model::Timestamp;
use espressync_model::remote::{Answer, Change, RemoteError, RemoteErrorKind, Request};
use espressync_store::{
    Appended, Contents, Durability, Fold, Folded, LogPosition, LogRecord, MemoryStorage, SegmentId,
    Storage, StoreError, StoreErrorKind,
};
use futures::channel::{mpsc, oneshot};

use crate::fleet::Server;

/// A wire to an in-process server, which can be cut. Clones go to the same server.
#[derive(Debug, Clone)]
pub struct Line {
    server: Rc<RefCell<Server>>,
    links: Rc<RefCell<Vec<mpsc::UnboundedSender<LinkEvent>>>>,
    is_cut: Rc<Cell<bool>>,
    asked: Rc<RefCell<Vec<Request>>>,
    clock: HandClock,
}

impl Line {
    /// A line to this server, which takes its time from the clock.
    #[must_use]
    pub fn new(server: Server, clock: HandClock) -> Self {
        Self {
            server: Rc::new(RefCell::new(server)),
            links: Rc::default(),
            is_cut: Rc::default(),
            asked: Rc::default(),
            clock,
        }
    }

    /// Cuts the line, or mends it. A cut ends every realtime connection.
    pub fn cut(&self, is_cut: bool) {
        self.is_cut.set(is_cut);
        if is_cut {
            for link in self.links.borrow_mut().drain(..) {
                // A receiver that is gone need not be told.
                let _ = link.unbounded_send(LinkEvent::Closed(reset()));
            }
        }
    }

    /// What was asked so far; empties the list.
    #[must_use]
    pub fn take_asked(&self) -> Vec<Request> {
        self.asked.take()
    }

    /// Asks the server as another client would.
    ///
    /// # Panics
    /// When the server answers a request with an answer of another kind, which is a bug.
    pub fn ask_directly(&self, request: Request) -> Answer {
        let (answer, changes) = self.server.borrow_mut().answer(self.clock.now(), request);
        self.publish(&changes);
        answer
    }

    fn publish(&self, changes: &[Change]) {
        self.links.borrow_mut().retain(|link| {
            changes
                .iter()
                .all(|change| link.unbounded_send(LinkEvent::Change(change.clone())).is_ok())
        });
    }
}

fn reset() -> RemoteError {
    RemoteError::new(RemoteErrorKind::Offline, "connection reset")
}

impl Transport for Line {
    type Link = mpsc::UnboundedReceiver<LinkEvent>;

    #[allow(clippy::unused_async, reason = "the trait's signature")]
    async fn send(&self, request: Request) -> Result<Answer, RemoteError> {
        if self.is_cut.get() {
            return Err(reset());
        }
        self.asked.borrow_mut().push(request.clone());
        Ok(self.ask_directly(request))
    }

    fn connect(&self) -> Self::Link {
        let (sender, link) = mpsc::unbounded();
        let first = if self.is_cut.get() { LinkEvent::Closed(reset()) } else { LinkEvent::Ready };
        // The receiver is at hand, so this cannot fail.
        let _ = sender.unbounded_send(first);
        self.links.borrow_mut().push(sender);
        link
    }
}

/// Who sleeps until when.
type Sleeper = (Timestamp, oneshot::Sender<()>);

/// A clock that stands until it is moved.
#[derive(Debug, Clone, Default)]
pub struct HandClock {
    now: Rc<Cell<i64>>,
    sleepers: Rc<RefCell<Vec<Sleeper>>>,
    frame: Rc<Cell<u64>>,
}

impl HandClock {
    /// Has pictures drawn every so many milliseconds; at first they are drawn at once.
    pub fn draw_every(&self, milliseconds: u64) {
        self.frame.set(milliseconds);
    }

    /// Moves the clock by milliseconds and wakes who slept until then.
    pub fn advance(&self, milliseconds: i64) {
        self.now.set(self.now.get() + milliseconds);
        let now = self.now();
        let mut sleepers = self.sleepers.borrow_mut();
        let (due, rest) = sleepers.drain(..).partition(|(at, _)| *at <= now);
        *sleepers = rest;
        let due: Vec<Sleeper> = due;
        for (_, sleeper) in due {
            // Who has stopped sleeping need not be woken.
            let _ = sleeper.send(());
        }
    }
}

impl Clock for HandClock {
    fn next_frame(&self) -> impl Future<Output = ()> + 'static {
        self.sleep_until(self.now() + self.frame.get())
    }

    fn now(&self) -> Timestamp {
        Timestamp(self.now.get() + 1_000_000)
    }

    fn sleep_until(&self, deadline: Timestamp) -> impl Future<Output = ()> + 'static {
        let (sender, receiver) = oneshot::channel();
        if deadline <= self.now() {
            // The receiver is at hand, so this cannot fail.
            let _ = sender.send(());
        } else {
            self.sleepers.borrow_mut().push((deadline, sender));
        }
        async move {
            let _ = receiver.await;
        }
    }
}

/// A log in memory that can be told to fail. Clones share it.
#[derive(Debug, Clone, Default)]
pub struct FaultyDisk {
    log: MemoryStorage,
    fault: Rc<RefCell<Option<StoreErrorKind>>>,
    appends: Rc<Cell<usize>>,
    room: Rc<Cell<Option<usize>>>,
}

impl FaultyDisk {
    /// Makes every append of more bytes fail for want of room, or none.
    pub fn limit(&self, room: Option<usize>) {
        self.room.set(room);
    }

    /// Makes every write fail with this kind, or none.
    pub fn fail(&self, kind: Option<StoreErrorKind>) {
        *self.fault.borrow_mut() = kind;
    }

    /// Spoils the record that was appended last.
    pub fn corrupt_last(&self) {
        if let Some(last) = self.log.contents().log.len().checked_sub(1) {
            self.log.corrupt(last);
        }
    }

    /// How many appends were stored.
    #[must_use]
    pub fn appends(&self) -> usize {
        self.appends.get()
    }

    fn check(&self) -> Result<(), StoreError> {
        match *self.fault.borrow() {
            Some(kind) => Err(StoreError::new(kind, "the disk is told to fail")),
            None => Ok(()),
        }
    }
}

impl Storage for FaultyDisk {
    async fn load(&self) -> Result<Contents, StoreError> {
        self.log.load().await
    }

    async fn load_after(&self, after: LogPosition) -> Result<Vec<LogRecord>, StoreError> {
        self.log.load_after(after).await
    }

    async fn append(
        &self,
        last: LogPosition,
        bytes: &[u8],
        durability: Durability,
    ) -> Result<Appended, StoreError> {
        self.check()?;
        if self.room.get().is_some_and(|room| bytes.len() > room) {
            return Err(StoreError::new(StoreErrorKind::Quota, "the disk has no room for this"));
        }
        let appended = self.log.append(last, bytes, durability).await?;
        if matches!(appended, Appended::At(_)) {
            self.appends.set(self.appends.get() + 1);
        }
        Ok(appended)
    }

    async fn replace(&self, last: LogPosition, bytes: &[u8]) -> Result<Appended, StoreError> {
        self.check()?;
        self.log.replace(last, bytes).await
    }

    async fn stage(&self, segments: &[Vec<u8>]) -> Result<Vec<SegmentId>, StoreError> {
        self.check()?;
        self.log.stage(segments).await
    }

    async fn fold(&self, fold: Fold<'_>) -> Result<Folded, StoreError> {
        self.check()?;
        self.log.fold(fold).await
    }
}
