//! Where things are.

use std::path::PathBuf;

use anyhow::{Context, Result};

use crate::command;

/// The folders the chores work on, as absolute paths.
#[derive(Clone, Debug)]
pub(crate) struct Project {
    /// The repository: where the workspace's Cargo.toml is.
    pub(crate) root: PathBuf,
    /// Cargo's target folder, wherever the user has put it.
    pub(crate) target: PathBuf,
}

impl Project {
    /// Finds the project: Cargo tells where its package xtask is, and where it puts what it builds.
    pub(crate) fn find() -> Result<Self> {
        let package = std::env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from);
        let root = match package.as_deref().and_then(|package| package.parent()) {
            Some(root) => root.to_path_buf(),
            None => std::env::current_dir().context("cannot tell the current folder")?,
        };
        let metadata = command::cargo(&root)
            .args(["metadata", "--no-deps", "--format-version=1"])
            .output()
            .context("cannot run cargo")?;
        let metadata: serde_json::Value =
            serde_json::from_slice(&metadata.stdout).context("`cargo metadata` failed")?;
        let target = metadata["target_directory"].as_str().context("no target folder")?;
        let target = PathBuf::from(target);
        Ok(Self { root, target })
    }

    /// The built app.
    pub(crate) fn dist(&self) -> PathBuf {
        self.root.join("dist")
    }

    /// Scratch space of the chores: logs, stamps, generated settings.
    pub(crate) fn scratch(&self) -> PathBuf {
        self.target.join("xtask")
    }
}
