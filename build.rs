//! Writes the app's Rust models from `src/schema.graphql`, the same file that the server serves.
#![allow(clippy::print_stdout, reason = "cargo reads a build script's standard output")]

use std::error::Error;
use std::path::Path;
use std::{env, fs};

use espressync_model::{codegen, sdl};

const SCHEMA: &str = "src/schema.graphql";

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed={SCHEMA}");
    let schema = sdl::parse(&fs::read_to_string(SCHEMA)?, SCHEMA)?;
    let out = env::var_os("OUT_DIR").ok_or("cargo sets OUT_DIR")?;
    fs::write(Path::new(&out).join("models.rs"), codegen::rust(&schema))?;
    Ok(())
}
