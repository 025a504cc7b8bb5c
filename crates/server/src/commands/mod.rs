//! What the program does beside serving. Each command is a function from its settings to a
//! [`Verdict`], which says what it found on the way to `out`.

mod doctor;
mod export;
mod import;
mod plan;
mod push;
mod scan;
mod undelete;

use std::io;
use std::path::PathBuf;

use thiserror::Error;

use crate::backend::BackendError;
use crate::cli::FileError;
use crate::serve::ServeError;
use crate::sqlite::OpenError;

pub use doctor::doctor;
pub use export::export;
pub use import::import;
pub use push::push;
pub use undelete::undelete;

/// How a command ended that could do its work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// All is well.
    Fine,
    /// Something is not, and it has been said what.
    NotFine,
}

/// Why a command could not do its work. Nothing is changed then.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum CommandError {
    /// The settings cannot be read.
    #[error(transparent)]
    Settings(#[from] FileError),
    /// The schema cannot be used.
    #[error(transparent)]
    Schema(#[from] ServeError),
    /// The database cannot be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The database has failed.
    #[error("the database failed: {0}")]
    Sqlite(#[from] rusqlite::Error),
    /// A stored record is in the way.
    #[error(transparent)]
    Backend(#[from] BackendError),
    /// A line of what is imported cannot be taken.
    #[error("{file}, line {line}: {message}; nothing was imported")]
    Line {
        /// The file.
        file: String,
        /// The line, from 1.
        line: u64,
        /// What is wrong.
        message: String,
    },
    /// A file cannot be read or written.
    #[error("{file}: {source}")]
    File {
        /// The file.
        file: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// What was found cannot be said.
    #[error("cannot write the answer: {0}")]
    Out(#[from] io::Error),
    /// The record, or what was asked of it, is not there.
    #[error("{0}")]
    Refused(String),
}
