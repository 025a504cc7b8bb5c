use std::fs;
use std::path::{Path, PathBuf};

use clap::ValueEnum;
use espressync_model::ApiSchema;
use espressync_model::codegen::{self, typescript};
use espressync_model::sdl::{self, SdlError};
use espressync_wire::introspection;
use thiserror::Error;

/// The languages that models are written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Target {
    /// index.js and schema.js with their .d.ts: the models folder that Amplify's generator writes.
    Js,
    /// index.ts and schema.ts: the same for who compiles TypeScript.
    Typescript,
    /// models.rs: structs, enums and the schema for the crates of espressync.
    Rust,
}

/// Why models were not written.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum CodegenError {
    /// A file cannot be read or written.
    #[error("cannot {what} {file}: {source}")]
    File {
        /// What was tried.
        what: &'static str,
        /// The file.
        file: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The schema is wrong, or says what this version cannot do.
    #[error("the schema cannot be used\n{}", .0.report())]
    Sdl(#[from] SdlError),
}

/// Writes a schema's models into a folder, which is made if it is not there, and returns the
/// files. `package` is where JavaScript finds DataStore.
///
/// # Errors
/// [`CodegenError`]; a schema that is wrong writes nothing.
pub fn generate(
    schema: &Path,
    target: Target,
    out: &Path,
    package: &str,
) -> Result<Vec<PathBuf>, CodegenError> {
    let failed = |what, file: &Path| {
        let file = file.to_owned();
        move |source| CodegenError::File { what, file, source }
    };
    let text = fs::read_to_string(schema).map_err(failed("read", schema))?;
    let api = sdl::parse_api(&text, &schema.display().to_string())?;
    fs::create_dir_all(out).map_err(failed("make", out))?;
    let mut written = Vec::new();
    for (name, text) in files(&api, target, package) {
        let file = out.join(name);
        fs::write(&file, text).map_err(failed("write", &file))?;
        written.push(file);
    }
    Ok(written)
}

fn files(api: &ApiSchema, target: Target, package: &str) -> Vec<(&'static str, String)> {
    let import = format!("import type {{ Schema }} from {package:?};\n\n");
    match target {
        Target::Js => vec![
            ("schema.js", format!("export const schema = {:#};\n", introspection(api))),
            ("schema.d.ts", import + "export declare const schema: Schema;\n"),
            ("index.js", typescript::javascript(&api.schema, package)),
            ("index.d.ts", typescript::declarations(api, package)),
        ],
        Target::Typescript => vec![
            (
                "schema.ts",
                format!("{import}export const schema: Schema = {:#};\n", introspection(api)),
            ),
            ("index.ts", typescript::typescript(api, package)),
        ],
        Target::Rust => vec![("models.rs", codegen::rust(&api.schema))],
    }
}
