//! `cargo xtask ci`: the tests, and what only matters before sharing work.

use std::process::{Command, ExitCode};

use anyhow::{Context, Result, bail};

use crate::command::output_of;
use crate::project::Project;
use crate::test;

/// Runs all test layers and checks that they have changed no file: a lock file or a golden file
/// that testing rewrites would differ on the next machine.
pub(crate) fn run() -> Result<ExitCode> {
    let project = Project::find()?;
    let before = working_tree(&project)?;
    let outcome = test::run(&test::Layer::ALL)?;
    let after = working_tree(&project)?;
    if before != after {
        bail!("testing has changed the working tree.\nBefore:\n{before}\nAfter:\n{after}");
    }
    Ok(outcome)
}

fn working_tree(project: &Project) -> Result<String> {
    let mut git = Command::new("git");
    git.current_dir(&project.root).args(["status", "--porcelain"]);
    output_of(&mut git).context("cannot tell the state of the working tree")
}
