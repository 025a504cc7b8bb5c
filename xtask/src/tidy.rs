//! `cargo xtask tidy`: the rules of the house that the compiler cannot check.
//!
//! Which room may import which is in `tidy/rooms.rs`; the rest is about the length of functions,
//! files and lines, and about what must not be in a tracked file.

mod app;
mod files;
mod functions;
mod imports;
mod rooms;
mod rust_text;
mod width;

use std::fs;
use std::path::Path;
use std::process::{Command, ExitCode};

use anyhow::{Context, Result};

use crate::command::{cargo, output_of};
use crate::project::Project;

/// Runs the check by itself.
pub(crate) fn run() -> Result<ExitCode> {
    let is_tidy = is_tidy(&Project::find()?)?;
    Ok(if is_tidy { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Checks everything, prints what is wrong, and says whether nothing is.
pub(crate) fn is_tidy(project: &Project) -> Result<bool> {
    println!("  $ cargo xtask tidy");
    let mut problems = imports::problems(&metadata(project)?)?;
    for path in tracked_files(project)? {
        // Pictures and the like are not text; a file deleted but not yet committed is not there.
        if let Ok(text) = fs::read_to_string(project.root.join(&path)) {
            problems.extend(problems_in(&path, &text));
        }
    }
    for problem in &problems {
        println!("     {problem}");
    }
    Ok(problems.is_empty())
}

fn problems_in(path: &str, text: &str) -> Vec<String> {
    let mut problems = files::problems(path, text);
    if Path::new(path).extension().is_some_and(|extension| extension == "rs") {
        let code = rust_text::blank_out(text);
        problems.extend(functions::problems(path, &code));
        problems.extend(width::problems(path, text, &code));
        problems.extend(app::problems(path, &code));
    }
    problems
}

fn metadata(project: &Project) -> Result<serde_json::Value> {
    let mut call = cargo(&project.root);
    call.args(["metadata", "--no-deps", "--format-version=1"]);
    serde_json::from_str(&output_of(&mut call)?).context("cannot read `cargo metadata`")
}

/// Lists what Git tracks and what it would if one added it.
fn tracked_files(project: &Project) -> Result<Vec<String>> {
    let mut git = Command::new("git");
    git.current_dir(&project.root);
    git.args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"]);
    let files = output_of(&mut git)?;
    Ok(files.split_terminator('\0').map(str::to_owned).collect())
}
