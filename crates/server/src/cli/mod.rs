//! The command line. What a command is told comes from its flags, then from the environment, then
//! from the file of `--config`, then from the defaults of [`Config`](crate::config::Config); so
//! each of them is [`Settings`] whose gaps the next one fills.

mod codegen;
mod file;
mod serve;
mod settings;
mod values;

use clap::{Parser, Subcommand};

pub use codegen::Codegen;
pub use file::{FileError, Files};
pub use serve::Serve;
pub use settings::{ModelSettings, Settings};
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
    /// /healthz. Clients send a key as x-api-key.
    Serve(Box<Serve>),
    /// Writes the models of a schema in JavaScript, TypeScript or Rust
    ///
    /// For the unmodified aws-amplify it is what `amplify codegen models` writes: import the
    /// classes from the folder, and they work with the server of the same schema.
    Codegen(Codegen),
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
