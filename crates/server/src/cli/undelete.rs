use std::fmt;

use clap::Args;

use super::Files;

/// What `undelete` is told.
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub struct Undelete {
    /// The record's model
    #[arg(value_name = "MODEL")]
    pub(crate) model: String,
    /// The record's key: a value for each of its fields
    #[arg(value_name = "KEY", required = true)]
    pub(crate) key: Vec<String>,
    /// The API of the server that has the database open, such as http://127.0.0.1:20002/graphql
    #[arg(long, value_name = "URL")]
    pub(crate) endpoint: Option<String>,
    /// A key that opens it
    #[arg(long, value_name = "KEY", env = "ESPRESSYNC_API_KEY", hide_env_values = true)]
    pub(crate) api_key: Option<String>,
    #[command(flatten)]
    pub(crate) files: Files,
}

/// The key stays out of whatever prints this.
impl fmt::Debug for Undelete {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Undelete").field("model", &self.model).finish_non_exhaustive()
    }
}

const EXAMPLES: &str = "\
Examples:
  espressync undelete Product 5f2c --data shop.sqlite
      Brings a product back; the server is stopped
  espressync undelete Seat a 12 --endpoint http://127.0.0.1:20002/graphql --api-key \"$KEY\"
      A seat whose key is row and place, through the running server

The record has all that it held, and each client hears of it as of any change.
";
