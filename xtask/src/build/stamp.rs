//! Knows whether dist/ was built from the sources as they are now.
//!
//! Without it each start would run wasm-opt again, which takes longer than all the rest together.

use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::time::UNIX_EPOCH;

use anyhow::{Context, Result};

use crate::command::output_of;
use crate::project::Project;

/// Everything the built app is made of.
const SOURCES: [&str; 11] = [
    ".cargo",
    "Cargo.lock",
    "Cargo.toml",
    "Trunk.toml",
    "build.rs",
    "crates",
    "index.html",
    "rust-toolchain.toml",
    "src",
    "www",
    "xtask/hooks",
];

/// Describes the sources as they are: each file's name, length and time of change.
pub(super) fn of_sources(project: &Project) -> Result<String> {
    let mut git = Command::new("git");
    git.current_dir(&project.root)
        .args(["ls-files", "--cached", "--others", "--exclude-standard", "--"])
        .args(SOURCES);
    let files = output_of(&mut git)?;
    let mut stamp = String::new();
    for file in files.lines() {
        // A file that Git knows and that is gone changes the stamp by not being in it.
        let Ok(facts) = fs::metadata(project.root.join(file)) else { continue };
        let changed = facts.modified().context("no times of change on this file system")?;
        let changed = changed.duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos();
        stamp.push_str(&format!("{file} {} {changed}\n", facts.len()));
    }
    Ok(stamp)
}

/// Notes from which sources dist/ has been built.
pub(super) fn write(project: &Project, sources: &str) -> Result<()> {
    fs::create_dir_all(project.scratch()).context("cannot make the scratch folder")?;
    fs::write(file(project), sources).context("cannot note what was built")
}

/// Says whether dist/ is there and built from the sources of now. When in doubt, it is not.
pub(super) fn is_current(project: &Project) -> bool {
    let built = fs::read_to_string(file(project)).ok();
    let is_there = project.dist().join("index.html").is_file();
    is_there && built.is_some() && built == of_sources(project).ok()
}

fn file(project: &Project) -> PathBuf {
    project.scratch().join("app.stamp")
}
