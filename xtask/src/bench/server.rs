//! The server beside what the machine can do without it.

use std::process::ExitCode;

use anyhow::{Context, Result};

use crate::command::cargo;
use crate::project::Project;

pub(super) fn run(options: &[&String]) -> Result<ExitCode> {
    let project = Project::find()?;
    println!("  ·  the server and its bench: building them, about 4 min the first time");
    let bench = ["--package", "espressync-server", "--bench", "server"];
    let status = cargo(&project.root)
        .args(["bench", "--quiet", "--profile=server"])
        .args(bench)
        .arg("--")
        .args(options)
        .status()
        .context("cannot run cargo")?;
    Ok(if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
