//! The command line. What a command is told comes from its flags, then from the environment, then
//! from the file of `--config`, then from the defaults of [`Config`](crate::config::Config); so
//! each of them is [`Settings`] whose gaps the next one fills.

mod codegen;
mod doctor;
mod export;
mod file;
mod import;
mod keys;
mod push;
mod serve;
mod settings;
mod undelete;
mod values;

use clap::{Parser, Subcommand};

pub use codegen::Codegen;
pub use doctor::Doctor;
pub use export::Export;
pub use file::{FileError, Files};
pub use import::Import;
pub(crate) use import::{Existing, Versions};
pub use keys::Keys;
pub use push::Push;
pub(crate) use push::PushMode;
pub use serve::Serve;
pub use settings::{ModelSettings, Settings};
pub use undelete::Undelete;
pub(crate) use values::one_or_several;
pub use values::{Conflict, LogFormat, Origin, Size, Time};

/// An AppSync-compatible GraphQL API for any schema.graphql, with no backend code.
#[derive(Debug, Parser)]
#[command(name = "espressync", version, about, max_term_width = 100, after_help = EXAMPLES)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What the program can do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Serves the API of a schema, and the pages of an app beside it
    ///
    /// The API is at /graphql, its realtime socket at /graphql/realtime, a health check at
    /// /healthz. Clients send a key as x-api-key, or a token of who has signed in (JWT) as
    /// Authorization; the @auth rules of the schema say who may do what.
    Serve(Box<Serve>),
    /// Writes the models of a schema in JavaScript, TypeScript or Rust
    ///
    /// For the unmodified aws-amplify it is what `amplify codegen models` writes: import the
    /// classes from the folder, and they work with the server of the same schema.
    Codegen(Codegen),
    /// Brings a database to a new schema, and says first what that means for the records
    ///
    /// Models, fields and indexes that are new are added. What would lose data is refused without
    /// --allow-data-loss, and what the stored records cannot be is refused always.
    ///
    /// A server may have the database open. It goes on meanwhile, puts off what comes in the
    /// moment of the change, and then serves the new schema; its realtime clients come again by
    /// themselves. Nothing that was acknowledged is lost.
    ///
    /// `serve` itself adds what is new when it is started, and keeps what its schema lacks without
    /// showing it; only a push removes anything.
    Push(Push),
    /// Writes all records of a database, one JSON object a line
    ///
    /// The records are as they are at one moment; a server may go on meanwhile. Tombstones and
    /// what the schema no longer has are written too, so that nothing is lost in a backup.
    Export(Export),
    /// Reads records, one JSON object a line, into a database
    Import(Import),
    /// Looks whether a database, its schema and the settings are well, and says what to do
    ///
    /// Checks that the settings go together, the schema can be read, the file is sound, each
    /// record can be read and has its place in the journal, the clock is right, the database
    /// agrees with the schema, and the disk has room. Nothing is changed.
    Doctor(Doctor),
    /// Makes, lists and revokes API keys, also while a server runs
    ///
    /// They are kept beside the database, as hashes: a key is shown once, when it is made. A
    /// server that runs on the database sees what has changed within a second.
    Keys(Keys),
    /// Brings a deleted record back, with all that it held
    Undelete(Undelete),
}

const EXAMPLES: &str = "\
Examples:
  espressync serve
      Serves ./schema.graphql on this machine, with the demo's key
  espressync serve --help
      Tells all that a server can be told
";

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_sound() {
        Cli::command().debug_assert();
    }
}
