//! What every DataStore answers, whatever storage it is on: checks from tables, over rows that
//! have been to the storage and back.

mod operators;
mod refusals;
mod relations;

use std::cell::Cell;

use espressync_client::{DataStore, Write, Writes};
use espressync_model::{FieldId, ModelId, Predicate, Query, Row, Schema, Value};

/// Passes when a DataStore answers as it should. `open` opens an empty one of a schema, or the one
/// it opened last if it is told to open it again. Returns how many checks were made.
///
/// # Panics
/// When an answer is wrong.
pub async fn conformance(open: impl AsyncFn(Schema, bool) -> DataStore) -> usize {
    let mut checks = 0;
    for suite in [operators::suite(), relations::suite(), refusals::suite()] {
        let store = open(suite.schema.clone(), false).await;
        let writes =
            suite.rows.into_iter().map(|(model, values)| Write::save(model, Row::new(values)));
        let writes = writes.fold(Writes::new(), Writes::and);
        store.write(writes).await.expect("the rows fit");
        for is_again in [false, true] {
            let store =
                if is_again { open(suite.schema.clone(), true).await } else { store.clone() };
            let asked = Asked { store, checks: Cell::new(0) };
            (suite.ask)(&asked);
            checks += asked.checks.get();
        }
    }
    checks
}

/// Rows of a schema, and what is asked of them.
struct Suite {
    schema: Schema,
    rows: Vec<(ModelId, Vec<Value>)>,
    ask: fn(&Asked),
}

/// A DataStore that is asked.
struct Asked {
    store: DataStore,
    checks: Cell<usize>,
}

impl Asked {
    /// Compares a thing with what it should be.
    fn check<T: PartialEq + std::fmt::Debug>(&self, what: &str, found: T, expected: T) {
        self.checks.set(self.checks.get() + 1);
        assert_eq!(found, expected, "{what}");
    }

    /// The keys of what a query finds, one after the other.
    fn keys(&self, model: ModelId, query: &Query) -> String {
        let records = self.store.records(model, query);
        let records = records.unwrap_or_else(|error| panic!("{query:?} is refused: {error}"));
        let key = |row: &Row| row.get(FieldId(0)).as_text().unwrap_or_default().to_owned();
        records.iter().map(|record| key(&record.row)).collect()
    }

    /// Checks which rows match, and how many they are counted to be.
    fn matching(&self, model: ModelId, what: &str, predicate: &Predicate, expected: &str) {
        let found = self.keys(model, &Query::filter(predicate.clone()));
        self.check(what, found.as_str(), expected);
        let count = self.store.count(model, predicate);
        self.check(what, count, Ok(expected.chars().count()));
    }
}
