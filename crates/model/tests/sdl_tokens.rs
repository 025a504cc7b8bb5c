//! Whatever a file says, reading it ends in a schema or in an error that names a place.
#![cfg(feature = "sdl")]

use espressync_model::{codegen, sdl};
use proptest::prelude::*;

/// What a schema is made of, whole phrases among the tokens so that some of it gets far.
const TOKENS: &[&str] = &[
    "type",
    "input",
    "enum",
    "union",
    "scalar",
    "extend",
    "schema",
    "directive",
    "A",
    "B",
    "C",
    "x",
    "y",
    "id",
    "createdAt",
    "owner",
    "{",
    "}",
    "(",
    ")",
    "[",
    "]",
    "!",
    ":",
    "=",
    "|",
    "@",
    "\"",
    "\"\"\"",
    "#",
    "\n",
    "null",
    "true",
    "1",
    "-1.5e3",
    "é",
    "\u{0}",
    "$",
    "...",
    "&",
    "type A @model {",
    "type B @model {",
    "type C {",
    "enum E { ONE TWO }",
    "id: ID!",
    "x: Int",
    "y: [String!]!",
    "e: E",
    "c: C",
    "b: B",
    "bs: [B]",
    "a: A",
    "as: [A]",
    "at: AWSDateTime",
    "@hasOne",
    "@hasMany",
    "@belongsTo",
    "@connection",
    "@connection(name: \"AB\")",
    "@connection(fields: [\"x\"])",
    "@connection(keyName: \"k\", fields: [\"id\"])",
    "@hasMany(indexName: \"k\", fields: [\"id\"])",
    "@hasMany(references: [\"x\"])",
    "@hasOne(references: \"x\")",
    "@belongsTo(references: [\"x\"])",
    "@belongsTo(fields: [\"x\"])",
    "@manyToMany(relationName: \"R\")",
    "@manyToMany(relationName: \"r\", limit: 3)",
    "@primaryKey",
    "@primaryKey(sortKeyFields: [\"x\", \"y\"])",
    "@index",
    "@index(name: \"k\", queryField: \"q\")",
    "@key(fields: [\"x\"])",
    "@key(name: \"k\", fields: [\"x\", \"y\"], queryField: \"q\")",
    "@model",
    "@model(queries: null, timestamps: { createdAt: \"x\" })",
    "@model(subscriptions: { level: off })",
    "@auth(rules: [{ allow: owner }])",
    "@auth(rules: [{ allow: groups, groupsField: \"y\", operations: [read] }])",
    "@default(value: \"1\")",
    "@mapsTo(name: \"Old\")",
    "@versioned",
    "@deprecated",
];

fn text() -> impl Strategy<Value = String> {
    let tokens = prop::collection::vec(prop::sample::select(TOKENS), 0..40);
    tokens.prop_map(|tokens| tokens.join(" "))
}

/// Types whose fields and directives go together more often than not.
fn likely() -> impl Strategy<Value = String> {
    let phrases: Vec<&str> = TOKENS.iter().filter(|token| token.len() > 4).copied().collect();
    let of = |start: &'static str| {
        let wanted = phrases.iter().filter(move |phrase| phrase.contains(start));
        prop::sample::select(wanted.copied().collect::<Vec<_>>())
    };
    let field =
        (of(": "), prop::option::of(of("@"))).prop_filter_map("a field", |(field, with)| {
            let is_field = !field.contains(['@', '{']);
            is_field.then(|| format!("{field} {}", with.unwrap_or_default()))
        });
    let fields = prop::collection::vec(field, 1..6);
    let model = (prop::option::of(of("@")), fields).prop_map(|(with, fields)| {
        format!("@model {} {{ {} }}", with.unwrap_or_default(), fields.join("\n"))
    });
    (model.clone(), model)
        .prop_map(|(a, b)| format!("type A {a}\ntype B {b}\ntype C {{ x: Int }} enum E {{ ONE }}"))
}

fn check(source: &str) {
    match sdl::parse_api(source, "s.graphql") {
        Ok(api) => {
            assert!(!codegen::rust(&api.schema).is_empty());
            for (_, model) in api.schema.models() {
                for relation in &model.relations {
                    assert_eq!(api.schema.association(model, relation).kind, relation.kind);
                }
            }
        }
        Err(error) => {
            assert!(!error.problems.is_empty(), "{source}");
            assert!(error.problems.iter().all(|problem| problem.line > 0 && problem.column > 0));
            assert!(error.to_string().starts_with("s.graphql:"), "{error}");
            #[cfg(feature = "report")]
            assert!(error.report().starts_with("error: "), "{}", error.report());
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn any_tokens(source in text()) {
        check(&source);
    }

    #[test]
    fn likely_types(source in likely()) {
        check(&source);
    }

    #[test]
    fn any_text(source in ".{0,80}") {
        check(&source);
    }
}
