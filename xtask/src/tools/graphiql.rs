//! The parts of the page /graphiql, which the server's build takes into the program.

use std::fs;

use anyhow::{Context, Result};

use super::npm;
use crate::project::Project;

/// What npm installs: its package.json is there.
const PACKAGES: &str = "xtask/graphiql";

/// Where the build looks for them.
const PARTS: &str = "crates/server/graphiql/parts";

/// Where npm has each part, and its name for the build.
const FILES: [(&str, &str); 4] = [
    ("graphiql/graphiql.min.css", "graphiql.css"),
    ("graphiql/graphiql.min.js", "graphiql.js"),
    ("react/umd/react.production.min.js", "react.js"),
    ("react-dom/umd/react-dom.production.min.js", "react-dom.js"),
];

/// Puts the parts where the server's build finds them.
pub(crate) fn install(project: &Project) -> Result<()> {
    npm::install(project, PACKAGES)?;
    let (from, to) = (project.root.join(PACKAGES).join("node_modules"), project.root.join(PARTS));
    fs::create_dir_all(&to).with_context(|| format!("cannot make {}", to.display()))?;
    for (file, name) in FILES {
        let part = fs::read(from.join(file)).with_context(|| format!("npm has no {file}"))?;
        // Written only where it differs: else the server would be built anew.
        if fs::read(to.join(name)).ok().as_deref() != Some(&part) {
            fs::write(to.join(name), part).with_context(|| format!("cannot write {name}"))?;
        }
    }
    Ok(())
}
