//! Format, lints and the rules of the house.

use std::process::Command;

use anyhow::{Context, Result};

use super::counts::Counts;
use crate::command::{as_typed, cargo};
use crate::project::Project;
use crate::tidy;

/// What also, or only, runs in a browser.
const IN_BROWSER: [&str; 6] =
    ["-p", "espressync-pos", "-p", "espressync-client", "-p", "espressync-browser"];
const WASM: &str = "--target=wasm32-unknown-unknown";

/// Runs every check to its end, and counts them.
pub(super) fn run(project: &Project) -> Result<Counts> {
    let call = || cargo(&project.root);
    let mut format = call();
    format.args(["fmt", "--all", "--check"]);
    let mut native = call();
    native.args(["clippy", "--workspace", "--all-targets"]);
    let mut wasm = call();
    wasm.args(["clippy", WASM, "--lib", "--bins"]).args(IN_BROWSER);
    let mut wasm_tests = call();
    wasm_tests.args(["clippy", WASM, "--tests", "-p", "espressync-browser"]);
    for clippy in [&mut native, &mut wasm, &mut wasm_tests] {
        clippy.args(["--", "--deny=warnings"]);
    }

    let mut counts = Counts::default();
    for mut check in [format, native, wasm, wasm_tests] {
        counts += of_check(&mut check)?;
    }
    counts += if tidy::is_tidy(project)? { Counts::SUCCESS } else { Counts::FAILURE };
    Ok(counts)
}

fn of_check(command: &mut Command) -> Result<Counts> {
    let line = as_typed(command);
    println!("  $ {line}");
    let status = command.status().with_context(|| format!("cannot run: {line}"))?;
    Ok(if status.success() { Counts::SUCCESS } else { Counts::FAILURE })
}
