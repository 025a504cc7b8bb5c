//! What the layers that need a browser stand on: tools, Chromium and the built app.
//!
//! It is laid beside the layers that do not need it, where memory allows.

use std::fs;
use std::thread::{self, Scope, ScopedJoinHandle};

use anyhow::{Result, anyhow};

use super::Layer;
use crate::build;
use crate::project::Project;
use crate::tools::browser::Browser;
use crate::tools::{BuildTools, join, npm};

/// The folder of the end-to-end tests.
pub(super) const E2E: &str = "tests/e2e";

/// The folder of the tests with aws-amplify, which also uses what those have.
pub(super) const INTEROP: &str = "tests/interop";

/// What two compilers side by side may take, at the least, in KiB.
const ROOM_FOR_TWO: u64 = 5 * 1024 * 1024;

/// Work in progress, or done.
pub(super) enum Ground<'scope> {
    /// No layer needs it.
    None,
    /// Being laid in another thread.
    Rising(Option<ScopedJoinHandle<'scope, Result<Laid>>>),
    /// As far as it came.
    Done(Result<Laid>),
}

/// What is there in the end.
pub(super) struct Laid {
    /// The tools that build and test wasm.
    pub(super) tools: BuildTools,
    /// Chromium and its driver.
    pub(super) browser: Browser,
}

impl<'scope> Ground<'scope> {
    /// Begins to prepare what the layers need; waits for it where there is little memory.
    pub(super) fn lay<'env>(
        scope: &'scope Scope<'scope, 'env>,
        project: &'env Project,
        layers: &[Layer],
    ) -> Self {
        let with_amplify = layers.contains(&Layer::Interop);
        let packages: &[&str] = match (layers.contains(&Layer::E2e), with_amplify) {
            (_, true) => &[E2E, INTEROP],
            (true, false) => &[E2E],
            (false, false) if layers.contains(&Layer::Browser) => &[],
            (false, false) => return Self::None,
        };
        let mut ground = Self::Rising(Some(scope.spawn(move || prepare(project, packages))));
        if available_memory().is_some_and(|available| available < ROOM_FOR_TWO) {
            ground.wait();
        }
        ground
    }

    /// Waits until nothing is going on beside the caller, so that what it measures is its own.
    pub(super) fn wait(&mut self) {
        if let Self::Rising(work) = self {
            let done = work.take().map(join);
            *self = Self::Done(done.unwrap_or_else(|| Err(anyhow!("nobody prepared the tests"))));
        }
    }

    /// Waits for what was prepared.
    ///
    /// # Errors
    ///
    /// The reason why it is not there, each time one asks.
    pub(super) fn laid(&mut self) -> Result<&Laid> {
        self.wait();
        match self {
            Self::Done(Ok(laid)) => Ok(laid),
            Self::Done(Err(error)) => Err(anyhow!("{error:#}")),
            Self::None | Self::Rising(_) => Err(anyhow!("nobody prepared the tests")),
        }
    }
}

/// Whoever needs npm packages needs the app as well.
fn prepare(project: &Project, packages: &[&str]) -> Result<Laid> {
    thread::scope(|scope| {
        // The downloads wait for the network while the tools compile.
        let downloads = scope.spawn(|| -> Result<Browser> {
            for folder in packages {
                npm::install(project, folder)?;
            }
            Browser::find_or_install(project)
        });
        let tools = BuildTools::install(project)?;
        if !packages.is_empty() {
            build::app_if_outdated(project, &tools)?;
        }
        Ok(Laid { tools, browser: join(downloads)? })
    })
}

/// Reads how much memory is free to use, in KiB, where the system tells.
fn available_memory() -> Option<u64> {
    let facts = fs::read_to_string("/proc/meminfo").ok()?;
    let line = facts.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
    line.trim().strip_suffix("kB")?.trim().parse().ok()
}
