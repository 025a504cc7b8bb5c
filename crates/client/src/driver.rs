use std::collections::VecDeque;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use espressync_model::remote::{Answer, RemoteError, RemoteErrorKind};
use espressync_model::{Key, ModelId, Record, Timestamp};
use espressync_store::{
    Appended, Batch, Durability, LogPosition, LogRecord, Pending, Storage, StoreError,
};
use espressync_sync::{
    CommitId, Effect, Engine, Input, Intent, LinkEvent, LinkId, Prepared, RequestId, prepare,
};
use futures::channel::{mpsc, oneshot};
use futures::stream::FuturesUnordered;
use futures::{FutureExt, StreamExt};

use crate::datastore::Shared;
use crate::lifecycle::WaitingClear;
use crate::{ClientError, Clock, IfPending, Transport};

/// What a user's intent came to.
pub(crate) type Written = Result<Vec<(ModelId, Record)>, ClientError>;

/// What a handle asks of the driver.
#[derive(Debug)]
pub(crate) enum Command {
    Start,
    Stop,
    Connectivity(bool),
    Intent(Intent, oneshot::Sender<Written>),
    Clear { if_pending: IfPending, reply: oneshot::Sender<Result<(), ClientError>> },
    Close(oneshot::Sender<()>),
}

/// What the driver wakes for.
enum Event {
    Command(Command),
    /// Every handle is gone.
    Abandoned,
    Answered(RequestId, Result<Answer, RemoteError>),
    Link(LinkId, LinkEvent),
    Deadline,
}

/// Who wants something stored.
#[derive(Debug)]
enum Origin {
    User(oneshot::Sender<Written>),
    Engine(CommitId),
}

type Sending = Pin<Box<dyn Future<Output = (RequestId, Result<Answer, RemoteError>)>>>;
type Timer = (Timestamp, Pin<Box<dyn Future<Output = ()>>>);

/// Runs the engine: carries out its effects, feeds their answers back, and stores what users and
/// engine want stored, everything that is ready at one moment in one transaction.
pub struct Driver<S, T: Transport, C> {
    shared: Rc<Shared>,
    commands: mpsc::UnboundedReceiver<Command>,
    engine: Engine,
    storage: S,
    transport: Rc<T>,
    clock: Rc<C>,
    sends: FuturesUnordered<Sending>,
    link: Option<(LinkId, T::Link)>,
    timer: Option<Timer>,
    effects: VecDeque<Effect>,
    to_store: Vec<(Origin, Vec<Intent>)>,
    /// Those that wait for the outbox to empty.
    clears: Vec<WaitingClear>,
    is_running: bool,
}

impl<S: Storage, T: Transport + 'static, C: Clock> Driver<S, T, C> {
    pub(crate) fn new(
        shared: Rc<Shared>,
        commands: mpsc::UnboundedReceiver<Command>,
        engine: Engine,
        storage: S,
        transport: T,
        clock: Rc<C>,
    ) -> Self {
        Self {
            shared,
            commands,
            engine,
            storage,
            transport: Rc::new(transport),
            clock,
            sends: FuturesUnordered::new(),
            link: None,
            timer: None,
            effects: VecDeque::new(),
            to_store: Vec::new(),
            clears: Vec::new(),
            is_running: false,
        }
    }

    /// Runs until every handle is dropped. Dropping the future stops at once; what was not
    /// resolved by then is not stored.
    pub async fn run(mut self) {
        loop {
            let event = self.next_event().await;
            if self.handle(event).await {
                return;
            }
            // What else is ready now shares the transaction.
            while let Some(event) = self.next_event().now_or_never() {
                if self.handle(event).await {
                    return;
                }
            }
            self.store_rest().await;
            self.tend_clears().await;
            self.set_timer();
            self.tell_status();
        }
    }

    /// Stores until nothing waits to be stored: what was asked before is done before.
    async fn store_rest(&mut self) {
        while !self.to_store.is_empty() {
            self.store_all().await;
        }
    }

    /// The next thing that happens. Cancel-safe.
    fn next_event(&mut self) -> impl Future<Output = Event> {
        poll_fn(|context| self.poll_event(context))
    }

    fn poll_event(&mut self, context: &mut Context<'_>) -> Poll<Event> {
        match self.commands.poll_next_unpin(context) {
            Poll::Ready(Some(command)) => return Poll::Ready(Event::Command(command)),
            Poll::Ready(None) => return Poll::Ready(Event::Abandoned),
            Poll::Pending => {}
        }
        if let Poll::Ready(Some((id, answer))) = self.sends.poll_next_unpin(context) {
            return Poll::Ready(Event::Answered(id, answer));
        }
        if let Some((id, link)) = &mut self.link
            && let Poll::Ready(event) = link.poll_next_unpin(context)
        {
            let id = *id;
            let event = event.unwrap_or_else(|| {
                let message = "the realtime connection ended without a word";
                LinkEvent::Closed(RemoteError::new(RemoteErrorKind::Offline, message))
            });
            if matches!(event, LinkEvent::Closed(_)) {
                self.link = None;
            }
            return Poll::Ready(Event::Link(id, event));
        }
        if let Some((_, timer)) = &mut self.timer
            && timer.as_mut().poll(context).is_ready()
        {
            self.timer = None;
            return Poll::Ready(Event::Deadline);
        }
        Poll::Pending
    }

    /// Takes an event in; says whether it was the last.
    async fn handle(&mut self, event: Event) -> bool {
        match event {
            Event::Abandoned => return true,
            Event::Answered(id, answer) => self.step(Input::Answered(id, answer)),
            Event::Link(id, event) => self.step(Input::Link(id, event)),
            Event::Deadline => self.step(Input::Wake),
            Event::Command(Command::Start) => {
                self.is_running = true;
                self.step(Input::Start);
            }
            Event::Command(Command::Stop) => {
                self.is_running = false;
                self.step(Input::Stop);
            }
            Event::Command(Command::Connectivity(is_online)) => {
                self.step(Input::Connectivity { is_online });
            }
            Event::Command(Command::Intent(intent, reply)) => {
                self.to_store.push((Origin::User(reply), vec![intent]));
            }
            Event::Command(Command::Clear { if_pending: IfPending::Wait { at_most }, reply }) => {
                let deadline = self.clock.now() + at_most;
                self.clears.push(WaitingClear { deadline, reply });
            }
            Event::Command(Command::Clear { if_pending, reply }) => {
                self.store_rest().await;
                let cleared = self.clear(&if_pending).await;
                // A caller that no longer waits does not want the answer.
                let _ = reply.send(cleared);
            }
            Event::Command(Command::Close(reply)) => {
                self.store_rest().await;
                self.refuse_clears(|_| true);
                let _ = reply.send(());
                return true;
            }
        }
        false
    }

    fn step(&mut self, input: Input) {
        let effects = self.engine.step(self.clock.now(), &self.shared.store.borrow(), input);
        self.effects.extend(effects);
        while let Some(effect) = self.effects.pop_front() {
            self.carry_out(effect);
        }
    }

    fn carry_out(&mut self, effect: Effect) {
        match effect {
            Effect::Send(id, request) => {
                let transport = Rc::clone(&self.transport);
                self.sends.push(Box::pin(async move { (id, transport.send(request).await) }));
            }
            Effect::Connect(id) => self.link = Some((id, self.transport.connect())),
            Effect::Disconnect(id) => {
                self.link.take_if(|(current, _)| *current == id);
            }
            Effect::Commit(id, intents) => self.to_store.push((Origin::Engine(id), intents)),
        }
    }

    /// Stores everything that waits to be stored, in one transaction.
    async fn store_all(&mut self) {
        let mut origins = Vec::new();
        let mut intents = Vec::new();
        for (origin, wanted) in self.to_store.drain(..) {
            origins.push((origin, wanted.len()));
            intents.extend(wanted);
        }
        let is_users = origins.iter().any(|(origin, _)| matches!(origin, Origin::User(_)));
        let durability = if is_users { Durability::Strict } else { Durability::Relaxed };
        let outcomes = match self.commit(&intents, durability).await {
            Ok(outcomes) => outcomes,
            Err(error) => self.store_users(&origins, intents, &error).await,
        };
        let mut outcomes = outcomes.into_iter();
        for (origin, count) in origins {
            let mut own = outcomes.by_ref().take(count);
            match origin {
                Origin::User(reply) => {
                    let outcome = own.next().unwrap_or(Err(ClientError::Closed));
                    // A caller that no longer waits does not want the answer.
                    let _ = reply.send(outcome);
                }
                Origin::Engine(id) => {
                    let is_stored =
                        own.all(|outcome| !matches!(outcome, Err(ClientError::Store(_))));
                    self.step(Input::Committed(id, is_stored));
                }
            }
        }
        if is_users {
            self.step(Input::Changed);
        }
    }

    /// What became of the intents of a transaction that failed. A user's save must not fail for
    /// the size of a sync's answer that came at the same moment, so users get a second one.
    async fn store_users(
        &mut self,
        origins: &[(Origin, usize)],
        intents: Vec<Intent>,
        error: &StoreError,
    ) -> Vec<Written> {
        let of_users = origins.iter().flat_map(|(origin, count)| {
            std::iter::repeat_n(matches!(origin, Origin::User(_)), *count)
        });
        let of_users: Vec<bool> = of_users.collect();
        let pairs = intents.into_iter().zip(&of_users);
        let users: Vec<Intent> =
            pairs.filter(|(_, is_user)| **is_user).map(|(intent, _)| intent).collect();
        let failed = || Err(ClientError::Store(error.clone()));
        let is_mixed = !users.is_empty() && users.len() < of_users.len();
        let again =
            if is_mixed { self.commit(&users, Durability::Strict).await.ok() } else { None };
        let mut again = again.into_iter().flatten();
        let written = of_users
            .iter()
            .map(|is_user| if *is_user { again.next().unwrap_or_else(failed) } else { failed() });
        written.collect()
    }

    /// Prepares, appends and applies; starts over when another tab was faster.
    async fn commit(
        &mut self,
        intents: &[Intent],
        durability: Durability,
    ) -> Result<Vec<Written>, StoreError> {
        self.write_layout().await?;
        loop {
            let (prepared, bytes, last) = {
                let store = self.shared.store.borrow();
                store.check_current()?;
                let prepared = prepare(&store, intents);
                let bytes = store.batch_record(&prepared.batch);
                (prepared, bytes, store.position())
            };
            let Prepared { batch, outcomes } = prepared;
            let outcomes = outcomes.into_iter().map(|done| done.map_err(Into::into)).collect();
            if batch.is_empty() {
                // What was refused, or found to change nothing, was held against what this tab
                // knows. Another may have written since, which an append would have told.
                let missed = match durability {
                    Durability::Strict => self.storage.load_after(last).await?,
                    Durability::Relaxed => Vec::new(),
                };
                if missed.is_empty() {
                    return Ok(outcomes);
                }
                self.catch_up(&missed)?;
                continue;
            }
            match self.storage.append(last, &bytes, durability).await? {
                Appended::At(position) => {
                    self.apply(batch, position);
                    return Ok(outcomes);
                }
                Appended::Behind(records) => self.catch_up(&records)?,
            }
        }
    }

    /// Makes sure that the log says in which layout the next batch is written.
    async fn write_layout(&mut self) -> Result<(), StoreError> {
        loop {
            let (record, last) = {
                let store = self.shared.store.borrow();
                (store.layout_record(), store.position())
            };
            let Some(bytes) = record else { return Ok(()) };
            match self.storage.append(last, &bytes, Durability::Relaxed).await? {
                Appended::At(position) => self.catch_up(&[LogRecord { position, bytes }])?,
                Appended::Behind(records) => self.catch_up(&records)?,
            }
        }
    }

    fn apply(&mut self, batch: Batch, position: LogPosition) {
        let applied = {
            let mut store = self.shared.store.borrow_mut();
            store.advance(position);
            store.apply(batch)
        };
        self.shared.tell(&applied);
    }

    fn catch_up(&mut self, records: &[LogRecord]) -> Result<(), StoreError> {
        let mut told = Vec::new();
        let caught_up = {
            let mut store = self.shared.store.borrow_mut();
            store.catch_up(records, |applied| told.extend_from_slice(applied))
        };
        self.shared.tell(&told);
        // What could not be read is passed over: opening the store again says so by name, and
        // until then this tab must be able to write.
        caught_up.map(|_| ())
    }

    /// Clears for those who wait, once nothing waits to be sent or nothing more will be; gives up
    /// for those whose time is over.
    async fn tend_clears(&mut self) {
        if self.clears.is_empty() {
            return;
        }
        let waiting = self.shared.store.borrow().outbox().waiting();
        if waiting == 0 {
            for WaitingClear { reply, .. } in std::mem::take(&mut self.clears) {
                // Another tab may have written meanwhile, or the server refused for good.
                let _ = reply.send(self.clear(&IfPending::Refuse).await);
            }
        }
        let now = self.clock.now();
        self.refuse_clears(|clear| clear.deadline <= now);
    }

    fn refuse_clears(&mut self, is_over: impl Fn(&WaitingClear) -> bool) {
        let count = self.shared.store.borrow().outbox().iter().count();
        for clear in self.clears.extract_if(.., |clear| is_over(clear)) {
            let _ = clear.reply.send(Err(ClientError::Unsent { count }));
        }
    }

    async fn clear(&mut self, if_pending: &IfPending) -> Result<(), ClientError> {
        // What other tabs have stored counts too.
        let last = self.shared.store.borrow().position();
        let mut missed = self.storage.load_after(last).await?;
        loop {
            self.catch_up(&missed)?;
            let (last, bytes) = {
                let store = self.shared.store.borrow();
                store.check_current()?;
                let is_kept = |(model, key, pending): &(ModelId, &Key, &Pending)| match if_pending {
                    IfPending::Lose => true,
                    IfPending::Export(export) => export.holds(*model, key, pending),
                    IfPending::Refuse | IfPending::Wait { .. } => false,
                };
                let count = store.outbox().iter().filter(|waits| !is_kept(waits)).count();
                if count > 0 {
                    return Err(ClientError::Unsent { count });
                }
                (store.position(), store.reset_record())
            };
            match self.storage.replace(last, &bytes).await? {
                Appended::At(position) => {
                    self.step(Input::Stop);
                    let emptied = self.catch_up(&[LogRecord { position, bytes }]);
                    if self.is_running {
                        self.step(Input::Start);
                    }
                    return Ok(emptied?);
                }
                Appended::Behind(records) => missed = records,
            }
        }
    }

    /// Has the timer ring at the engine's next deadline.
    fn set_timer(&mut self) {
        let deadline = self.engine.next_deadline(&self.shared.store.borrow());
        let deadline = self.clears.iter().map(|clear| clear.deadline).chain(deadline).min();
        if deadline != self.timer.as_ref().map(|(at, _)| *at) {
            self.timer = deadline.map(|at| -> Timer { (at, Box::pin(self.clock.sleep_until(at))) });
        }
    }

    fn tell_status(&self) {
        let status = self.engine.status(&self.shared.store.borrow());
        let before = self.shared.status.replace(status.clone());
        if before != status {
            self.shared.observers.tell_status();
        }
    }
}

/// Who listens hears no more.
impl<S, T: Transport, C> Drop for Driver<S, T, C> {
    fn drop(&mut self) {
        self.shared.observers.end();
    }
}
