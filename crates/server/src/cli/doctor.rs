use clap::Args;

use super::Files;

/// What `doctor` is told.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Doctor {
    #[command(flatten)]
    pub(crate) files: Files,
}

const EXAMPLES: &str = "\
Examples:
  espressync doctor --config espressync.toml
      Looks at the settings, the schema and the database; a server may go on

Ends with 1 if something is WRONG, and says what to do about it.
";
