use std::collections::{BTreeMap, BTreeSet};

use espressync_model::{FieldId, Key, ModelId, Query, Record, Value};
use espressync_store::Store;
use thiserror::Error;

use super::schema::{
    LINE, LINE_ORDER, LINE_TOTAL, ORDER, ORDER_TOTAL, PRODUCT, PRODUCT_STOCK, tags_of,
};
use super::server::Server;

/// Something that must never be.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{0}")]
pub struct Violation(String);

impl Violation {
    pub(super) fn new(what: impl Into<String>) -> Self {
        Self(what.into())
    }
}

/// What the tills acknowledged to their baristas, kept apart from every store.
#[derive(Debug, Default)]
pub struct Ledger {
    /// Each sale's line totals.
    sales: BTreeMap<Key, Vec<i64>>,
    products: BTreeSet<Key>,
    deleted: BTreeSet<Key>,
    /// Those that were brought back: who comes last, the one who deletes or the one who undeletes,
    /// is the network's affair.
    revived: BTreeSet<Key>,
    /// Every write to a field, in its order: by which till, and what.
    edits: BTreeMap<(Key, FieldId), Vec<(usize, String)>>,
    /// What was added to each product's stock and taken from it, in all.
    counts: BTreeMap<Key, i64>,
    /// Every tag that was added.
    tags: BTreeMap<Key, Vec<String>>,
}

impl Ledger {
    pub(super) fn note_product(&mut self, key: Key) {
        self.products.insert(key);
    }

    pub(super) fn note_sale(&mut self, order: Key, totals: Vec<i64>) {
        self.sales.insert(order, totals);
    }

    pub(super) fn note_edit(&mut self, key: Key, field: FieldId, till: usize, value: String) {
        self.edits.entry((key, field)).or_default().push((till, value));
    }

    pub(super) fn note_tag(&mut self, key: Key, tag: String) {
        self.tags.entry(key).or_default().push(tag);
    }

    pub(super) fn note_count(&mut self, key: Key, amount: i64) {
        *self.counts.entry(key).or_default() += amount;
    }

    pub(super) fn note_delete(&mut self, key: Key) {
        self.deleted.insert(key);
    }

    pub(super) fn note_undelete(&mut self, key: Key) {
        self.revived.insert(key);
    }

    /// How many sales were acknowledged.
    #[must_use]
    pub fn sales(&self) -> usize {
        self.sales.len()
    }

    /// How many edits were acknowledged.
    #[must_use]
    pub fn edits(&self) -> usize {
        self.edits.values().map(Vec::len).sum()
    }

    /// Checks the whole shop at rest.
    ///
    /// # Errors
    /// The first thing that was lost, doubled or torn, or a till that differs from the server.
    pub fn check<'s>(
        &self,
        server: &Server,
        tills: impl Iterator<Item = &'s Store>,
    ) -> Result<(), Violation> {
        self.check_sales(server)?;
        self.check_products(server)?;
        for (number, till) in tills.enumerate() {
            if till.outbox().rejected() > 0 {
                return Err(Violation::new(format!("till {number} has refused changes")));
            }
            for model in [PRODUCT, ORDER, LINE] {
                compare(number, model, &server.live(model), till)?;
            }
        }
        Ok(())
    }

    /// Every sale is there, once, whole, and nothing else; so the totals are conserved.
    fn check_sales(&self, server: &Server) -> Result<(), Violation> {
        let orders = server.live(ORDER);
        let mut lines: BTreeMap<&str, Vec<i64>> = BTreeMap::new();
        let stored_lines = server.live(LINE);
        for line in stored_lines.values() {
            let order = line.row.get(LINE_ORDER).as_text().unwrap_or_default();
            lines.entry(order).or_default().push(integer(line.row.get(LINE_TOTAL)));
        }
        if let Some(extra) = orders.keys().find(|key| !self.sales.contains_key(*key)) {
            return Err(Violation::new(format!("{extra} was sold twice")));
        }
        for (order, totals) in &self.sales {
            let Some(stored) = orders.get(order) else {
                return Err(Violation::new(format!("{order} is lost")));
            };
            let mut found = lines.remove(order.as_str()).unwrap_or_default();
            let mut wanted = totals.clone();
            found.sort_unstable();
            wanted.sort_unstable();
            let total = integer(stored.row.get(ORDER_TOTAL));
            if found != wanted || total != wanted.iter().sum::<i64>() {
                let message =
                    format!("{order} has lines {found:?} and total {total}, not {wanted:?}");
                return Err(Violation::new(message));
            }
        }
        match lines.keys().next() {
            Some(order) => {
                Err(Violation::new(format!("there are lines of {order}, which is none")))
            }
            None => Ok(()),
        }
    }

    /// A product is gone if someone deleted it. A field of one that is not holds a value that was
    /// written to it; where a single till wrote it, the last one.
    fn check_products(&self, server: &Server) -> Result<(), Violation> {
        let live = server.live(PRODUCT);
        for key in self.products.difference(&self.revived) {
            let Some(record) = live.get(key) else {
                if self.deleted.contains(key) {
                    continue;
                }
                return Err(Violation::new(format!("{key} is lost")));
            };
            if self.deleted.contains(key) {
                return Err(Violation::new(format!("{key} was deleted and lives")));
            }
            for ((_, field), writes) in
                self.edits.range((key.clone(), FieldId(0))..).take_while(|((of, _), _)| of == key)
            {
                check_field(key, *field, writes, record)?;
            }
            check_tags(key, self.tags.get(key), record)?;
            let (counted, stock) =
                (self.counts.get(key).copied(), integer(record.row.get(PRODUCT_STOCK)));
            if stock != counted.unwrap_or_default() {
                let message = format!("{key} has a stock of {stock} and counted {counted:?}");
                return Err(Violation::new(message));
            }
        }
        Ok(())
    }
}

fn check_field(
    key: &Key,
    field: FieldId,
    writes: &[(usize, String)],
    record: &Record,
) -> Result<(), Violation> {
    let value = record.row.get(field).as_text().unwrap_or_default();
    let Some((till, last)) = writes.last() else { return Ok(()) };
    let is_right = if writes.iter().all(|(writer, _)| writer == till) {
        value == last
    } else {
        writes.iter().any(|(_, written)| written == value)
    };
    if is_right {
        return Ok(());
    }
    Err(Violation::new(format!("{key} field {} is {value:?} after {writes:?}", field.0)))
}

/// Every tag that was added is there: lists merge.
fn check_tags(key: &Key, added: Option<&Vec<String>>, record: &Record) -> Result<(), Violation> {
    let tags = tags_of(&record.row);
    let mut added = added.into_iter().flatten();
    match added.find(|tag| !tags.contains(&Value::from(tag.as_str()))) {
        Some(tag) => Err(Violation::new(format!("{key} has lost {tag:?} of {tags:?}"))),
        None => Ok(()),
    }
}

/// A till shows what the server has: the same rows at the same versions.
fn compare(
    till: usize,
    model: ModelId,
    server: &BTreeMap<Key, Record>,
    store: &Store,
) -> Result<(), Violation> {
    let definition = store.schema().model(model);
    let mut shown = BTreeMap::new();
    for record in store.query(model, &Query::all()) {
        let key =
            definition.key_of(&record.row).map_err(|error| Violation::new(error.to_string()))?;
        shown.insert(key, record);
    }
    let name = &definition.name;
    for (key, record) in server {
        match shown.remove(key) {
            None => return Err(Violation::new(format!("till {till} lacks {name} {key}"))),
            Some(own) if own != record => {
                let message = format!("till {till} shows {name} {key} as {own:?}, not {record:?}");
                return Err(Violation::new(message));
            }
            Some(_) => {}
        }
    }
    match shown.keys().next() {
        Some(key) => Err(Violation::new(format!("till {till} shows {name} {key}, which is gone"))),
        None => Ok(()),
    }
}

fn integer(value: &Value) -> i64 {
    if let Value::Int(number) = value { *number } else { 0 }
}
