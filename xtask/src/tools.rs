//! The tools that are needed and do not come with Rust: found, or else installed.
//!
//! What Cargo has to compile goes into one folder per user and version, so that the next clone
//! finds it there: `$ESPRESSYNC_TOOLS`, else `$XDG_CACHE_HOME/espressync/tools`, else
//! `~/.cache/espressync/tools`. A fitting version on PATH is taken as it is.

pub(crate) mod browser;
pub(crate) mod graphiql;
pub(crate) mod npm;

mod binaryen;
mod cargo_tool;
mod wasm_target;

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::thread::{self, ScopedJoinHandle};

use anyhow::{Context, Result, anyhow};

use crate::project::Project;

pub(crate) use wasm_target::install as install_wasm_target;

/// What turns the app's source into what a browser loads.
#[derive(Clone, Debug)]
pub(crate) struct BuildTools {
    folders: Vec<PathBuf>,
    /// The wasm-bindgen-test-runner that fits the app's wasm-bindgen.
    pub(crate) test_runner: PathBuf,
}

impl BuildTools {
    /// Finds or installs them all, side by side: one waits for the network while another compiles.
    ///
    /// They are of use only with the [target](install_wasm_target).
    pub(crate) fn install(project: &Project) -> Result<Self> {
        let bindgen_version = locked_version(&project.root, "wasm-bindgen")?;
        thread::scope(|scope| {
            let trunk = scope.spawn(|| cargo_tool::trunk().find_or_install(project));
            let bindgen =
                scope.spawn(|| cargo_tool::wasm_bindgen(&bindgen_version).find_or_install(project));
            let wasm_opt = scope.spawn(|| binaryen::find_or_install(project));
            let (trunk, bindgen, wasm_opt) = (join(trunk)?, join(bindgen)?, join(wasm_opt)?);
            let test_runner = bindgen.join("wasm-bindgen-test-runner");
            Ok(Self { folders: vec![trunk, bindgen, wasm_opt], test_runner })
        })
    }

    /// A PATH on which these tools come first.
    pub(crate) fn path(&self) -> Result<OsString> {
        first_on_path(&self.folders)
    }
}

/// Finds or installs the fuzzer's command line, and returns a PATH on which it is.
pub(crate) fn cargo_fuzz(project: &Project) -> Result<OsString> {
    first_on_path(&[cargo_tool::cargo_fuzz().find_or_install(project)?])
}

/// A PATH on which these folders come first.
fn first_on_path(folders: &[PathBuf]) -> Result<OsString> {
    let inherited = std::env::var_os("PATH").unwrap_or_default();
    let folders = folders.iter().cloned().chain(std::env::split_paths(&inherited));
    std::env::join_paths(folders).context("a tool's folder cannot be on PATH")
}

/// Waits for a piece of work that runs beside this one.
pub(crate) fn join<T>(work: ScopedJoinHandle<'_, Result<T>>) -> Result<T> {
    work.join().unwrap_or_else(|_| Err(anyhow!("a part of the work has panicked")))
}

/// Finds a program on PATH.
fn on_path(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(program)).find(|file| file.is_file())
}

/// The folder of this user's tools.
fn cache() -> Result<PathBuf> {
    let variable = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
    if let Some(folder) = variable("ESPRESSYNC_TOOLS") {
        return std::path::absolute(folder).context("ESPRESSYNC_TOOLS is no path");
    }
    let cache = match variable("XDG_CACHE_HOME") {
        Some(folder) => PathBuf::from(folder),
        None => {
            std::env::home_dir().context("no home folder: set ESPRESSYNC_TOOLS")?.join(".cache")
        }
    };
    Ok(cache.join("espressync").join("tools"))
}

/// Reads the version of a package from Cargo.lock.
fn locked_version(root: &Path, package: &str) -> Result<String> {
    let lock =
        std::fs::read_to_string(root.join("Cargo.lock")).context("cannot read Cargo.lock")?;
    version_in(&lock, package).with_context(|| format!("Cargo.lock does not name {package}"))
}

fn version_in(lock: &str, package: &str) -> Option<String> {
    let name = format!("name = \"{package}\"");
    let mut lines = lock.lines().skip_while(|line| *line != name);
    let version = lines.nth(1)?.strip_prefix("version = \"")?.strip_suffix('"')?;
    Some(version.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_locked_version_is_that_of_the_package_itself() {
        let lock = "[[package]]\nname = \"wasm-bindgen-macro\"\nversion = \"1.0.0\"\n\n\
                    [[package]]\nname = \"wasm-bindgen\"\nversion = \"0.2.130\"\n";
        assert_eq!(version_in(lock, "wasm-bindgen").as_deref(), Some("0.2.130"));
        assert_eq!(version_in(lock, "leptos"), None);
    }
}
