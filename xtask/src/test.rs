//! `cargo xtask test`: every layer of tests, from lint to the real app in a real browser.

mod browser;
mod counts;
mod e2e;
mod ground;
mod lint;
mod native;

use std::process::ExitCode;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};

use crate::project::Project;
use crate::step::readable;
use crate::tools;

use counts::Counts;
use ground::Ground;

/// One kind of tests. They are run in this order: the quickest answer first.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) enum Layer {
    /// Format, lints and the rules of the house.
    Lint,
    /// Everything that runs without a browser: units, conformance, simulation, the server.
    Native,
    /// The browser's adapters in headless Chromium.
    Browser,
    /// The built app in Chromium against the real server.
    E2e,
    /// The unmodified aws-amplify in Chromium against the real server.
    Interop,
}

impl Layer {
    /// All layers.
    pub(crate) const ALL: [Self; 5] =
        [Self::Lint, Self::Native, Self::Browser, Self::E2e, Self::Interop];

    /// Reads the layers' names; none means all.
    pub(crate) fn parse(names: &[String]) -> Result<Vec<Self>> {
        if names.is_empty() {
            return Ok(Self::ALL.to_vec());
        }
        let mut layers = Vec::new();
        for name in names {
            match Self::ALL.into_iter().find(|layer| layer.name() == name) {
                Some(layer) => layers.push(layer),
                None => {
                    let known = Self::ALL.map(Self::name).join(", ");
                    bail!("there is no layer `{name}`; there are {known}")
                }
            }
        }
        layers.sort();
        layers.dedup();
        Ok(layers)
    }

    fn name(self) -> &'static str {
        match self {
            Self::Lint => "lint",
            Self::Native => "native",
            Self::Browser => "browser",
            Self::E2e => "e2e",
            Self::Interop => "interop",
        }
    }
}

/// How a layer has gone.
struct Outcome {
    layer: Layer,
    counts: Counts,
    time: Duration,
}

/// Installs what is missing and runs the layers, each to its end whatever the others do.
pub(crate) fn run(layers: &[Layer]) -> Result<ExitCode> {
    let started = Instant::now();
    let project = Project::find()?;
    println!("Espressync: testing\n");
    tools::install_wasm_target(&project)?;
    let outcomes = thread::scope(|scope| {
        let mut ground = Ground::lay(scope, &project, layers);
        layers.iter().map(|&layer| run_layer(&project, layer, &mut ground)).collect::<Vec<_>>()
    });
    let total = summarise(&outcomes, started.elapsed());
    Ok(if total.failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn run_layer(project: &Project, layer: Layer, ground: &mut Ground<'_>) -> Outcome {
    println!("\n── {} ──\n", layer.name());
    let started = Instant::now();
    let counts = match layer {
        Layer::Lint => lint::run(project),
        Layer::Native => native::run(project, ground),
        Layer::Browser => browser::run(project, ground),
        Layer::E2e => e2e::run(project, ground),
        Layer::Interop => e2e::run_with_amplify(project, ground),
    };
    let counts = counts.unwrap_or_else(|error| {
        println!("\nerror: {error:#}");
        Counts::FAILURE
    });
    Outcome { layer, counts, time: started.elapsed() }
}

/// Prints a line for each layer, and as the very last line the sum of all.
fn summarise(outcomes: &[Outcome], time: Duration) -> Counts {
    println!("\n  layer      result    passed   failed   time");
    let mut total = Counts::default();
    for Outcome { layer, counts, time } in outcomes {
        let Counts { passed, failed } = *counts;
        let result = if failed == 0 { "passed" } else { "FAILED" };
        let (name, time) = (layer.name(), readable(*time));
        println!("  {name:<9}  {result:<8}  {passed:>6}   {failed:>6}   {time}");
        total += *counts;
    }
    println!("\n  all in {}\n", readable(time));
    println!("{} passed, {} failed", total.passed, total.failed);
    total
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn layers_are_run_in_their_order_and_once() -> Result<()> {
        let parse = |names: &[&str]| {
            Layer::parse(&names.iter().map(|&name| name.to_owned()).collect::<Vec<_>>())
        };
        assert_eq!(parse(&[])?, Layer::ALL);
        assert_eq!(parse(&["e2e", "lint", "e2e"])?, [Layer::Lint, Layer::E2e]);
        assert!(parse(&["e3e"]).is_err());
        Ok(())
    }
}
