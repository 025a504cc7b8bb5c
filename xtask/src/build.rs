//! Builds the app into dist/.

mod stamp;

use std::process::ExitCode;

use anyhow::Result;

use crate::project::Project;
use crate::size;
use crate::step::{Step, skipped};
use crate::tools::{self, BuildTools};

/// `cargo xtask build`
pub(crate) fn run() -> Result<ExitCode> {
    let project = Project::find()?;
    tools::install_wasm_target(&project)?;
    let tools = BuildTools::install(&project)?;
    app(&project, &tools)?;
    size::print(&project)?;
    Ok(ExitCode::SUCCESS)
}

/// Builds the app, unless dist/ already holds what the sources say.
pub(crate) fn app_if_outdated(project: &Project, tools: &BuildTools) -> Result<()> {
    if stamp::is_current(project) {
        skipped("the app in dist/ is up to date");
        return Ok(());
    }
    app(project, tools)
}

/// Builds the app in release by Trunk.
fn app(project: &Project, tools: &BuildTools) -> Result<()> {
    // Taken before the build, so that what is edited meanwhile counts as not built.
    let sources = stamp::of_sources(project)?;
    let hint = "building it in release, about 4 min the first time";
    let step = Step::start(project, "the app", hint)?;
    let mut trunk = std::process::Command::new("trunk");
    trunk
        .current_dir(&project.root)
        .args(["build", "--release"])
        .env("PATH", tools.path()?)
        // Trunk 0.21 takes the customary NO_COLOR=1 for an error.
        .env_remove("NO_COLOR");
    step.run(&mut trunk)?;
    stamp::write(project, &sources)?;
    step.done();
    Ok(())
}
