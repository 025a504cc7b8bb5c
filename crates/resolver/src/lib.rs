//! The server's rules as pure functions: versions, conflicts, the journal and delta sync.
//!
//! A backend opens a transaction, lets [`mutate`] decide over it, commits, and tells subscribers.
//! The crate knows no clock, no SQL and no network: the moment is passed in, records are read and
//! written through [`Tables`]. So the fleet simulator runs the very rules the server runs.

mod access;
mod caller;
mod conflict;
mod derived;
mod merge;
mod mutate;
mod rules;
mod sync;
mod tables;

pub use access::{Grant, Naming, Rights, Sight, without};
pub use caller::{Caller, Claim, Identity};
pub use conflict::{ConflictStrategy, Decision, Resolution};
pub use derived::Derived;
pub use merge::{merge, merge_strict};
pub use mutate::{Outcome, mutate, settle};
pub use rules::{Rules, Strategies};
pub use sync::{Expired, Retention, SyncSource, sync_source};
pub use tables::{MemoryTables, Tables};
