//! Rust's standard library for WebAssembly.

use std::path::Path;
use std::process::Command;

use anyhow::Result;

use crate::command::output_of;
use crate::project::Project;
use crate::step::{Step, skipped};

const TARGET: &str = "wasm32-unknown-unknown";

/// Adds the target to the toolchain, unless it is there.
pub(crate) fn install(project: &Project) -> Result<()> {
    let mut rustc = Command::new("rustc");
    rustc.current_dir(&project.root).args(["--print", "sysroot"]);
    let sysroot = output_of(&mut rustc)?;
    if Path::new(sysroot.trim()).join("lib/rustlib").join(TARGET).is_dir() {
        skipped(&format!("Rust target {TARGET}"));
        return Ok(());
    }
    let name = format!("Rust target {TARGET}");
    let step = Step::start(project, &name, "downloading 20 MB, some seconds")?;
    let mut rustup = Command::new("rustup");
    rustup.current_dir(&project.root).args(["target", "add", TARGET]);
    step.run(&mut rustup)?;
    step.done();
    Ok(())
}
