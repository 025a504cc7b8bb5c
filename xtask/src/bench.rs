//! `cargo xtask bench`: what a part of ours does on this machine, as figures.

mod server;
mod store;

use std::process::ExitCode;

use anyhow::{Result, bail};

/// Builds a bench as the program is built that it measures, and runs it; what follows its name is
/// handed to it.
pub(crate) fn run(arguments: &[String]) -> Result<ExitCode> {
    let Some((name, options)) = arguments.split_first() else {
        bail!("say which bench: `server` or `store`");
    };
    let options: Vec<&String> = options.iter().filter(|option| *option != "--").collect();
    match name.as_str() {
        "server" => server::run(&options),
        "store" => store::run(&options),
        _ => bail!("there is no bench `{name}`; there are `server` and `store`"),
    }
}
