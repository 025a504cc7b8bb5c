//! The tests that need no browser.

use anyhow::{Context, Result, bail};

use super::counts::{self, Counts};
use super::ground::Ground;
use crate::command::cargo;
use crate::project::Project;

/// Compiles them beside whatever else is going on, and runs them when that is over: some keep a
/// budget of time.
pub(super) fn run(project: &Project, ground: &mut Ground<'_>) -> Result<Counts> {
    let compiled = cargo(&project.root)
        .args(["test", "--workspace", "--no-run"])
        .status()
        .context("cannot run cargo")?;
    if !compiled.success() {
        bail!("the tests do not compile");
    }
    ground.wait();
    counts::of_running(cargo(&project.root).args(["test", "--workspace", "--no-fail-fast"]))
}
