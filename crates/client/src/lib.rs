//! The DataStore: models that are answered locally and synced when there is a network.
//!
//! [`DataStore::open`] replays the log into memory and returns a handle and a [`Driver`]. The
//! host spawns the driver once; it is the only one that writes to the storage and talks to the
//! transport. The handle is cheap to clone. Reads come from memory and never wait; writes resolve
//! when their transaction has committed.
//!
//! The crate knows no browser: storage, transport and clock are traits, and one thread runs it
//! all, so nothing here is `Send`.

mod datastore;
mod driver;
mod error;
mod import;
mod lifecycle;
mod live;
mod observe;
mod platform;
mod reads;
mod relations;
mod writes;

pub use datastore::DataStore;
pub use driver::Driver;
pub use error::{ClientError, ClientErrorKind};
pub use espressync_store::{
    Arrangement, Cause, Cursor, Group, Include, Loaded, OpenReport, Plan, Source,
};
pub use espressync_sync::{
    Config, Import, LinkEvent, Network, SyncError, SyncStatus, Target, Transaction, Write,
};
pub use import::{Taken, take_over};
pub use lifecycle::{Export, IfPending, Namespaces, Waiting};
pub use observe::{Change, ChangeKind, Snapshot};
pub use platform::{Clock, Transport};
pub use reads::Slice;
pub use writes::Writes;
