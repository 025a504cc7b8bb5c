//! The local database: tables in memory, changed only by [`Batch`]es that a [`Storage`] has made
//! durable first.
//!
//! A [`Draft`] lays changes over the [`Store`] and becomes a batch: records, outbox entries and
//! sync cursors together. The batch is encoded into one log record, the storage appends it, and
//! only then is it applied to memory. Replaying the log's records in their order gives the same
//! store in every tab and after every restart.
//!
//! Reads never wait: a [`Query`](espressync_model::Query) is answered from the tables. The store
//! counts what each index, key or relation would have it look at, goes the shortest way, and
//! [`Store::explain`] tells which that is.
//!
//! The crate knows no network, no clock and no browser; what an outbox entry means is `sync`'s
//! affair, it is only kept here.
//!
//! ```
//! use espressync_model::{Field, Key, Model, ModelId, Query, Record, Row, Scalar, Schema};
//! use espressync_store::{Draft, Store};
//!
//! let schema = Schema::new(vec![
//!     Model::new("Product", "Products").field(Field::new("id", Scalar::Id).required()),
//! ]);
//! let mut store = Store::new(schema.into());
//! let mut draft = Draft::new(&store);
//! draft.put(ModelId(0), Key::from("p1"), Record::local(Row::new(vec!["p1".into()])));
//! let batch = draft.into_batch();
//! store.apply(batch);
//! assert_eq!(store.query(ModelId(0), &Query::all()).len(), 1);
//! ```

mod affected;
mod aggregate;
mod batch;
mod codec;
mod draft;
mod error;
mod explain;
mod include;
mod index;
mod layout;
mod memory;
mod migrate;
mod outbox;
mod plan;
mod relations;
mod search;
mod seek;
mod storage;
mod store;
mod table;

pub use aggregate::Group;
pub use batch::{Applied, Batch, Cause, Cursor};
pub use codec::{LogEntry, decode, encode};
pub use draft::Draft;
pub use error::{StoreError, StoreErrorKind};
pub use explain::{Arrangement, Plan, Source};
pub use include::{Include, Loaded};
pub use layout::{LaidModel, Layout};
pub use memory::MemoryStorage;
pub use migrate::Refusal;
pub use outbox::{Attempt, Outbox, Pending, PendingField, Rejection};
pub use storage::{
    Appended, Contents, Durability, Fold, Folded, LogPosition, LogRecord, SegmentId, SegmentRecord,
    Storage,
};
pub use store::{OpenReport, Store};
