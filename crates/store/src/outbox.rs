use std::collections::BTreeMap;

use espressync_model::remote::RemoteErrorKind;
use espressync_model::{FieldId, Key, ModelId, Record, Value};

/// What a record still owes the server: one entry per record, into which later edits merge.
/// The rules are in `sync::outbox`.
#[derive(Debug, Clone, PartialEq)]
pub struct Pending {
    /// When the entry was made, in the order of this store; entries are sent in this order.
    pub sequence: u64,
    /// The server's record that the change is made on; `None` while the server has none, so
    /// that the entry is a create.
    pub base: Option<Record>,
    /// The fields to write, with the values they had on the way.
    pub fields: BTreeMap<FieldId, PendingField>,
    /// Numeric fields and what waits to be added to them, on top of what `fields` says.
    pub additions: BTreeMap<FieldId, Value>,
    /// Additions that may have left.
    pub attempt: Option<Attempt>,
    /// Whether the record is to be deleted, after a create that may have left already.
    pub is_delete: bool,
    /// Whether the record is to be brought back from being deleted, before its fields are written.
    pub is_undelete: bool,
    /// Whether it may have been sent, so that the server may know of it.
    pub is_attempted: bool,
    /// How many answers in a row took the change and did not show it.
    pub unheeded: u8,
    /// Why the server refused it for good: such an entry waits for a person.
    pub rejection: Option<Rejection>,
}

impl Pending {
    /// An entry that asks for nothing yet.
    #[must_use]
    pub fn new(sequence: u64, base: Option<Record>) -> Self {
        Self {
            sequence,
            base,
            fields: BTreeMap::new(),
            additions: BTreeMap::new(),
            attempt: None,
            is_delete: false,
            is_undelete: false,
            is_attempted: false,
            unheeded: 0,
            rejection: None,
        }
    }

    /// Whether there is nothing in it to send.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.base.is_some()
            && self.fields.is_empty()
            && self.additions.is_empty()
            && self.attempt.is_none()
            && !self.is_delete
            && !self.is_undelete
    }
}

/// Additions on their way. What they ask for stays the same until the server has answered, so that
/// sent again they count once.
#[derive(Debug, Clone, PartialEq)]
pub struct Attempt {
    /// Names them: the server carries out what bears this name once.
    pub once: u64,
    /// The version they are made on.
    pub version: u64,
    /// Fields with the value at that version and what is added to it.
    pub additions: BTreeMap<FieldId, (Value, Value)>,
}

/// A field that waits to be sent.
#[derive(Debug, Clone, PartialEq)]
pub struct PendingField {
    /// The value it shall have.
    pub value: Value,
    /// Values it had here since the base and that may have been sent: when the server shows one
    /// of them, that is our own write on its way back, and no other's.
    pub earlier: Vec<Value>,
}

/// A server's definite no.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rejection {
    /// The kind.
    pub kind: RemoteErrorKind,
    /// The server's words.
    pub message: String,
}

/// All entries, by record and in order.
#[derive(Debug, Clone, Default)]
pub struct Outbox {
    entries: BTreeMap<(ModelId, Key), Pending>,
    order: BTreeMap<u64, (ModelId, Key)>,
    next_sequence: u64,
}

impl Outbox {
    /// The entry of a record.
    #[must_use]
    pub fn get(&self, model: ModelId, key: &Key) -> Option<&Pending> {
        self.entries.get(&(model, key.clone()))
    }

    /// All entries in the order in which they are sent, rejected ones among them.
    pub fn iter(&self) -> impl Iterator<Item = (ModelId, &Key, &Pending)> {
        self.order
            .values()
            .filter_map(|place| self.entries.get(place).map(|pending| (place.0, &place.1, pending)))
    }

    /// Whether there are no entries.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// How many entries wait to be sent.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.entries.len() - self.rejected()
    }

    /// How many entries the server has refused for good.
    #[must_use]
    pub fn rejected(&self) -> usize {
        self.entries.values().filter(|pending| pending.rejection.is_some()).count()
    }

    /// The sequence number that the next entry gets.
    #[must_use]
    pub fn next_sequence(&self) -> u64 {
        self.next_sequence
    }

    pub(crate) fn set(&mut self, model: ModelId, key: Key, pending: Option<Pending>) {
        let place = (model, key);
        if let Some(old) = self.entries.remove(&place) {
            self.order.remove(&old.sequence);
        }
        if let Some(pending) = pending {
            self.next_sequence = self.next_sequence.max(pending.sequence + 1);
            self.order.insert(pending.sequence, place.clone());
            self.entries.insert(place, pending);
        }
    }
}
