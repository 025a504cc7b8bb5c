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
    /// Remove models and fields that the schema no longer has from the records, for good; what
    /// its embedded types no longer have stays
    #[arg(long)]
    pub(crate) allow_data_loss: bool,
}

const EXAMPLES: &str = "\
Examples:
  espressync push --schema new.graphql --data shop.sqlite --dry-run
      Shows what the new schema means for the records; a server may go on
  espressync export --data shop.sqlite --out before.ndjson
  espressync push --schema new.graphql --data shop.sqlite --allow-data-loss
      With the server stopped: does it, with a backup of what is lost. Then serve new.graphql

Ends with 1 if it was not done, and with 0 if it was.
";
