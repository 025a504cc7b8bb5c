use super::{names, read_ok, refused};
use crate::Index;

/// The key and the indexes of the first model, by field names.
fn check(source: &str, key: &[&str], indexes: &[(&str, &[&str], Option<&str>)]) {
    let schema = read_ok(source);
    let (_, model) = schema.models().next().unwrap();
    let all = names(model);
    let named = |fields: &[crate::FieldId]| -> Vec<&str> {
        fields.iter().map(|field| all[field.index()]).collect()
    };
    assert_eq!(named(&model.key), key, "{source}");
    let found = model.indexes.iter().map(|index: &Index| {
        (index.name.as_str(), named(&index.fields), index.query_field.as_deref())
    });
    let expected = indexes.iter().map(|(name, fields, query)| (*name, fields.to_vec(), *query));
    assert_eq!(found.collect::<Vec<_>>(), expected.collect::<Vec<_>>(), "{source}");
}

#[test]
fn keys_and_indexes_of_both_generations() {
    check("type A @model { n: Int }", &["id"], &[]);
    check("type A @model { n: Int @primaryKey }", &["n"], &[]);
    check("type A @model { n: ID @primaryKey(sortKeyFields: \"m\") m: Int }", &["n", "m"], &[]);
    let usual = Some("employeesByManagerAndLevel");
    let fields = &["manager", "level"][..];
    check(
        "type Employee @model { manager: ID! @index(sortKeyFields: [\"level\"]) level: Int }",
        &["id"],
        &[("employeesByManagerAndLevel", fields, usual)],
    );
    check(
        "type A @model { n: ID @index(name: \"x\", queryField: \"q\") @index(name: \"y\", queryField: null, sortKeyFields: []) }",
        &["id"],
        &[("x", &["n"], Some("q")), ("y", &["n"], None)],
    );
    check(
        "type Bean @model { n: ID @index(name: \"x\", projection: { type: INCLUDE, nonKeyAttributes: [\"m\"] }) m: Int }",
        &["id"],
        &[("x", &["n"], Some("beansByN"))],
    );
    check("type A @model @key(fields: [\"n\", \"m\"]) { n: ID m: Int }", &["n", "m"], &[]);
    check(
        "type A @model @key(name: \"x\", fields: [\"n\"], queryField: \"q\") @key(name: \"y\", fields: [\"m\", \"n\"]) { id: ID! n: ID m: Int }",
        &["id"],
        &[("x", &["n"], Some("q")), ("y", &["m", "n"], None)],
    );
}

#[test]
fn what_can_be_no_key_is_refused() {
    let check = |fields: &str, expected: &str| {
        refused(&format!("type A @model {{ {fields} }}"), &format!("s.graphql:1:{expected}"));
    };
    check("n: [ID] @index", "25: @index names the field `n`, which holds more than one value");
    check(
        "n: Boolean @primaryKey",
        "28: @primaryKey names the field `n`, a Boolean, which can be no key",
    );
    check("n: ID @index(sortKeyFields: [\"n\"])", "23: @index names the field `n`, twice");
    check("n: ID @primaryKey m: ID @primaryKey", "41: @primaryKey: a model has one primary key");
    check(
        "n: ID @index(name: \"x\") m: ID @index(name: \"x\")",
        "47: @index: there are two indexes `x`",
    );
    check(
        "n: ID @index(projection: { type: SOME })",
        "23: @index: `type` should be one of `ALL`, `KEYS_ONLY`, `INCLUDE`, found SOME",
    );
    check(
        "n: ID @index(projection: { nonKeyAttributes: [\"m\"] })",
        "23: @index names the field `m`, which there is not",
    );
    check(
        "id: [ID]",
        "6: @model names the field `id`, which is the key and holds more than one value",
    );
    let on_type = |key: &str, expected: &str| {
        refused(
            &format!("type A @model {key} {{ n: ID }}"),
            &format!("s.graphql:1:15: {expected}"),
        );
    };
    on_type("@key", "@key: needs `fields`, such as `fields: [\"id\"]`");
    on_type("@key(fields: [])", "@key: `fields` is empty");
    on_type("@key(fields: [\"m\"])", "@key names the field `m`, which there is not");
    on_type(
        "@key(fields: [\"n\"], queryField: \"q\")",
        "@key: `queryField` goes with a `name`; the primary key has its get query",
    );
}
