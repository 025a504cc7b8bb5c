use std::path::PathBuf;

use clap::Args;

use super::Files;

/// What `export` is told.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Export {
    /// The file to write; without it, standard output. It is replaced once all is written
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
    /// Only the records of this model; give it several times for several
    #[arg(long = "model", value_name = "NAME")]
    pub(crate) models: Vec<String>,
    #[command(flatten)]
    pub(crate) files: Files,
}

const EXAMPLES: &str = "\
Examples:
  espressync export --data shop.sqlite --out backup.ndjson
      A backup, while the server goes on
  espressync export --data shop.sqlite --model Product | jq .values.name
      The names of all products

A line is
  {\"model\":\"Product\",\"values\":{\"id\":\"p\"},\"_version\":1,\"_lastChangedAt\":1,\"_deleted\":false}

Ends with 1 if some record could not be read; the others are written.
";
