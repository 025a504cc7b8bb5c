//! The packages that the JavaScript of a folder needs, as its package-lock.json lists them.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};

use crate::project::Project;
use crate::step::{Step, skipped};

/// Installs the packages of `folder` (below the repository), unless they are those of its lock
/// file.
pub(crate) fn install(project: &Project, folder: &str) -> Result<()> {
    let name = format!("npm packages of {folder}");
    let path = project.root.join(folder);
    if is_current(&path) {
        skipped(&name);
        return Ok(());
    }
    let step = Step::start(project, &name, "downloading them, some seconds")?;
    let mut npm = Command::new("npm");
    npm.args(["ci", "--no-audit", "--no-fund", "--prefix"]).arg(&path).current_dir(&project.root);
    step.run(&mut npm)?;
    let (lock, copy) = (path.join("package-lock.json"), path.join(COPY));
    fs::copy(lock, copy).context("cannot note what is installed")?;
    step.done();
    Ok(())
}

/// A copy of the lock file that was installed: npm's own note of it is written differently.
const COPY: &str = "node_modules/.installed-lock.json";

fn is_current(folder: &Path) -> bool {
    let wanted = fs::read(folder.join("package-lock.json"));
    let installed = fs::read(folder.join(COPY));
    matches!((wanted, installed), (Ok(wanted), Ok(installed)) if wanted == installed)
}
