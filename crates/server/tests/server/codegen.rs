use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value as Json;
use tempfile::TempDir;

/// Runs the program's `codegen` in a folder.
fn codegen(folder: &Path, schema: &str, flags: &[&str]) -> Output {
    std::fs::write(folder.join("schema.graphql"), schema).expect("it is written");
    Command::new(env!("CARGO_BIN_EXE_espressync"))
        .current_dir(folder)
        .arg("codegen")
        .args(flags)
        .output()
        .expect("it runs")
}

const SCHEMA: &str = "type Bean @model { name: String! roasts: [Roast] @hasMany }
    type Roast @model { day: AWSDate bean: Bean @belongsTo }";

#[test]
fn each_language_has_its_files_and_they_are_named() {
    let check = |target: &str, names: &[&str]| {
        let folder = TempDir::new().unwrap();
        let output = codegen(folder.path(), SCHEMA, &["--target", target, "--out", "a/b"]);
        assert!(output.status.success(), "{output:?}");
        let printed = String::from_utf8(output.stdout).unwrap();
        assert_eq!(printed.lines().count(), names.len());
        for name in names {
            assert!(printed.lines().any(|line| line.ends_with(name)), "{name} in {printed}");
            let text = std::fs::read_to_string(folder.path().join("a/b").join(name)).unwrap();
            assert!(text.contains("Roast") || text.contains("schema: Schema"), "{name}: {text}");
        }
    };
    check("js", &["schema.js", "schema.d.ts", "index.js", "index.d.ts"]);
    check("typescript", &["schema.ts", "index.ts"]);
    check("rust", &["models.rs"]);
}

#[test]
fn the_schema_comes_in_its_own_order_and_from_the_package_that_is_named() {
    let folder = TempDir::new().unwrap();
    let flags = ["--target", "js", "--out", ".", "--package", "espressync"];
    let output = codegen(folder.path(), SCHEMA, &flags);
    assert!(output.status.success(), "{output:?}");
    let read = |name: &str| std::fs::read_to_string(folder.path().join(name)).unwrap();
    let text = read("schema.js");
    let text = text.strip_prefix("export const schema = ").unwrap().trim_end();
    let schema: Json = serde_json::from_str(text.strip_suffix(';').unwrap()).unwrap();
    let keys = |json: &Json| json.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    assert_eq!(keys(&schema["models"]), ["Bean", "Roast"]);
    let fields = ["id", "day", "beanRoastsId", "bean", "createdAt", "updatedAt"];
    assert_eq!(keys(&schema["models"]["Roast"]["fields"]), fields);
    assert!(read("index.js").contains("import { initSchema } from \"espressync\";"));
}

#[test]
fn a_wrong_schema_is_named_and_writes_nothing() {
    let folder = TempDir::new().unwrap();
    let output = codegen(folder.path(), "type A @model { x: Strin }", &["--target", "js"]);
    assert!(!output.status.success());
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(told.contains("there is no type `Strin`"), "{told}");
    assert!(!folder.path().join("src").exists());
}

#[test]
fn the_schema_may_be_named_by_a_file_of_settings() {
    let folder = TempDir::new().unwrap();
    std::fs::create_dir(folder.path().join("shop")).unwrap();
    std::fs::write(folder.path().join("shop/s.toml"), "schema = 'api.graphql'").unwrap();
    std::fs::write(folder.path().join("shop/api.graphql"), "type Tea @model { x: Int }").unwrap();
    let check = |flags: &[&str], expected: &str| {
        let flags =
            [&["--target", "rust", "--out", ".", "--config", "shop/s.toml"], flags].concat();
        let output = codegen(folder.path(), SCHEMA, &flags);
        assert!(output.status.success(), "{output:?}");
        let text = std::fs::read_to_string(folder.path().join("models.rs")).unwrap();
        assert!(text.contains(expected), "{text}");
    };
    check(&[], "Tea");
    check(&["--schema", "schema.graphql"], "Roast");
}
