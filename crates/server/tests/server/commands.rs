use std::fs;
use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use espressync_model::sdl;
use espressync_resolver::{Rules, Strategies};
use espressync_server::Hub;
use espressync_server::config::Config;
use espressync_server::serve::Server as Program;
use espressync_server::sqlite::SqliteBackend;
use rusqlite::Connection;
use serde_json::{Value as Json, json};
use tempfile::TempDir;

use crate::support::{Time, open};

const SHOP: &str = "enum Size { SMALL LARGE }
    type Cup @model { id: ID! name: String! size: Size price: Float note: String }
    type Seat @model { row: ID! @primaryKey(sortKeyFields: [\"place\"]) place: Int! }";

/// A folder with a schema and, where it is asked for, a database.
struct Shop(TempDir);

/// What a command did.
#[derive(Debug)]
struct Done {
    code: i32,
    out: String,
    notes: String,
}

impl Shop {
    fn new() -> Self {
        let shop = Self(TempDir::new().expect("a folder"));
        shop.write("schema.graphql", SHOP);
        shop
    }

    /// A shop that has imported a few records.
    fn stocked() -> Self {
        let shop = Self::new();
        shop.write("stock.ndjson", &stock());
        let done = shop.run(&["import", "--in", "stock.ndjson"]);
        assert_eq!((done.code, &*done.out), (0, "4 records imported\n"), "{done:?}");
        shop
    }

    fn file(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.file(name), text).expect("it is written");
    }

    fn run(&self, arguments: &[&str]) -> Done {
        self.run_with(arguments, &[], "")
    }

    fn run_with(&self, arguments: &[&str], environment: &[(&str, &str)], input: &str) -> Done {
        let mut child = Command::new(env!("CARGO_BIN_EXE_espressync"))
            .current_dir(self.0.path())
            .args(arguments)
            // With it an error is followed by a backtrace.
            .env_remove("RUST_BACKTRACE")
            .envs(environment.iter().copied())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program starts");
        // A command that does not read its input has perhaps ended.
        let _ = child.stdin.take().expect("an input").write_all(input.as_bytes());
        let output = child.wait_with_output().expect("the program ends");
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("text");
        Done {
            code: output.status.code().expect("a code"),
            out: text(output.stdout),
            notes: text(output.stderr),
        }
    }

    /// All records, one a line.
    fn export(&self) -> String {
        let done = self.run(&["export"]);
        assert_eq!(done.code, 0, "{done:?}");
        done.out
    }

    fn database(&self) -> Connection {
        Connection::open(self.file("espressync.sqlite")).expect("the database")
    }

    /// Has the database as a server has it.
    fn serve(&self) -> SqliteBackend {
        let schema = sdl::parse_api(SHOP, "s").expect("a good schema");
        let rules = Arc::new(Rules::new(Arc::new(schema), Strategies::default()));
        let file = self.file("espressync.sqlite");
        open(&file, &rules, &Time::at(2_000), Hub::new()).expect("it opens")
    }
}

fn cup(id: &str, extra: &Json) -> String {
    let mut line = json!({
        "model": "Cup",
        "values": { "id": id, "name": "Latte", "size": "LARGE", "price": 4.5,
            "createdAt": "1970-01-01T00:00:01.000Z", "updatedAt": "1970-01-01T00:00:01.000Z" },
        "_version": 3, "_lastChangedAt": 1000, "_deleted": false,
    });
    for (name, value) in extra.as_object().expect("members") {
        line[name] = value.clone();
    }
    format!("{line}\n")
}

fn stock() -> String {
    let seat = json!({
        "model": "Seat",
        "values": { "row": "a", "place": 2, "createdAt": "1970-01-01T00:00:01.000Z",
            "updatedAt": "1970-01-01T00:00:01.000Z" },
        "_version": 1, "_lastChangedAt": 900, "_deleted": false,
    });
    let gone = json!({ "_deleted": true, "_version": 7 });
    let empty = json!({});
    [cup("c1", &empty), cup("c2", &gone), cup("c3", &empty), format!("{seat}\n")].concat()
}

#[test]
fn what_is_exported_can_be_imported_with_its_versions() {
    let shop = Shop::stocked();
    assert_eq!(shop.export(), stock(), "nothing is lost, tombstones and versions included");
    let other = Shop::new();
    let done = other.run_with(&["import"], &[], &shop.export());
    assert_eq!((done.code, &*done.out), (0, "4 records imported\n"), "{done:?}");
    assert_eq!(other.export(), stock());
    // Once more does nothing.
    let done = other.run_with(&["import"], &[], &shop.export());
    assert_eq!((done.code, &*done.out), (0, "0 records imported\n"), "{done:?}");
}

#[test]
fn an_export_to_a_file_is_whole_or_not_there() {
    let shop = Shop::stocked();
    let done = shop.run(&["export", "--out", "all.ndjson", "--model", "Cup"]);
    assert_eq!((done.code, &*done.notes), (0, "3 records exported\n"));
    assert_eq!(fs::read_to_string(shop.file("all.ndjson")).unwrap().lines().count(), 3);
    assert!(!shop.file("all.ndjson.part").exists());
    let done = shop.run(&["export", "--model", "Mug"]);
    assert_eq!(done.code, 1);
    assert!(done.notes.contains("no model Mug; it has Cup, Seat"), "{}", done.notes);
}

#[test]
fn imported_records_can_have_new_versions_and_replace_others() {
    let shop = Shop::stocked();
    let changed = cup("c1", &json!({ "values": { "id": "c1", "name": "Mocha" } }));
    let import =
        |arguments: &[&str]| shop.run_with(&[&["import"], arguments].concat(), &[], &changed);
    let refused = import(&[]);
    assert_eq!(refused.code, 1);
    let expected = "standard input, line 1: Cup c1 is there already, as version 3; --existing";
    assert!(refused.notes.contains(expected), "{}", refused.notes);
    assert_eq!(import(&["--existing", "keep"]).out, "0 records imported\n");
    assert_eq!(shop.export(), stock());
    let done = import(&["--existing", "replace", "--versions", "new"]);
    assert_eq!((done.code, &*done.out), (0, "1 record imported\n"), "{done:?}");
    let first: Json = serde_json::from_str(shop.export().lines().next().unwrap()).unwrap();
    assert_eq!((&first["values"]["name"], &first["_version"]), (&json!("Mocha"), &json!(4)));
    assert!(first["_lastChangedAt"].as_i64().unwrap() > 1000);
}

#[test]
fn a_line_that_cannot_be_taken_is_named_and_nothing_is_imported() {
    let check = |line: &str, expected: &str| {
        let shop = Shop::new();
        let input = format!("{}\n{line}", cup("c1", &json!({})));
        let done = shop.run_with(&["import"], &[], &input);
        assert_eq!(done.code, 1, "{line}");
        let place = format!("standard input, line 3: {expected}");
        assert!(done.notes.contains(&place), "{line}: {}", done.notes);
        assert!(done.notes.contains("nothing was imported"), "{}", done.notes);
        assert_eq!(shop.export(), "", "{line}");
    };
    let whole = cup("c2", &json!({}));
    check(&whole[..whole.len() / 2], "no record of an export: EOF");
    check("coffee", "no record of an export: expected value at column 1");
    check(&cup("c2", &json!({ "model": "Mug" })), "there is no model `Mug`");
    check(&cup("c2", &json!({ "colour": 1 })), "no record of an export: unknown field `colour`");
    check(&cup("c2", &json!({ "_version": 0 })), "_version should be a number from 1");
    let high = json!({ "_version": 2_147_483_648_u64 });
    check(&cup("c2", &high), "_version should be a number from 1 to 2147483647, found 2147483648");
    check(&cup("c2", &json!({ "_version": null })), "it has no _version or _lastChangedAt");
    let future = json!({ "_lastChangedAt": 99_999_999_999_999_i64 });
    check(&cup("c2", &future), "_lastChangedAt 99999999999999 is not in the past");
    let values = |values: Json| cup("c2", &json!({ "values": values }));
    check(&values(json!({ "id": "x", "name": "y", "colour": 1 })), "");
    check(&values(json!({ "id": "x", "name": 3 })), "");
    check(&values(json!({ "id": "x" })), "Cup.name is required");
    check(&values(json!({ "name": "x" })), "");
}

#[test]
fn a_file_that_is_not_there_or_not_ours_is_named_and_left_alone() {
    let shop = Shop::new();
    for command in ["export", "push", "doctor"] {
        let done = shop.run(&[command, "--data", "none.sqlite"]);
        assert_eq!(done.code, 1, "{command}");
        assert!(done.notes.contains("there is no database none.sqlite"), "{}", done.notes);
        assert!(!shop.file("none.sqlite").exists(), "{command} has made it");
    }
    shop.write("garbage.sqlite", &"coffee ".repeat(2000));
    for command in ["export", "push", "doctor", "import"] {
        let done = shop.run(&[command, "--data", "garbage.sqlite"]);
        assert_eq!(done.code, 1, "{command}");
        assert!(done.notes.contains("is damaged or is no database"), "{}", done.notes);
    }
    let shop = Shop::stocked();
    shop.database().pragma_update(None, "user_version", 99).unwrap();
    for command in ["export", "push", "doctor", "import"] {
        let done = shop.run(&[command]);
        assert_eq!(done.code, 1, "{command}");
        assert!(done.notes.contains("written by a newer espressync"), "{}", done.notes);
    }
}

#[test]
fn a_schema_that_cannot_be_read_is_named() {
    let shop = Shop::stocked();
    shop.write("wrong.graphql", "type Cup @model { name: Strin }");
    for command in ["push", "import"] {
        let done = shop.run(&[command, "--schema", "none.graphql"]);
        assert_eq!(done.code, 1);
        assert!(done.notes.contains("cannot read the schema none.graphql"), "{}", done.notes);
        let done = shop.run(&[command, "--schema", "wrong.graphql"]);
        assert_eq!(done.code, 1);
        assert!(done.notes.contains("wrong.graphql"), "{}", done.notes);
        let told = done.notes.matches("no type `Strin`").count();
        assert_eq!(told, 1, "it is said once: {}", done.notes);
    }
}

#[test]
fn beside_a_server_one_may_look_and_not_write() {
    let shop = Shop::stocked();
    let server = shop.serve();
    assert_eq!(shop.export(), stock());
    let doctor = shop.run(&["doctor"]);
    assert!(doctor.out.contains("which a server has open"), "{doctor:?}");
    assert_eq!(shop.run(&["push", "--dry-run"]).code, 0);
    let done = shop.run(&["import"]);
    assert_eq!(done.code, 1, "{done:?}");
    assert!(done.notes.contains("is in use by another espressync"), "{}", done.notes);
    drop(server);
}

#[test]
fn a_push_says_what_it_does_and_loses_nothing_unasked() {
    let shop = Shop::stocked();
    assert!(shop.run(&["push"]).out.contains("agrees with the schema"));
    shop.write(
        "new.graphql",
        "enum Size { SMALL LARGE }
         type Cup @model { id: ID! name: String! size: Size beans: Int must: Int! }
         type Dish @model { id: ID! }",
    );
    let push = |extra: &[&str]| shop.run(&[&["push", "--schema", "new.graphql"], extra].concat());
    let plan = "Cup
  + field beans: Int
  + field must: Int!
  - field note, which no record fills
  - field price: LOSES the values of 3 records
  ! field must: Int! is required, and 3 records without it cannot be read until a write fills it in
Dish
  + new model
Seat
  - model: LOSES its 1 record
";
    let refused = push(&[]);
    assert_eq!(refused.code, 1);
    assert!(refused.out.starts_with(plan), "{}", refused.out);
    assert!(refused.out.contains("say --allow-data-loss"), "{}", refused.out);
    assert_eq!(push(&["--dry-run", "--allow-data-loss"]).code, 0);
    assert_eq!(shop.export(), stock());
    let done = push(&["--allow-data-loss"]);
    assert_eq!(done.code, 0, "{done:?}");
    assert_eq!(done.out, format!("{plan}Done\n"));
    let left = shop.export();
    assert!(!left.contains("price") && !left.contains("Seat"), "{left}");
    let told = "SELECT count(*) FROM journal WHERE body LIKE '%price%' OR model = 'Seat'";
    let told: i64 = shop.database().query_row(told, [], |row| row.get(0)).unwrap();
    assert_eq!(told, 0, "lost for good is lost from the journal too");
    assert_eq!(left.lines().count(), 3);
    // The members of embedded types are looked at too, also within lists.
    let places = "type Place { town: String street: String }
        type Cup @model { id: ID! name: String! place: Place places: [Place] }";
    let shop = Shop::new();
    shop.write("schema.graphql", places);
    let values = json!({ "id": "c1", "name": "Latte", "place": { "town": "A", "street": "B" },
        "places": [{ "town": "C", "street": "D" }, { "town": "E" }],
        "createdAt": "1970-01-01T00:00:01.000Z", "updatedAt": "1970-01-01T00:00:01.000Z" });
    let done = shop.run_with(&["import"], &[], &cup("c1", &json!({ "values": values })));
    assert_eq!(done.code, 0, "{done:?}");
    shop.write("new.graphql", &places.replace("street: String", ""));
    let push = |extra: &[&str]| shop.run(&[&["push", "--schema", "new.graphql"], extra].concat());
    let plan = "Cup
  - field place.street: LOSES the values of 1 record
  - field places.street: LOSES the values of 1 record
";
    let refused = push(&[]);
    assert_eq!(refused.code, 1);
    assert!(refused.out.starts_with(plan), "{}", refused.out);
    assert_eq!(push(&["--allow-data-loss"]).out, format!("{plan}Done\n"));
    let left: Json = serde_json::from_str(&shop.export()).unwrap();
    assert_eq!(left["values"]["place"], json!({ "town": "A" }));
    assert_eq!(left["values"]["places"], json!([{ "town": "C" }, { "town": "E" }]));
    let told = "SELECT count(*) FROM journal WHERE body LIKE '%street%'";
    let told: i64 = shop.database().query_row(told, [], |row| row.get(0)).unwrap();
    assert_eq!(told, 0);
}

#[test]
fn a_push_drops_the_indexes_that_nothing_asks_for() {
    let shop = Shop::stocked();
    let indexes = |schema: &str| {
        shop.write("new.graphql", schema);
        let done = shop.run(&["push", "--schema", "new.graphql", "--allow-data-loss"]);
        assert_eq!(done.code, 0, "{done:?}");
        let sql = "SELECT name FROM sqlite_master WHERE type = 'index' AND tbl_name = 'rows_Cup' \
                   AND sql IS NOT NULL ORDER BY name";
        let database = shop.database();
        let mut statement = database.prepare(sql).unwrap();
        let names = statement.query_map([], |row| row.get(0)).unwrap();
        names.collect::<Result<Vec<String>, _>>().unwrap()
    };
    let cup = |index: &str| format!("type Cup @model {{ id: ID! name: String! {index} }}");
    let by_name = "@index(name: \"byName\", queryField: \"cupsByName\")";
    assert_eq!(indexes(&cup(by_name)), ["by_Cup_name", "tombstones_Cup"]);
    assert_eq!(indexes(&cup("")), ["tombstones_Cup"]);
    // An index over something else, by the same name.
    shop.database().execute_batch("CREATE INDEX by_Cup_name ON rows_Cup (version)").unwrap();
    assert_eq!(indexes(&cup(by_name)), ["by_Cup_name", "tombstones_Cup"]);
    let sql = "SELECT sql FROM sqlite_master WHERE name = 'by_Cup_name'";
    let sql: String = shop.database().query_row(sql, [], |row| row.get(0)).unwrap();
    assert!(sql.contains("$.name"), "{sql}");
}

#[test]
fn what_is_without_records_goes_without_a_word_more() {
    let shop = Shop::stocked();
    shop.write(
        "new.graphql",
        "enum Size { SMALL LARGE }
         type Cup @model { id: ID! name: String! size: Size price: Float }
         type Seat @model { row: ID! @primaryKey(sortKeyFields: [\"place\"]) place: Int! }
         type Dish @model { id: ID! }",
    );
    let push = |extra: &[&str]| shop.run(&[&["push", "--schema", "new.graphql"], extra].concat());
    assert_eq!(push(&[]).code, 0);
    shop.write(
        "new.graphql",
        "enum Size { SMALL LARGE }
         type Cup @model { id: ID! name: String! size: Size price: Float }
         type Seat @model { row: ID! @primaryKey(sortKeyFields: [\"place\"]) place: Int! }",
    );
    let done = push(&[]);
    assert!(done.out.contains("Dish\n  - model, which has no records"), "{}", done.out);
    assert!(!push(&[]).out.contains("Dish"));
}

#[test]
fn a_renamed_model_is_no_lost_model() {
    let shop = Shop::stocked();
    let renamed = SHOP.replace("type Cup @model", "type Mug @model @mapsTo(name: \"Cup\")");
    shop.write("new.graphql", &renamed.replace("note: String", ""));
    let done = shop.run(&["push", "--schema", "new.graphql", "--allow-data-loss"]);
    assert_eq!(done.out, "Cup\n  - field note, which no record fills\nDone\n");
    assert_eq!(shop.export(), stock());
    let done = shop.run(&["push", "--schema", "new.graphql"]);
    assert!(done.out.contains("agrees with the schema"), "{}", done.out);
}

#[test]
fn a_server_that_starts_follows_new_names_and_no_value_wanders() {
    let places = "type Place { street: String }
        type Cup @model { id: ID! name: String! place: Place places: [Place] note: String }";
    let shop = Shop::new();
    shop.write("schema.graphql", places);
    let values = json!({ "id": "c1", "name": "Latte", "place": { "street": "B" },
        "places": [{ "street": "D" }], "note": "n", "createdAt": "1970-01-01T00:00:01.000Z",
        "updatedAt": "1970-01-01T00:00:01.000Z" });
    let line = cup("c1", &json!({ "values": values }));
    assert_eq!(shop.run_with(&["import"], &[], &line).code, 0);
    // The old name of one field is the new name of another.
    let renamed = "type Place { road: String @renamed(from: \"street\") }
        type Mug @model @renamed(from: [\"Bowl\", \"Cup\"]) { id: ID! title: String! \
        @renamed(from: \"name\") place: Place places: [Place] name: String @renamed(from: \"note\") }";
    shop.write("schema.graphql", renamed);
    let serve = |schema: &str| {
        let schema = sdl::parse_api(schema, "s").expect("a good schema");
        let rules = Arc::new(Rules::new(Arc::new(schema), Strategies::default()));
        open(&shop.file("espressync.sqlite"), &rules, &Time::at(2_000), Hub::new())
    };
    for _ in 0..2 {
        drop(serve(renamed).expect("it opens"));
        let left: Json = serde_json::from_str(&shop.export()).unwrap();
        let values = &left["values"];
        assert_eq!((&left["model"], &values["title"]), (&json!("Mug"), &json!("Latte")), "{left}");
        assert_eq!((&values["name"], &values["note"]), (&json!("n"), &Json::Null), "{left}");
        assert_eq!(values["place"], json!({ "road": "B" }));
        assert_eq!(values["places"], json!([{ "road": "D" }]));
        let old = "SELECT count(*) FROM journal WHERE model = 'Cup' OR body LIKE '%street%'";
        let old: i64 = shop.database().query_row(old, [], |row| row.get(0)).unwrap();
        assert_eq!(old, 0);
    }
    // Records under both names: neither takes the other's place.
    let both = "type Cup @model { id: ID! name: String! }";
    shop.write("schema.graphql", both);
    let values = json!({ "id": "c2", "name": "Latte", "createdAt": "1970-01-01T00:00:01.000Z",
        "updatedAt": "1970-01-01T00:00:01.000Z" });
    let line = cup("c2", &json!({ "values": values }));
    assert_eq!(shop.run_with(&["import"], &[], &line).code, 0);
    let before = shop.export();
    shop.write("schema.graphql", renamed);
    let refused = shop.run(&["push", "--allow-data-loss"]);
    assert_eq!(refused.code, 1, "{refused:?}");
    assert!(refused.out.contains("x rename Cup to Mug: there are records of both"), "{refused:?}");
    let refused = serve(renamed).unwrap_err().to_string();
    assert!(refused.starts_with("the schema says that `Mug` was `Cup`, but"), "{refused}");
    assert_eq!(shop.export(), before);
}

#[test]
fn what_the_records_cannot_be_is_not_pushed_at_all() {
    let shop = Shop::stocked();
    let check = |schema: &str, expected: &str| {
        shop.write("new.graphql", schema);
        let done = shop.run(&["push", "--schema", "new.graphql", "--allow-data-loss"]);
        assert_eq!(done.code, 1, "{schema}");
        assert!(done.out.contains(expected), "{}", done.out);
        assert_eq!(shop.export(), stock());
    };
    let seat = "type Seat @model { row: ID! @primaryKey(sortKeyFields: [\"place\"]) place: Int! }";
    check(
        &format!("type Cup @model {{ id: ID! name: Int! }} {seat}"),
        "x field name: the values of 3 records are no Int! (c1: ",
    );
    check(
        "type Cup @model { id: ID! name: String! }
         type Seat @model { row: ID! @primaryKey place: Int! }",
        "x by another key: 1 record (a/2: its fields say a)",
    );
}

#[test]
fn a_doctor_finds_what_is_wrong_and_says_what_to_do() {
    let shop = Shop::stocked();
    let well = shop.run(&["doctor"]);
    assert_eq!(well.code, 0, "{well:?}");
    for line in ["ok    file: SQLite finds no damage", "ok    Cup: 3 records can be read"] {
        assert!(well.out.contains(line), "{}", well.out);
    }
    let check = |spoil: &str, expected: &str| {
        let shop = Shop::stocked();
        shop.database().execute_batch(spoil).unwrap();
        let done = shop.run(&["doctor"]);
        assert_eq!(done.code, 1, "{spoil}: {done:?}");
        assert!(done.out.contains(expected), "{spoil}: {}", done.out);
        assert!(done.out.contains("what to do: "), "{}", done.out);
    };
    check(
        "UPDATE rows_Cup SET body = '{' WHERE key = 'c1'",
        "WRONG Cup: 1 record cannot be served, such as c1: EOF",
    );
    check(
        "UPDATE rows_Cup SET body = json_set(body, '$.price', 'dear') WHERE key = 'c3'",
        "WRONG Cup: 1 record cannot be served, such as c3: ",
    );
    check(
        "DELETE FROM rows_Cup WHERE key = 'c1'",
        "WRONG Cup: of its journal, 1 entries have no record and 0 are newer",
    );
    check("UPDATE rows_Cup SET version = 1", "0 entries have no record and 3 are newer");
    check("UPDATE journal SET changed_at = 99999999999999", "WRONG clock: the newest change is");
    let done = shop.run(&["doctor", "--schema", "none.graphql"]);
    assert_eq!(done.code, 1);
    assert!(done.out.contains("WRONG schema: cannot read"), "{}", done.out);
    let done = shop.run_with(&["doctor"], &[("ESPRESSYNC_LISTEN", "0.0.0.0:1")], "");
    assert_eq!(done.code, 0, "settings of serve are its own flags: {done:?}");
    shop.write("espressync.toml", "listen = '0.0.0.0:1'");
    let done = shop.run(&["doctor", "--config", "espressync.toml"]);
    assert!(done.out.contains("WRONG settings: with 0.0.0.0:1 others"), "{}", done.out);
}

#[test]
fn a_deleted_record_comes_back_in_a_stopped_file() {
    let shop = Shop::stocked();
    let undelete = |arguments: &[&str]| shop.run(&[&["undelete"], arguments].concat());
    let refused = |arguments: &[&str], expected: &str| {
        let done = undelete(arguments);
        assert_eq!(done.code, 1, "{arguments:?}");
        assert!(done.notes.contains(expected), "{arguments:?}: {}", done.notes);
    };
    refused(&["Mug", "c2"], "Mug");
    refused(&["Seat", "a"], "the key of Seat is row place: give a value for each");
    refused(&["Cup", "none"], "");
    refused(&["Cup", "c2", "--data", "none.sqlite"], "there is no database none.sqlite");
    let server = shop.serve();
    refused(&["Cup", "c2"], "ask the server that has it, by --endpoint and --api-key");
    drop(server);
    assert_eq!(shop.export(), stock());
    assert_eq!(undelete(&["Cup", "c2"]).out, "Cup c2 is back, as version 8\n");
    assert_eq!(undelete(&["Cup", "c2"]).out, "Cup c2 is not deleted\n");
    assert_eq!(undelete(&["Seat", "a", "2"]).out, "Seat a/2 is not deleted\n");
    let line = shop.export().lines().nth(1).map(ToOwned::to_owned).unwrap();
    let line: Json = serde_json::from_str(&line).unwrap();
    assert_eq!((&line["_deleted"], &line["values"]["name"]), (&json!(false), &json!("Latte")));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_deleted_record_comes_back_through_a_running_server() {
    let shop = Shop::stocked();
    let config = Config {
        schema: shop.file("schema.graphql"),
        data: shop.file("espressync.sqlite"),
        listen: "127.0.0.1:0".parse().unwrap(),
        api_keys: vec!["da2-own".to_owned()],
        // The tombstone is of 1970, and is not to be swept before it is asked for.
        base_ttl: Duration::from_secs(200 * 365 * 24 * 3600),
        ..Config::default()
    };
    let server = Program::start(&config).await.unwrap();
    let endpoint = format!("http://{}/graphql", server.address().unwrap());
    let running = tokio::spawn(server.run(std::future::pending()));
    let undelete = async |key: &'static str| {
        let arguments = ["undelete", "Cup", "c2", "--endpoint", &endpoint, "--api-key", key];
        let arguments = arguments.map(ToOwned::to_owned);
        let (folder, arguments) = (shop.file(""), arguments.to_vec());
        let done = tokio::task::spawn_blocking(move || {
            let program = env!("CARGO_BIN_EXE_espressync");
            Command::new(program).current_dir(folder).args(arguments).output().expect("it runs")
        });
        let output = done.await.expect("it ends");
        String::from_utf8([output.stdout, output.stderr].concat()).expect("text")
    };
    let refused = undelete("da2-wrong").await;
    assert!(refused.contains("the server refuses: You are not authorized"), "{refused}");
    assert!(!refused.contains("da2-"), "{refused}");
    assert_eq!(undelete("da2-own").await, "Cup c2 is back, as version 8\n");
    running.abort();
}

/// What is not there is named in the answer, which shows who won.
#[test]
fn flags_win_over_the_environment_and_that_over_the_file() {
    let shop = Shop::new();
    shop.write("espressync.toml", "data = 'of-file'");
    let check = |flags: &[&str], environment: &[(&str, &str)], expected: &str| {
        let done = shop.run_with(&[&["export"], flags].concat(), environment, "");
        assert_eq!(done.code, 1);
        let found = done.notes.trim();
        assert!(found.ends_with(&format!("{expected}: name it by --data")), "{found}");
    };
    let (file, flag) = (["--config", "espressync.toml"], ["--data", "of-flag"]);
    let both = [&file[..], &flag].concat();
    let environment = [("ESPRESSYNC_DATA", "of-environment")];
    check(&[], &[], " espressync.sqlite");
    check(&file, &[], "of-file");
    check(&[], &[("ESPRESSYNC_CONFIG", "espressync.toml")], "of-file");
    check(&file, &environment, "of-environment");
    check(&both, &environment, "of-flag");
    check(&both, &[], "of-flag");
    shop.write("espressync.toml", "data = 'x'\nlisten = 'y'");
    let done = shop.run(&["export", "--config", "espressync.toml"]);
    assert_eq!(done.code, 1);
    assert!(done.notes.contains("espressync.toml, line 2, `listen`"), "{}", done.notes);
}
