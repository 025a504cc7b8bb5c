//! Takes the parts of the page /graphiql into the binary, where `cargo xtask server` has put them.
//! Without them the server is built all the same, and has no such page.

use std::path::{Path, PathBuf};

/// The name of each part, and what it is.
const PARTS: [(&str, &str); 4] = [
    ("graphiql.css", "text/css; charset=utf-8"),
    ("react.js", "text/javascript; charset=utf-8"),
    ("react-dom.js", "text/javascript; charset=utf-8"),
    ("graphiql.js", "text/javascript; charset=utf-8"),
];

fn main() -> std::io::Result<()> {
    println!("cargo:rerun-if-changed=graphiql");
    let of = |name: &str| std::env::var_os(name).map(PathBuf::from).unwrap_or_default();
    let folder = of("CARGO_MANIFEST_DIR").join("graphiql/parts");
    let are_there = PARTS.iter().all(|(name, _)| folder.join(name).is_file());
    let parts = PARTS.iter().filter(|_| are_there).map(|part| entry(&folder, *part));
    let parts: String = parts.collect();
    std::fs::write(of("OUT_DIR").join("graphiql.rs"), format!("&[{parts}]"))
}

fn entry(folder: &Path, (name, kind): (&str, &str)) -> String {
    format!("Part::new({name:?}, {kind:?}, include_bytes!({:?})),", folder.join(name))
}
