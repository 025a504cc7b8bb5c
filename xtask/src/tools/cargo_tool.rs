//! Tools that Cargo compiles from source.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use super::{cache, on_path};
use crate::command::{cargo, output_of};
use crate::project::Project;
use crate::step::{Step, skipped};

/// A package of programs, wanted in one version.
pub(super) struct CargoTool {
    package: &'static str,
    version: String,
    /// The first one is asked for its version; all are in one folder.
    programs: &'static [&'static str],
    hint: &'static str,
    /// Takes the package's own Cargo.lock, where that still compiles.
    is_locked: bool,
}

/// Trunk, which runs the build. 0.21 is the last line that rustc 1.95 compiles.
pub(super) fn trunk() -> CargoTool {
    CargoTool {
        package: "trunk",
        version: "0.21.14".to_owned(),
        programs: &["trunk"],
        hint: "compiling it, 2 to 4 min on two cores, once per user",
        is_locked: true,
    }
}

/// The wasm-bindgen command line, which must be of the version that the app is compiled with.
pub(super) fn wasm_bindgen(version: &str) -> CargoTool {
    CargoTool {
        package: "wasm-bindgen-cli",
        version: version.to_owned(),
        programs: &["wasm-bindgen", "wasm-bindgen-test-runner"],
        hint: "compiling it, 1 to 2 min on two cores, once per user and version",
        is_locked: false,
    }
}

/// The fuzzer's command line.
pub(super) fn cargo_fuzz() -> CargoTool {
    CargoTool {
        package: "cargo-fuzz",
        version: "0.13.2".to_owned(),
        programs: &["cargo-fuzz"],
        hint: "compiling it, about 1 min on two cores, once per user",
        is_locked: true,
    }
}

impl CargoTool {
    /// Returns the folder that holds the programs, after compiling them if need be.
    pub(super) fn find_or_install(&self, project: &Project) -> Result<PathBuf> {
        let name = format!("{} {}", self.package, self.version);
        let root = cache()?.join(format!("{}-{}", self.package, self.version));
        let installed = root.join("bin");
        let candidates = self.folder_on_path().into_iter().chain([installed.clone()]);
        if let Some(found) = candidates.into_iter().find(|folder| self.fits(folder)) {
            skipped(&name);
            return Ok(found);
        }
        let step = Step::start(project, &name, self.hint)?;
        step.run(&mut self.install_command(&root)?)?;
        // Some hundred megabytes that nobody needs again; left behind they do no harm.
        let _ = fs::remove_dir_all(root.join("build"));
        step.done();
        Ok(installed)
    }

    fn folder_on_path(&self) -> Option<PathBuf> {
        let program = on_path(self.programs.first()?)?;
        Some(program.parent()?.to_path_buf())
    }

    fn fits(&self, folder: &Path) -> bool {
        let is_complete = self.programs.iter().all(|program| folder.join(program).is_file());
        is_complete && self.version_in(folder).is_some_and(|version| version == self.version)
    }

    fn version_in(&self, folder: &Path) -> Option<String> {
        let program = folder.join(self.programs.first()?);
        let answer = output_of(Command::new(program).arg("--version")).ok()?;
        Some(answer.split_whitespace().nth(1)?.to_owned())
    }

    /// Compiles for a short build rather than a fast tool, which halves the time of the first run.
    ///
    /// Trunk waits for others anyway, and wasm-bindgen takes 0.3 s for the app instead of 0.1.
    fn install_command(&self, root: &Path) -> Result<Command> {
        fs::create_dir_all(root).with_context(|| format!("cannot make {}", root.display()))?;
        let mut command = cargo(root);
        command.args(["install", self.package, "--version", &self.version]);
        // The default features only add downloads over TLS, and nothing here is to download.
        command.arg("--no-default-features").arg("--root").arg(root);
        if self.is_locked {
            command.arg("--locked");
        }
        command
            .env("CARGO_TARGET_DIR", root.join("build"))
            .env("CARGO_PROFILE_RELEASE_OPT_LEVEL", "0")
            .env("CARGO_PROFILE_RELEASE_LTO", "off")
            .env("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "16")
            .env("CARGO_PROFILE_RELEASE_DEBUG", "0");
        Ok(command)
    }
}
