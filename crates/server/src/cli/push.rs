use clap::Args;

use super::Files;

/// What `push` is told.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Push {
    #[command(flatten)]
    pub(crate) mode: PushMode,
    #[command(flatten)]
    pub(crate) files: Files,
}

/// How far a push goes.
#[derive(Debug, Clone, Copy, Args)]
pub(crate) struct PushMode {
    /// Say what would be done, and do nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Remove models, fields and members of embedded types that the schema no longer has from the
    /// records, for good
    #[arg(long)]
    pub(crate) allow_data_loss: bool,
}

const EXAMPLES: &str = "\
Examples:
  espressync push --schema new.graphql --data shop.sqlite --dry-run
      Shows what the new schema means for the records
  espressync export --data shop.sqlite --out before.ndjson
  espressync push --schema new.graphql --data shop.sqlite --allow-data-loss
      Does it, with a backup of what is lost; a server that has shop.sqlite open serves the new
      schema from then on. Put new.graphql where that server is told to find its schema, too

Ends with 1 if it was not done, or a running server does not serve it, and with 0 else.
";
