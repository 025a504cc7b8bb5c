//! Pages in Chromium against the real server, by Node's own test runner: the built app, and the
//! unmodified aws-amplify.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result, bail};

use super::counts::{self, Counts};
use super::ground::{E2E, Ground, INTEROP};
use crate::project::Project;
use crate::server;

/// The longest a single test may take, in milliseconds: a hanging page is a failure, not a wait.
const PATIENCE: &str = "--test-timeout=180000";
/// Once its tests are done a file is done: a pipe of a server that was killed keeps Node waiting.
const LEAVE: &str = "--test-force-exit";

/// The built app.
pub(super) fn run(project: &Project, ground: &mut Ground<'_>) -> Result<Counts> {
    run_specs_of(project, ground, E2E)
}

/// The npm package aws-amplify as it is published, alone and beside the built app.
pub(super) fn run_with_amplify(project: &Project, ground: &mut Ground<'_>) -> Result<Counts> {
    run_specs_of(project, ground, INTEROP)
}

/// Runs every specs/*.test.js; one file at a time, since each starts a browser.
fn run_specs_of(project: &Project, ground: &mut Ground<'_>, folder: &str) -> Result<Counts> {
    let laid = ground.laid()?;
    let program = server::build_for_tests(project)?;
    let mut node = Command::new("node");
    node.current_dir(&project.root)
        .args(["--test", "--test-concurrency=1", "--test-reporter=spec", PATIENCE, LEAVE])
        .args(specs(project, folder)?)
        .env("CHROME", &laid.browser.chrome)
        .env("ESPRESSYNC_SERVER", program)
        .env("ESPRESSYNC_DIST", project.dist())
        .env("ESPRESSYNC_INTEROP_PAGES", project.target.join("interop"))
        .env("ESPRESSYNC_SCREENSHOTS", project.target.join("screenshots"));
    counts::of_running(&mut node)
}

/// Lists the files, because Node 20 takes no pattern and Node 22 no folder.
fn specs(project: &Project, folder: &str) -> Result<Vec<PathBuf>> {
    let folder = PathBuf::from(folder).join("specs");
    let entries = fs::read_dir(project.root.join(&folder)).context("there are no specs")?;
    let mut specs = Vec::new();
    for entry in entries {
        let name = entry.context("cannot list the specs")?.file_name();
        if name.to_string_lossy().ends_with(".test.js") {
            specs.push(folder.join(name));
        }
    }
    if specs.is_empty() {
        bail!("there are no specs in {}", folder.display());
    }
    specs.sort();
    Ok(specs)
}
