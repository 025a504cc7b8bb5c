//! How much a till has to download.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::command::output_of;
use crate::project::Project;

/// What the app's wasm is to stay below, compressed by brotli, in KB of 1000 bytes.
const AIM_KB: u64 = 350;

/// Prints the size of the built app's wasm: raw, by gzip and by brotli.
pub(crate) fn print(project: &Project) -> Result<()> {
    print_files(project, &project.dist())
}

/// Prints the size of every wasm file in a folder.
pub(crate) fn print_files(project: &Project, folder: &Path) -> Result<()> {
    for wasm in wasm_files(folder)? {
        // Node has both compressions built in; crates for them would slow down every first run.
        let mut measure = Command::new("node");
        measure.arg(project.root.join("xtask/hooks/size.mjs")).arg(&wasm);
        let answer = output_of(&mut measure)?;
        println!("     {}", describe(&answer)?);
    }
    Ok(())
}

fn wasm_files(dist: &Path) -> Result<Vec<PathBuf>> {
    let entries = fs::read_dir(dist).context("there is no dist/")?;
    let files = entries.map(|entry| Ok(entry?.path())).collect::<Result<Vec<_>>>()?;
    Ok(files.into_iter().filter(|file| file.extension().is_some_and(|it| it == "wasm")).collect())
}

fn describe(sizes: &str) -> Result<String> {
    let sizes: Vec<u64> = sizes.split_whitespace().map_while(|size| size.parse().ok()).collect();
    let [raw, gzip, brotli] = sizes[..] else {
        bail!("cannot measure the wasm");
    };
    let verdict = if brotli < AIM_KB * 1000 { "aim: below" } else { "ABOVE the aim of" };
    let [raw, gzip, brotli] = [raw, gzip, brotli].map(|bytes| bytes.div_ceil(1000));
    Ok(format!("wasm {raw} KB, gzip {gzip} KB, brotli {brotli} KB ({verdict} {AIM_KB} KB)"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_size_is_held_against_the_aim() -> Result<()> {
        let small = describe("900000 400000 349001\n")?;
        assert_eq!(small, "wasm 900 KB, gzip 400 KB, brotli 350 KB (aim: below 350 KB)");
        assert!(describe("900000 400000 350000\n")?.contains("ABOVE"));
        assert!(describe("oops").is_err());
        Ok(())
    }
}
