//! wasm-bindgen's tests in headless Chromium.

use anyhow::Result;

use super::counts::{self, Counts};
use super::ground::Ground;
use crate::command::cargo;
use crate::project::Project;

/// The adapters' own tests, and the app's in tests/browser.
pub(super) fn run(project: &Project, ground: &mut Ground<'_>) -> Result<Counts> {
    let laid = ground.laid()?;
    let settings = laid.browser.write_webdriver_settings(project)?;
    let mut suites = vec![vec!["--package=espressync-browser", "--tests"]];
    if ["tests/browser.rs", "tests/browser/main.rs"].iter().any(|it| project.root.join(it).exists())
    {
        suites.push(vec!["--package=espressync-pos", "--test=browser"]);
    }
    let mut total = Counts::default();
    for suite in suites {
        let mut tests = cargo(&project.root);
        tests
            .args(["test", "--target=wasm32-unknown-unknown", "--no-fail-fast"])
            .args(suite)
            .env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUNNER", &laid.tools.test_runner)
            .env("CHROMEDRIVER", &laid.browser.driver)
            .env("WASM_BINDGEN_TEST_WEBDRIVER_JSON", &settings)
            .env("WASM_BINDGEN_USE_BROWSER", "1")
            .env("WASM_BINDGEN_TEST_TIMEOUT", "120")
            // The runner rewrites the whole wasm, which debug information makes 17 times as large.
            .env("CARGO_PROFILE_DEV_DEBUG", "0");
        total += counts::of_running(&mut tests)?;
    }
    Ok(total)
}
