use std::path::PathBuf;

use clap::Args;

use super::{FileError, Files, Settings};
use crate::codegen::Target;

/// What `codegen` is told.
#[derive(Debug, Args)]
pub struct Codegen {
    /// A server's file of settings in TOML, for the `schema` that it names
    #[arg(long, value_name = "FILE", env = "ESPRESSYNC_CONFIG")]
    config: Option<PathBuf>,
    /// The schema: types with @model become models [default: schema.graphql]
    #[arg(long, value_name = "FILE", env = "ESPRESSYNC_SCHEMA")]
    schema: Option<PathBuf>,
    /// The language
    #[arg(long, value_enum)]
    pub target: Target,
    /// The folder to write to; files of the same names are replaced
    #[arg(long, value_name = "DIR", default_value = "src/models")]
    pub out: PathBuf,
    /// Where JavaScript and TypeScript find DataStore
    #[arg(long, value_name = "NAME", default_value = "aws-amplify/datastore")]
    pub package: String,
}

impl Codegen {
    /// The schema's file, as the flags, the environment and the file of settings say.
    ///
    /// # Errors
    /// [`FileError`] for a file of settings that cannot be used.
    pub fn schema(&self) -> Result<PathBuf, FileError> {
        let (config, schema) = (self.config.clone(), self.schema.clone());
        let files = Files { config, schema, ..Files::default() };
        Ok(files.settings(Settings::default())?.into_config().schema)
    }
}
