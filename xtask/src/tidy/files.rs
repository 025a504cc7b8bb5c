//! What must not be in a tracked file, whatever its language.

use std::path::Path;

/// Longer than this no source file may be; 600 lines are the aim.
const LINE_LIMIT: usize = 900;
const SOURCE: [&str; 7] = ["css", "html", "js", "mjs", "rs", "ts", "tsx"];

/// Beginnings of paths that exist on one machine only. Split, so as not to be found here.
const MACHINE_PATHS: [&str; 5] = [
    concat!("/ho", "me/"),
    concat!("/ro", "ot/"),
    concat!("/Us", "ers/"),
    concat!("/wo", "rk/"),
    concat!("C:\\Us", "ers"),
];

/// Lists what is wrong with a file.
pub(super) fn problems(path: &str, text: &str) -> Vec<String> {
    let mut problems = Vec::new();
    let extension = Path::new(path).extension().and_then(|extension| extension.to_str());
    let lines = text.lines().count();
    if lines > LINE_LIMIT && extension.is_some_and(|extension| SOURCE.contains(&extension)) {
        problems.push(format!("{path}: {lines} lines, {LINE_LIMIT} are the limit"));
    }
    for (line, number) in text.lines().zip(1..) {
        if MACHINE_PATHS.iter().any(|machine_path| names_path(line, machine_path)) {
            problems.push(format!("{path}:{number}: names a path of one machine"));
        }
    }
    if path.ends_with("package-lock.json") && text.contains("\"resolved\":") {
        problems.push(format!("{path}: names the registry it was made with; drop \"resolved\""));
    }
    problems
}

/// Says whether a line holds the path from its root on, and not as a part of an address.
fn names_path(line: &str, path: &str) -> bool {
    line.match_indices(path).any(|(start, _)| {
        let before = line[..start].chars().next_back();
        before.is_none_or(|letter| !letter.is_alphanumeric() && !"._-~}".contains(letter))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_of_a_machine_are_caught() {
        let path = |folder: &str| format!("let file = \"/{folder}/ann/shop\";");
        assert_eq!(problems("a.rs", &path("home")).len(), 1);
        assert_eq!(problems("a.md", &path("root")).len(), 1);
        assert_eq!(problems("a.rs", &path("tmp")), [""; 0]);
        assert_eq!(problems("a.md", &format!("https://example.com/{}/page", "home")), [""; 0]);
    }

    #[test]
    fn long_sources_are_caught_and_long_data_is_not() {
        let long = "x\n".repeat(LINE_LIMIT + 1);
        assert_eq!(problems("a.rs", &long).len(), 1);
        assert_eq!(problems("a.json", &long), [""; 0]);
    }

    #[test]
    fn lock_files_name_no_registry() {
        let lock = r#"{ "resolved": "https://example.com/a.tgz" }"#;
        assert_eq!(problems("tests/e2e/package-lock.json", lock).len(), 1);
    }
}
