//! The client's sync: what an edit owes the server, what a server's record means for it, and when
//! to ask for what.
//!
//! Nothing here waits, reads a clock, draws a random number or touches a network. There are two
//! doors. [`prepare`] turns [`Intent`]s (a user's write, a server's record, an acknowledgement)
//! into one batch for the store. [`Engine::step`] takes what happened and returns what to do; its
//! [`Engine::next_deadline`] says when to call it again. The same inputs give the same effects, so
//! that a fleet of clients runs in one test.
//!
//! What waits to be sent lives in the store, one entry per record, and nowhere else; the engine
//! keeps only what a restart may forget.

mod backoff;
mod delete;
mod engine;
mod error;
mod import;
mod intent;
mod merge;
mod models;
mod outbox;
mod schedule;
mod status;
mod transaction;
mod write;

pub use engine::{CommitId, Config, Effect, Engine, Input, LinkEvent, LinkId, RequestId};
pub use error::SyncError;
pub use import::Import;
pub use intent::{Intent, Prepared, prepare};
pub use outbox::waiting_mutation;
pub use status::{Network, SyncStatus};
pub use transaction::{Transact, Transaction};
pub use write::{Target, Write};
