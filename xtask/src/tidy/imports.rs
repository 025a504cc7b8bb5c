//! Holds what `cargo metadata` says against the import table.

use anyhow::{Context, Result};
use serde_json::Value;

use super::rooms::{FOR_TESTS, OURS, ROOMS, Room};

/// Lists the dependencies that the table does not allow, and packages that it does not know.
pub(super) fn problems(metadata: &Value) -> Result<Vec<String>> {
    let packages = metadata["packages"].as_array().context("metadata without packages")?;
    let mut problems = Vec::new();
    for package in packages {
        let name = package["name"].as_str().context("a package without a name")?;
        match ROOMS.iter().find(|room| room.name == name) {
            Some(room) => problems.extend(problems_of(room, package)),
            None => problems.push(format!("{name}: not in the table of xtask/src/tidy/rooms.rs")),
        }
    }
    Ok(problems)
}

fn problems_of(room: &Room, package: &Value) -> Vec<String> {
    let dependencies = package["dependencies"].as_array().map(Vec::as_slice).unwrap_or_default();
    let judge = |dependency: &Value| {
        let name = dependency["name"].as_str()?;
        // Cargo writes null for a normal dependency; what builds the crate counts like one.
        let is_for_tests = dependency["kind"].as_str() == Some("dev");
        verdict(room, name, is_for_tests)
    };
    dependencies.iter().filter_map(judge).collect()
}

fn verdict(room: &Room, dependency: &str, is_for_tests: bool) -> Option<String> {
    let is_ours = dependency.starts_with(OURS) || dependency == "xtask";
    if is_ours {
        let may_test = dependency == FOR_TESTS || room.tests_may_use.contains(&dependency);
        let is_allowed = room.may_use.contains(&dependency) || (is_for_tests && may_test);
        let purpose = if is_for_tests { "even its tests must not use" } else { "must not use" };
        return (!is_allowed).then(|| format!("{}: {purpose} {dependency}", room.name));
    }
    if is_for_tests {
        return None; // a test may well play the world that its crate must not know
    }
    let family = room.never.iter().find(|family| family.holds(dependency))?;
    Some(format!("{}: must do without {dependency} ({family:?})", room.name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// Judges a made-up package with one dependency.
    fn check(package: &str, dependency: &str, kind: Option<&str>) -> Result<Vec<String>> {
        problems(&json!({ "packages": [{
            "name": package,
            "dependencies": [{ "name": dependency, "kind": kind }],
        }]}))
    }

    #[test]
    fn what_the_table_allows_passes() -> Result<()> {
        for (package, dependency, kind) in [
            ("espressync-store", "espressync-model", None),
            ("espressync-store", "crc", None),
            ("espressync-store", "espressync-testkit", Some("dev")),
            ("espressync-model", "serde_json", Some("dev")),
            ("espressync-client", "futures", None),
            ("espressync-pos", "espressync-server", Some("dev")),
            ("espressync-pos", "espressync-model", Some("build")),
        ] {
            assert_eq!(check(package, dependency, kind)?, [""; 0], "{package} -> {dependency}");
        }
        Ok(())
    }

    #[test]
    fn what_points_outward_is_caught() -> Result<()> {
        for (package, dependency, kind) in [
            ("espressync-model", "espressync-store", None),
            ("espressync-model", "serde", None),
            ("espressync-store", "espressync-sync", Some("dev")),
            ("espressync-sync", "futures-util", None),
            ("espressync-client", "espressync-wire", None),
            ("espressync-resolver", "rusqlite", None),
            ("espressync-server", "espressync-client", None),
            ("espressync-server", "espressync-testkit", None),
            ("espressync-testkit", "espressync-server", Some("dev")),
            ("espressync-js", "leptos_router", None),
            ("espressync-pos", "espressync-server", None),
            ("xtask", "espressync-model", None),
            ("espressync-browser", "tokio-util", None),
        ] {
            let found = check(package, dependency, kind)?;
            assert_eq!(found.len(), 1, "{package} -> {dependency}");
            assert!(found[0].starts_with(package) && found[0].contains(dependency), "{found:?}");
        }
        Ok(())
    }

    #[test]
    fn a_new_package_has_to_be_entered() -> Result<()> {
        assert_eq!(check("espressync-new", "anyhow", None)?.len(), 1);
        Ok(())
    }
}
