//! The store in Chromium, beside hand-written IndexedDB and aws-amplify (tests/bench).

use std::path::Path;
use std::process::{Command, ExitCode};

use anyhow::{Context, Result};

use crate::command::cargo;
use crate::project::Project;
use crate::size;
use crate::step::Step;
use crate::tools::browser::Browser;
use crate::tools::{self, BuildTools, npm};

/// The module that the page calls: an example of the browser's room.
const MODULE: &str = "store_bench";

pub(super) fn run(options: &[&String]) -> Result<ExitCode> {
    let project = Project::find()?;
    npm::install(&project, "tests/e2e")?;
    npm::install(&project, "tests/bench")?;
    let browser = Browser::find_or_install(&project)?;
    tools::install_wasm_target(&project)?;
    let tools = BuildTools::install(&project)?;
    let pages = project.target.join("bench-store");
    let keeps_names = options.iter().any(|option| option.starts_with("--profile"));
    build(&project, &tools, &pages, keeps_names.then_some("--debuginfo"))?;
    size::print_files(&project, &pages)?;
    if project.dist().is_dir() {
        println!("     and of the whole app, as it was built last:");
        size::print(&project)?;
    }
    let status = Command::new("node")
        .current_dir(&project.root)
        .arg("tests/bench/store.js")
        .args(options)
        .env("CHROME", &browser.chrome)
        .env("ESPRESSYNC_BENCH_PAGES", &pages)
        .status()
        .context("cannot run node")?;
    Ok(if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Compiles the module as the app is compiled: same profile, same settings of wasm-opt.
/// `names` is wasm-opt's flag to keep the names of functions, for profiles.
fn build(project: &Project, tools: &BuildTools, pages: &Path, names: Option<&str>) -> Result<()> {
    let hint = "building it in release, about 2 min the first time";
    let step = Step::start(project, "the store's bench", hint)?;
    let target = "--target=wasm32-unknown-unknown";
    let package = "--package=espressync-browser";
    step.run(cargo(&project.root).args([
        "build",
        "--release",
        target,
        package,
        "--example",
        MODULE,
    ]))?;
    let path = tools.path()?;
    let built = project.target.join("wasm32-unknown-unknown/release/examples");
    step.run(
        Command::new("wasm-bindgen")
            .env("PATH", &path)
            .args(["--target", "web", "--no-typescript", "--out-dir"])
            .arg(pages)
            .arg(built.join(MODULE).with_extension("wasm")),
    )?;
    let wasm = pages.join(format!("{MODULE}_bg.wasm"));
    step.run(
        Command::new("wasm-opt")
            .env("PATH", &path)
            .args(["-O2", "--one-caller-inline-max-function-size=0", "--strip-producers"])
            .args(names)
            .arg(&wasm)
            .arg("--output")
            .arg(&wasm),
    )?;
    step.done();
    Ok(())
}
