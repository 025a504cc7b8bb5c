//! The rooms inside the app: who may use whom below src/.

use std::path::Path;

/// A folder or file of src/ and what it must not know.
struct Room {
    name: &'static str,
    /// Other rooms of the app.
    never: &'static [&'static str],
    /// Crates, by the beginning of the name they have in code.
    never_crates: &'static [&'static str],
}

const WEB: [&str; 6] = ["gloo", "js_sys", "leptos", "reactive_", "wasm_bindgen", "web_sys"];
const DATA: [&str; 5] = [
    "espressync_browser",
    "espressync_client",
    "espressync_store",
    "espressync_sync",
    "espressync_wire",
];

/// The table. `app` and `main` wire everything together and may use all of it.
const ROOMS: [Room; 5] = [
    Room {
        name: "domain",
        never: &["app", "app_store", "components", "platform", "screens"],
        never_crates: &WEB,
    },
    Room {
        name: "app_store",
        never: &["app", "components", "screens"],
        never_crates: &["espressync_browser", "espressync_wire"],
    },
    Room { name: "components", never: &["app", "app_store", "screens"], never_crates: &DATA },
    Room { name: "screens", never: &["app"], never_crates: &DATA },
    Room {
        name: "platform",
        never: &["app", "app_store", "components", "screens"],
        never_crates: &DATA,
    },
];

/// Lists what blanked-out Rust of the app uses and must not.
pub(super) fn problems(path: &str, code: &str) -> Vec<String> {
    let Some(module) = module_path(path) else { return Vec::new() };
    let Some(room) = ROOMS.iter().find(|room| module.first() == Some(&room.name)) else {
        return Vec::new();
    };
    let mut problems = Vec::new();
    for (line, number) in statements(code) {
        let used = paths_used(&line, &module);
        let room_problem = used.iter().find(|used| {
            let other = used.first().map_or("", String::as_str);
            room.never.contains(&other) || is_other_screen(&module, used)
        });
        if let Some(used) = room_problem {
            problems.push(format!(
                "{path}:{number}: {} must not use {}",
                room.name,
                used.join("::")
            ));
        }
        if let Some(name) = crate_used(&line, room.never_crates) {
            problems.push(format!("{path}:{number}: {} must not use {name}", room.name));
        }
    }
    problems
}

/// Splits a file's path into the names of its module; none for files outside src/.
fn module_path(path: &str) -> Option<Vec<&str>> {
    let inside = Path::new(path.strip_prefix("src/")?).with_extension("");
    let path = path.strip_prefix("src/")?;
    let names: Vec<&str> = path[..inside.as_os_str().len()].split('/').collect();
    let is_folder_file = names.last() == Some(&"mod");
    Some(names[..names.len() - usize::from(is_folder_file)].to_vec())
}

/// Screens do not know each other: what two of them need is a component or belongs to the domain.
fn is_other_screen(module: &[&str], used: &[String]) -> bool {
    let (Some(&"screens"), Some(own)) = (module.first(), module.get(1)) else { return false };
    used.first().is_some_and(|room| room == "screens") && used.get(1).is_some_and(|it| it != own)
}

/// Joins lines up to the end of an import, so that a grouped `use` is looked at as one.
fn statements(code: &str) -> Vec<(String, usize)> {
    let mut statements: Vec<(String, usize)> = Vec::new();
    let mut is_open = false;
    for (line, number) in code.lines().zip(1..) {
        match statements.last_mut() {
            Some((statement, _)) if is_open => statement.push_str(line.trim()),
            _ => statements.push((line.trim().to_owned(), number)),
        }
        let starts = line.trim_start().trim_start_matches("pub ").starts_with("use ");
        is_open = (is_open || starts) && !line.contains(';');
    }
    statements
}

/// Finds what a statement names by `crate::` or `super::`, as paths from the app's root.
fn paths_used(statement: &str, module: &[&str]) -> Vec<Vec<String>> {
    let mut found = Vec::new();
    for (start, _) in statement.match_indices("crate::") {
        found.extend(branches(&statement[start + "crate::".len()..], Vec::new()));
    }
    let climbs = statement
        .match_indices("super::")
        .filter(|(start, _)| !statement[..*start].ends_with("super::"));
    for (start, _) in climbs {
        let mut rest = &statement[start..];
        let mut base = module.to_vec();
        while let Some(above) = rest.strip_prefix("super::") {
            rest = above;
            base.pop();
        }
        let base = base.into_iter().map(str::to_owned).collect();
        found.extend(branches(rest, base));
    }
    found
}

/// Reads `a::b`, `{a, b::c}` and `a::{b, c}`: two names from the root tell rooms apart.
fn branches(text: &str, base: Vec<String>) -> Vec<Vec<String>> {
    if base.len() >= 2 {
        return vec![base];
    }
    if let Some(group) = text.strip_prefix('{') {
        return items(group).into_iter().flat_map(|item| branches(item, base.clone())).collect();
    }
    let end = text.find(|letter: char| !letter.is_alphanumeric() && letter != '_');
    let (name, rest) = text.split_at(end.unwrap_or(text.len()));
    let mut path = base;
    path.push(name.to_owned());
    match rest.strip_prefix("::") {
        Some(rest) => branches(rest, path),
        None => vec![path],
    }
}

/// Splits the inside of braces at its own commas.
fn items(group: &str) -> Vec<&str> {
    let mut items = Vec::new();
    let (mut depth, mut start) = (0_usize, 0);
    for (index, letter) in group.char_indices() {
        match letter {
            '{' => depth += 1,
            '}' if depth > 0 => depth -= 1,
            '}' => {
                items.push(group[start..index].trim());
                return items;
            }
            ',' if depth == 0 => {
                items.push(group[start..index].trim());
                start = index + 1;
            }
            _ => {}
        }
    }
    items
}

/// Finds a crate that a statement names, by `use` or by path.
fn crate_used<'code>(statement: &'code str, never: &[&str]) -> Option<&'code str> {
    let words = statement.split(|letter: char| !letter.is_alphanumeric() && !"_:".contains(letter));
    let heads = words.filter_map(|word| {
        let (head, _) = word.split_once("::")?;
        Some(head)
    });
    heads.into_iter().find(|head| never.iter().any(|beginning| head.starts_with(beginning)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(path: &str, code: &str, expected: &[&str]) {
        let found = problems(path, code);
        assert_eq!(found.len(), expected.len(), "{path}: {code}: {found:?}");
        for (found, expected) in found.iter().zip(expected) {
            assert!(found.contains(expected), "{found} does not name {expected}");
        }
    }

    #[test]
    fn what_the_table_allows_passes() {
        check("src/app.rs", "use crate::screens::catalog::Catalog;", &[]);
        check("src/domain/cart.rs", "use super::money::Money;\nuse crate::domain::tax;", &[]);
        check("src/domain/mod.rs", "mod tests { use super::*; }", &[]);
        check(
            "src/screens/catalog/mod.rs",
            "use crate::{app_store::AppStore, components::Tile};",
            &[],
        );
        check(
            "src/screens/catalog/tile.rs",
            "use crate::screens::catalog::state;\nuse super::state;",
            &[],
        );
        check("src/app_store.rs", "use espressync_client::Client;", &[]);
        check("src/components/button.rs", "use leptos::prelude::*;", &[]);
        check("crates/store/src/lib.rs", "use crate::screens::catalog;", &[]);
    }

    #[test]
    fn what_points_outward_is_caught() {
        check("src/domain/cart.rs", "use leptos::prelude::*;", &["leptos"]);
        check("src/domain/cart.rs", "use crate::app_store::AppStore;", &["app_store"]);
        check("src/domain/cart.rs", "fn f() { crate::platform::print(); }", &["platform"]);
        let grouped = "use crate::{\n    domain::Cart,\n    screens::{catalog, orders},\n};";
        check("src/components/button.rs", grouped, &["screens::catalog"]);
        check(
            "src/screens/orders/mod.rs",
            "use crate::screens::catalog::Tile;",
            &["screens::catalog"],
        );
        check(
            "src/screens/orders/list.rs",
            "use super::super::catalog::Tile;",
            &["screens::catalog"],
        );
        check(
            "src/screens/orders/mod.rs",
            "use espressync_client::Client;",
            &["espressync_client"],
        );
        check(
            "src/app_store/mod.rs",
            "let x = espressync_browser::open();",
            &["espressync_browser"],
        );
    }
}
