//! The rules of merging and asking, one scenario each. The fleet in `testkit` finds what these do
//! not think of.

use std::rc::Rc;

use espressync_model::remote::{
    Answer, Change, Mutation, Operation, RemoteError, RemoteErrorKind, Request, SyncPage,
};
use espressync_model::{
    Field, FieldId, Key, Meta, Model, ModelId, Patch, Predicate, Record, Row, Scalar, Schema,
    Timestamp, Value,
};
use espressync_store::{LogPosition, Store};
use espressync_sync::{
    Config, Effect, Engine, Input, Intent, LinkEvent, RequestId, SyncError, Write, prepare,
};

const POST: ModelId = ModelId(0);
const PRICE: FieldId = FieldId(1);
const TAGS: FieldId = FieldId(2);

fn schema() -> Rc<Schema> {
    Rc::new(Schema::new(vec![
        Model::new("Post", "Posts")
            .field(Field::new("id", Scalar::Id).required())
            .field(Field::new("price", Scalar::Float))
            .field(Field::new("tags", Scalar::String).list(false)),
    ]))
}

fn row(id: &str, price: f64, tags: &[&str]) -> Row {
    Row::new(vec![id.into(), price.into(), tags.to_vec().into()])
}

fn stored(id: &str, price: f64, tags: &[&str], version: u64) -> Record {
    let meta = Meta { version, changed_at: Timestamp(5), deleted: false };
    Record { row: row(id, price, tags), meta }
}

/// A store that takes every intent at once, and an engine beside it.
struct Client {
    store: Store,
    engine: Engine,
    now: Timestamp,
}

impl Client {
    fn new() -> Self {
        let engine = Engine::new(schema(), Config::default());
        Self { store: Store::new(schema()), engine, now: Timestamp(1_000) }
    }

    fn take(&mut self, intent: Intent) -> Result<(), SyncError> {
        let prepared = prepare(&self.store, &[intent]);
        self.store.apply(prepared.batch);
        self.store.advance(LogPosition(self.store.position().0 + 1));
        prepared.outcomes.into_iter().try_for_each(|outcome| outcome.map(|_| ()))
    }

    fn receive(&mut self, record: Record) {
        assert_eq!(self.take(Intent::Receive(POST, vec![record])), Ok(()));
    }

    fn set(&mut self, field: FieldId, value: impl Into<Value>) {
        let patch: Patch = [(field, value.into())].into_iter().collect();
        let write = Write::update(POST, "p", patch);
        assert_eq!(self.take(Intent::Write(vec![write])), Ok(()));
    }

    fn leave(&mut self) {
        assert_eq!(self.take(Intent::MarkSent(vec![(POST, Key::from("p"), 7)])), Ok(()));
    }

    fn answer(&mut self, sent: Mutation, answer: Result<Record, RemoteError>) {
        assert_eq!(self.take(Intent::Acknowledge(sent, answer)), Ok(()));
    }

    fn shown(&self, field: FieldId) -> Option<&Value> {
        self.store.record(POST, &Key::from("p")).map(|record| record.row.get(field))
    }

    fn waits(&self) -> bool {
        self.store.outbox().waiting() > 0
    }

    /// Steps the engine; commits succeed or fail as told.
    fn step(&mut self, input: Input, disk_works: bool) -> Vec<Effect> {
        let mut rest = Vec::new();
        let mut inputs = vec![input];
        while let Some(input) = inputs.pop() {
            for effect in self.engine.step(self.now, &self.store, input) {
                if let Effect::Commit(id, intents) = effect {
                    if disk_works {
                        for intent in intents {
                            assert_eq!(self.take(intent), Ok(()));
                        }
                    }
                    inputs.push(Input::Committed(id, disk_works));
                } else {
                    rest.push(effect);
                }
            }
        }
        rest
    }

    /// Starts, and has every subscription acknowledged.
    fn connect(&mut self) -> (espressync_sync::LinkId, Vec<Effect>) {
        let effects = self.step(Input::Start, true);
        let Some(link) = effects.iter().find_map(|effect| match effect {
            Effect::Connect(link) => Some(*link),
            Effect::Send(..) | Effect::Disconnect(_) | Effect::Commit(..) => None,
        }) else {
            panic!("no connection is opened: {effects:?}")
        };
        (link, self.step(Input::Link(link, LinkEvent::Ready), true))
    }
}

fn update(fields: &[(FieldId, Value)], version: u64) -> Mutation {
    Mutation {
        model: POST,
        key: Key::from("p"),
        operation: Operation::Update,
        fields: fields.iter().cloned().collect(),
        version,
        condition: Predicate::All,
        once: None,
    }
}

fn sync_requests(effects: &[Effect]) -> Vec<RequestId> {
    let requests = effects.iter().filter_map(|effect| match effect {
        Effect::Send(id, Request::Sync(_)) => Some(*id),
        Effect::Send(..) | Effect::Connect(_) | Effect::Disconnect(_) | Effect::Commit(..) => None,
    });
    requests.collect()
}

fn page(id: &str, next_token: Option<&str>) -> Result<Answer, RemoteError> {
    Ok(Answer::Sync(SyncPage {
        records: vec![stored(id, 1.0, &[], 1)],
        next_token: next_token.map(Into::into),
        started_at: Timestamp(100),
        is_base: false,
        unreadable: Vec::new(),
    }))
}

#[test]
fn an_edit_taken_back_while_it_was_on_its_way_stays_taken_back() {
    let mut client = Client::new();
    client.receive(stored("p", 3.0, &[], 1));
    client.set(PRICE, 4.0);
    client.leave();
    client.set(PRICE, 3.0);
    // Another's edit of another field shows the price that we want: but 4 is on its way.
    client.receive(stored("p", 3.0, &["x"], 2));
    assert!(client.waits());
    client.answer(update(&[(PRICE, 4.0.into())], 1), Ok(stored("p", 4.0, &["x"], 3)));
    assert!(client.waits());
    assert_eq!(client.shown(PRICE), Some(&3.0.into()));
    client.leave();
    client.answer(update(&[(PRICE, 3.0.into())], 3), Ok(stored("p", 3.0, &["x"], 4)));
    assert!(!client.waits());
}

#[test]
fn lists_changed_here_and_there_are_merged() {
    let mut client = Client::new();
    client.receive(stored("p", 1.0, &["a"], 1));
    client.set(TAGS, vec!["a", "b"]);
    client.receive(stored("p", 1.0, &["a", "c"], 2));
    assert_eq!(client.shown(TAGS), Some(&vec!["a", "c", "b"].into()));
    assert!(client.waits());
}

#[test]
fn an_old_record_changes_nothing() {
    let mut client = Client::new();
    client.receive(stored("p", 2.0, &[], 5));
    client.receive(stored("p", 1.0, &[], 4));
    assert_eq!(client.shown(PRICE), Some(&2.0.into()));
}

#[test]
fn a_definite_no_is_set_aside_and_another_edit_gets_another_try() {
    let mut client = Client::new();
    client.receive(stored("p", 1.0, &[], 1));
    client.set(PRICE, 2.0);
    let no = RemoteError::new(RemoteErrorKind::Unauthorized, "not yours");
    client.answer(update(&[(FieldId(0), "p".into()), (PRICE, 2.0.into())], 1), Err(no));
    assert_eq!((client.store.outbox().waiting(), client.store.outbox().rejected()), (0, 1));
    assert_eq!(client.shown(PRICE), Some(&2.0.into()), "nothing is taken away unasked");
    client.set(PRICE, 3.0);
    assert_eq!((client.store.outbox().waiting(), client.store.outbox().rejected()), (1, 0));
    assert_eq!(client.take(Intent::Discard(POST, Key::from("p"))), Ok(()));
    assert_eq!(client.shown(PRICE), Some(&1.0.into()));
}

#[test]
fn a_create_and_its_delete_cancel_out_only_before_the_create_has_left() {
    let delete = || Intent::Write(vec![Write::delete(POST, "p")]);
    let create = || Intent::Write(vec![Write::save(POST, row("p", 1.0, &[]))]);
    let mut client = Client::new();
    assert_eq!((client.take(create()), client.take(delete())), (Ok(()), Ok(())));
    assert_eq!((client.waits(), client.shown(PRICE)), (false, None));
    assert_eq!(client.take(create()), Ok(()));
    client.leave();
    assert_eq!(client.take(delete()), Ok(()));
    assert!(client.waits(), "the server may know of it, so it is told");
    // The create's answer makes a delete of it.
    let sent = Mutation { operation: Operation::Create, ..update(&[(PRICE, 1.0.into())], 0) };
    client.answer(sent, Ok(stored("p", 1.0, &[], 1)));
    let pending = client.store.outbox().get(POST, &Key::from("p"));
    assert!(pending.is_some_and(|pending| pending.is_delete && pending.base.is_some()));
}

#[test]
fn one_write_of_a_batch_may_build_on_another() {
    let mut client = Client::new();
    let patch: Patch = [(PRICE, 2.0.into())].into_iter().collect();
    let batch = vec![Write::save(POST, row("p", 1.0, &[])), Write::update(POST, "p", patch)];
    assert_eq!(client.take(Intent::Write(batch)), Ok(()));
    assert_eq!(client.shown(PRICE), Some(&2.0.into()));
    client.leave();
    let batch = vec![Write::delete(POST, "p"), Write::save(POST, row("p", 3.0, &[]))];
    let refused = client.take(Intent::Write(batch));
    assert!(matches!(refused, Err(SyncError::Deleted { .. })), "{refused:?}");
    assert_eq!(client.shown(PRICE), Some(&2.0.into()), "all or none");
}

#[test]
fn a_page_of_a_sync_that_was_given_up_is_not_the_new_ones() {
    let mut client = Client::new();
    for id in ["a", "b", "c"] {
        client.receive(stored(id, 1.0, &[], 1));
    }
    let (link, effects) = client.connect();
    let first = sync_requests(&effects)[0];
    let effects = client.step(Input::Answered(first, page("a", Some("2"))), true);
    let second = sync_requests(&effects)[0];
    // A change cannot be stored, so the sync begins anew while the page is on its way.
    let record = stored("a", 2.0, &[], 2);
    let change = Change { model: POST, operation: Operation::Update, record };
    client.step(Input::Link(link, LinkEvent::Change(change)), false);
    client.now = client.now + 5_000;
    assert_eq!(sync_requests(&client.step(Input::Wake, true)).len(), 1);
    client.step(Input::Answered(second, page("b", None)), true);
    assert_eq!(client.store.keys(POST).count(), 3, "nothing is gone");
    assert_eq!(client.store.cursor(POST), None, "and nothing is finished");
}

#[test]
fn a_full_disk_does_not_make_the_client_ask_again_and_again() {
    let mut client = Client::new();
    let (_, effects) = client.connect();
    let mut asked = sync_requests(&effects);
    let end = client.now + 10 * 60 * 1_000;
    let mut count = 0;
    while client.now < end {
        let effects = match asked.pop() {
            Some(id) => client.step(Input::Answered(id, page("a", None)), false),
            None => client.step(Input::Wake, false),
        };
        let more = sync_requests(&effects);
        count += more.len();
        asked.extend(more);
        client.now = client.now + 100;
    }
    assert!(count < 100, "{count} requests in ten minutes");
}

/// The store's only mutation, as it was sent last.
fn sent(effects: &[Effect]) -> Option<(RequestId, Mutation)> {
    effects.iter().find_map(|effect| match effect {
        Effect::Send(id, Request::Mutate(mutations)) => Some((*id, mutations.first()?.clone())),
        Effect::Send(..) | Effect::Connect(_) | Effect::Disconnect(_) | Effect::Commit(..) => None,
    })
}

#[test]
fn an_addition_whose_answer_was_lost_counts_once_where_names_are_not_known() {
    let check = |is_lost: bool, shown: f64, expected: f64| {
        let mut client = Client::new();
        client.receive(stored("p", 10.0, &[], 1));
        let edit = espressync_model::Edit {
            add: [(PRICE, 2.0.into())].into_iter().collect(),
            ..Default::default()
        };
        let condition = Predicate::All;
        let add = Write::Update { model: POST, key: Key::from("p"), edit, condition };
        client.connect();
        assert_eq!(client.take(Intent::Write(vec![add])), Ok(()));
        let asked = sent(&client.step(Input::Changed, true));
        let Some((mut id, _)) = asked else { panic!("nothing is sent") };
        if is_lost {
            let reset = RemoteError::new(RemoteErrorKind::Offline, "reset");
            client.step(Input::Answered(id, Err(reset)), true);
            client.now = Timestamp(2_000_000);
            let Some((again, _)) = sent(&client.step(Input::Wake, true)) else {
                panic!("it is not sent again")
            };
            id = again;
        }
        // AppSync: the condition is not met, and this is stored.
        let error = RemoteError::new(RemoteErrorKind::ConditionFailed, "the condition")
            .with_stored(stored("p", shown, &[], 2));
        client.step(Input::Answered(id, Ok(Answer::Mutate(vec![Err(error)]))), true);
        assert_eq!(client.shown(PRICE), Some(&expected.into()), "{is_lost} {shown}");
    };
    // Ours was carried out, or another added as much.
    check(true, 12.0, 12.0);
    check(false, 12.0, 14.0);
    check(true, 11.0, 13.0);
}

#[test]
fn a_value_that_is_taken_back_goes_after_the_one_that_may_have_left() {
    let mut client = Client::new();
    client.receive(stored("p", 2.0, &[], 1));
    client.set(PRICE, 3.0);
    client.leave();
    client.set(PRICE, 2.0);
    let waits = |client: &Client| {
        let sent = espressync_sync::waiting_mutation(&client.store, POST, &Key::from("p"));
        sent.map(|sent| (sent.fields.get(PRICE).cloned(), sent.version))
    };
    // The server would find that 2.0 changes nothing, and a late copy of 3.0 would be taken.
    assert_eq!(waits(&client), Some((Some(3.0.into()), 1)));
    assert_eq!(client.shown(PRICE), Some(&2.0.into()));
    client.answer(update(&[(PRICE, 3.0.into())], 1), Ok(stored("p", 3.0, &[], 2)));
    assert_eq!(waits(&client), Some((Some(2.0.into()), 2)));
    client.leave();
    client.answer(update(&[(PRICE, 2.0.into())], 2), Ok(stored("p", 2.0, &[], 3)));
    assert_eq!((client.shown(PRICE), client.waits()), (Some(&2.0.into()), false));
}
