//! `cargo xtask fuzz`: random input for whatever reads what strangers send.

use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, Result, bail};

use crate::command::{as_typed, cargo};
use crate::project::Project;
use crate::tools;

/// Files of the product with which the target `sdl` begins beside its own seeds.
const SCHEMAS: [&str; 5] = [
    "src/schema.graphql",
    "crates/model/tests/golden/everything.graphql",
    "crates/server/tests/schemas/rich.graphql",
    "crates/server/tests/schemas/offers.graphql",
    "fuzz/fuzz_targets/request.graphql",
];

/// The targets, each a file of `fuzz/fuzz_targets` with a folder of `fuzz/seeds`, and what they
/// are compiled with.
const TARGETS: [(&str, &[&str]); 4] = [
    ("sdl", &[]),
    ("frame", &[]),
    ("request", &["--features=server"]),
    ("jwt", &["--features=server"]),
];

/// How long each is tried where nothing else is said.
const SECONDS: u64 = 60;

/// Tries each target for so many seconds. What has made one crash is left in `fuzz/artifacts`.
pub(crate) fn run(arguments: &[String]) -> Result<ExitCode> {
    let seconds = match arguments {
        [] => SECONDS,
        [seconds] => seconds.parse().with_context(|| format!("{seconds:?} is no number"))?,
        [_, more, ..] => bail!("unexpected argument `{more}`: say how many seconds, or nothing"),
    };
    let project = Project::find()?;
    let path = tools::cargo_fuzz(&project)?;
    // The versions that the product has; cargo adds the few that it lacks. A lock of its own would
    // be of the day on which somebody last fuzzed.
    std::fs::copy(project.root.join("Cargo.lock"), project.root.join("fuzz/Cargo.lock"))
        .context("cannot copy Cargo.lock to fuzz/")?;
    println!("  ·  the fuzz targets: building them, about 5 min the first time");
    let corpus = project.root.join("fuzz/corpus");
    for (target, features) in TARGETS {
        println!("  ·  {target}: {seconds} s of random input");
        std::fs::create_dir_all(corpus.join(target))
            .with_context(|| format!("cannot make {}", corpus.display()))?;
        if target == "sdl" {
            add_schemas(&project.root, &corpus.join(target))?;
        }
        let mut command = cargo(&project.root);
        command
            .env("PATH", &path)
            // The coverage that guides the input is an option of nightly; the compiler's own
            // tests use it with this same compiler. The sanitizers would need nightly's library.
            .env("RUSTC_BOOTSTRAP", "1")
            .args(["fuzz", "run", "--sanitizer=none"])
            .args(features)
            .arg(target)
            .arg(format!("fuzz/corpus/{target}"))
            .arg(format!("fuzz/seeds/{target}"))
            .args(["--", &format!("-max_total_time={seconds}"), "-timeout=10", "-max_len=8192"])
            .args(["-print_final_stats=1", "-verbosity=0"]);
        let status = command.status().context("cannot run cargo")?;
        if !status.success() {
            bail!("{target} found something, {status}\nBy hand: {}", as_typed(&command));
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Copies the product's schemas to where the target finds them.
fn add_schemas(root: &Path, corpus: &Path) -> Result<()> {
    for (number, file) in SCHEMAS.iter().enumerate() {
        let copy = corpus.join(format!("{number}.graphql"));
        std::fs::copy(root.join(file), copy).with_context(|| format!("cannot copy {file}"))?;
    }
    Ok(())
}
