use std::path::PathBuf;

use clap::Args;

use crate::codegen::Target;

/// What `codegen` is told.
#[derive(Debug, Args)]
pub struct Codegen {
    /// The schema: types with @model become models
    #[arg(long, value_name = "FILE", default_value = "schema.graphql", env = "ESPRESSYNC_SCHEMA")]
    pub schema: PathBuf,
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
