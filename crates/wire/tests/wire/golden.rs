//! Transcripts as JSON files. `UPDATE_GOLDEN=1` writes them anew, to be read in the diff.

use std::{env, fs, path::PathBuf};

use serde_json::Value as Json;

fn path(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(format!("{name}.json"))
}

pub(crate) fn read(name: &str) -> Json {
    let text = fs::read_to_string(path(name)).unwrap_or_else(|error| panic!("{name}: {error}"));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{name}: {error}"))
}

pub(crate) fn check(name: &str, found: &Json) {
    if env::var_os("UPDATE_GOLDEN").is_some() {
        fs::write(path(name), format!("{found:#}\n")).unwrap();
    }
    let expected = read(name);
    assert!(*found == expected, "{name}.json differs; found:\n{found:#}");
}
