use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::Files;

/// What `import` is told.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Import {
    /// The file to read, as export writes it; without it, standard input
    #[arg(long = "in", value_name = "FILE")]
    pub(crate) input: Option<PathBuf>,
    /// Which versions and times the records get
    #[arg(long, value_enum, default_value_t)]
    pub(crate) versions: Versions,
    /// What to do with a record that is there already and differs
    #[arg(long, value_enum, default_value_t)]
    pub(crate) existing: Existing,
    #[command(flatten)]
    pub(crate) files: Files,
}

/// Which versions imported records get.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(crate) enum Versions {
    /// Those of the file. Clients then read everything anew
    #[default]
    Keep,
    /// New ones, as if they were written now
    New,
}

/// What becomes of a record that is there already.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(crate) enum Existing {
    /// Nothing is imported
    #[default]
    Refuse,
    /// The one in the database stays
    Keep,
    /// The file's becomes its next version
    Replace,
}

const EXAMPLES: &str = "\
Examples:
  espressync import --schema schema.graphql --data new.sqlite --in backup.ndjson
      Restores a backup into a new file
  espressync import --data shop.sqlite --in catalog.ndjson --versions new --existing replace
      Brings a list of products up to date

All lines are imported or none: what is wrong is named with its line. The server must be stopped.
";
