//! `cargo xtask bench`: what a part of ours does on this machine, as figures.

use std::process::ExitCode;

use anyhow::{Context, Result, bail};

use crate::command::cargo;
use crate::project::Project;

/// Builds a bench as the program is built that it measures, and runs it; what follows its name is
/// handed to it.
pub(crate) fn run(arguments: &[String]) -> Result<ExitCode> {
    let project = Project::find()?;
    let (package, options) = match arguments.split_first() {
        Some((name, options)) if name == "server" => ("espressync-server", options),
        Some((name, _)) => bail!("there is no bench `{name}`; there is `server`"),
        None => bail!("say which bench: `server`"),
    };
    println!("  ·  the server and its bench: building them, about 4 min the first time");
    let status = cargo(&project.root)
        .args(["bench", "--quiet", "--profile=server", "--package", package, "--bench", "server"])
        .arg("--")
        .args(options.iter().filter(|option| *option != "--"))
        .status()
        .context("cannot run cargo")?;
    Ok(if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
