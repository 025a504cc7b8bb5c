use clap::Args;

use super::{FileError, Files, Settings};

/// What `serve` is told.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Serve {
    #[command(flatten)]
    files: Files,
    #[command(flatten)]
    given: Settings,
}

impl Serve {
    /// What the flags, the environment and the file say together.
    ///
    /// # Errors
    /// [`FileError`] for a file that cannot be used.
    pub fn settings(self) -> Result<Settings, FileError> {
        self.files.settings(self.given)
    }
}

const EXAMPLES: &str = "\
Examples:
  espressync serve --schema schema.graphql --data shop.sqlite --api-key \"$KEY\"
      An API on this machine with a key of its own
  espressync serve --config espressync.toml --listen 0.0.0.0:20002
      Settings of a file; the flag wins over its `listen`

A file for --config:
  schema = \"schema.graphql\"
  data = \"shop.sqlite\"
  listen = \"127.0.0.1:20002\"
  api-key = [\"da2-of-the-tills\"]
  conflict = \"automerge\"
  delta-ttl = \"30d\"

  [models.Product]
  conflict = \"optimistic\"
";
