//! Chromium and its driver.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result, bail};
use serde_json::json;

use super::on_path;
use crate::command::output_of;
use crate::project::Project;
use crate::step::{Step, skipped};

const BROWSERS: [&str; 4] =
    ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];
const DRIVER: &str = "chromedriver";

/// Keeps a test's browser quiet and lets it run inside containers. Same list as in
/// tests/e2e/harness/settings.js; the drivers add `--headless` themselves.
const FLAGS: [&str; 7] = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
];

/// A browser and the driver of the same version.
#[derive(Clone, Debug)]
pub(crate) struct Browser {
    /// The program of Chromium or Chrome.
    pub(crate) chrome: PathBuf,
    /// The program that wasm-bindgen's tests drive it by.
    pub(crate) driver: PathBuf,
}

impl Browser {
    /// Finds both by the variables CHROME and CHROMEDRIVER or on PATH; else installs Debian's.
    pub(crate) fn find_or_install(project: &Project) -> Result<Self> {
        if let Some(browser) = Self::find() {
            skipped(&format!("browser {}", browser.chrome.display()));
            return Ok(browser);
        }
        install_packages(project)?;
        Self::find()
            .context("chromium is installed, but not found on PATH: set CHROME and CHROMEDRIVER")
    }

    fn find() -> Option<Self> {
        let chosen = |variable: &str| std::env::var_os(variable).map(PathBuf::from);
        let chrome = chosen("CHROME").or_else(|| BROWSERS.iter().find_map(|name| on_path(name)))?;
        let driver = chosen("CHROMEDRIVER").or_else(|| on_path(DRIVER))?;
        Some(Self { chrome, driver })
    }

    /// Writes the settings with which wasm-bindgen-test-runner asks the driver for this browser.
    pub(crate) fn write_webdriver_settings(&self, project: &Project) -> Result<PathBuf> {
        let options = json!({ "goog:chromeOptions": { "binary": self.chrome, "args": FLAGS } });
        let file = project.scratch().join("webdriver.json");
        fs::create_dir_all(project.scratch()).context("cannot make the scratch folder")?;
        fs::write(&file, options.to_string())
            .with_context(|| format!("cannot write {}", file.display()))?;
        Ok(file)
    }
}

/// Installs browser and driver together, since their versions must agree.
fn install_packages(project: &Project) -> Result<()> {
    let by_hand = "apt-get install chromium chromium-driver";
    if on_path("apt-get").is_none() {
        bail!(
            "no Chromium or Chrome with its driver found: install them, or set CHROME and CHROMEDRIVER"
        );
    }
    if !is_root() && on_path("sudo").is_none() {
        bail!("Chromium is missing and installing it takes root. By hand, as root: {by_hand}");
    }
    let step = Step::start(project, "Chromium", "installing Debian's package, about 1 min")?;
    step.run(&mut as_root(&["apt-get", "update"]))?;
    let install = ["apt-get", "install", "--yes", "--no-install-recommends"];
    step.run(as_root(&install).args(["chromium", "chromium-driver"]))?;
    step.done();
    Ok(())
}

/// Prepares a command to run with the rights of root.
fn as_root(words: &[&str]) -> Command {
    let sudo: &[&str] = if is_root() { &[] } else { &["sudo"] };
    let settings = ["env", "DEBIAN_FRONTEND=noninteractive"];
    let mut words = sudo.iter().chain(&settings).chain(words);
    let mut command = Command::new(words.next().copied().unwrap_or_default());
    command.args(words);
    command
}

fn is_root() -> bool {
    output_of(Command::new("id").arg("-u")).is_ok_and(|answer| answer.trim() == "0")
}
