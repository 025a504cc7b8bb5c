//! wasm-opt, from the npm package `binaryen`: no compiler and no download from outside npm.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Result;

use super::{cache, on_path};
use crate::command::output_of;
use crate::project::Project;
use crate::step::{Step, skipped};

/// The package's version; wasm-opt counts the same without the points.
const VERSION: &str = "132.0.0";
/// The oldest wasm-opt on PATH that knows what rustc writes today.
const OLDEST: u32 = 123;

/// Returns the folder that holds wasm-opt.
pub(super) fn find_or_install(project: &Project) -> Result<PathBuf> {
    let on_path = on_path("wasm-opt").and_then(|program| Some(program.parent()?.to_path_buf()));
    let root = cache()?.join(format!("binaryen-{VERSION}"));
    let installed = root.join("node_modules").join(".bin");
    if let Some(found) = on_path.into_iter().chain([installed.clone()]).find(|folder| fits(folder))
    {
        skipped("wasm-opt");
        return Ok(found);
    }
    let step = Step::start(project, "wasm-opt", "downloading it from npm, some seconds")?;
    let mut npm = Command::new("npm");
    npm.args(["install", "--no-audit", "--no-fund", "--no-save", "--prefix"]).arg(&root);
    npm.arg(format!("binaryen@{VERSION}"));
    step.run(&mut npm)?;
    step.done();
    Ok(installed)
}

fn fits(folder: &Path) -> bool {
    output_of(Command::new(folder.join("wasm-opt")).arg("--version"))
        .ok()
        .and_then(|answer| answer.split_whitespace().nth(2)?.parse::<u32>().ok())
        .is_some_and(|version| version >= OLDEST)
}
