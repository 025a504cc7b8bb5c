use super::refused;
use crate::sdl::parse_api;
use crate::{Field, ModelApi, ModelId, Offer, Scalar, SubscriptionLevel};

/// What the API offers of the one model with these arguments and fields.
fn offered(arguments: &str, fields: &str) -> (crate::Model, ModelApi) {
    let source = format!("type A @model{arguments} {{ n: Int {fields} }}");
    let api = parse_api(&source, "s.graphql").unwrap_or_else(|error| panic!("{error}"));
    (api.schema.model(ModelId(0)).clone(), api.model(ModelId(0)).clone())
}

fn named(name: &str) -> Offer {
    Offer::Named(name.to_owned())
}

#[test]
fn a_plain_model_has_everything() {
    let (model, api) = offered("", "");
    assert_eq!(api, ModelApi::of(&model));
    assert_eq!(
        (api.created_at, api.updated_at),
        (model.field_named("createdAt").ok(), model.field_named("updatedAt").ok())
    );
    let usual = vec![Offer::Usual];
    assert_eq!(
        (api.on_create, api.on_update, api.on_delete),
        (usual.clone(), usual.clone(), usual)
    );
}

#[test]
fn operations_are_renamed_and_turned_off() {
    let (_, api) =
        offered("(queries: { get: \"one\", list: null }, mutations: { update: null })", "");
    assert_eq!((api.get, api.list, api.sync), (named("one"), Offer::Off, Offer::Usual));
    assert_eq!((api.create, api.update, api.delete), (Offer::Usual, Offer::Off, Offer::Usual));
    let (_, api) = offered("(queries: null, mutations: null, subscriptions: null)", "");
    assert_eq!((api.get, api.list, api.sync), (Offer::Off, Offer::Off, Offer::Off));
    assert_eq!((api.create, api.update, api.delete), (Offer::Off, Offer::Off, Offer::Off));
    assert_eq!((api.on_create.len(), api.level), (0, SubscriptionLevel::Off));
}

#[test]
fn subscriptions_have_names_and_a_level() {
    let (_, api) =
        offered("(subscriptions: { onCreate: [\"a\", \"b\"], onUpdate: null, level: public })", "");
    assert_eq!(api.on_create, [named("a"), named("b")]);
    assert_eq!((api.on_update, api.on_delete), (vec![], vec![Offer::Usual]));
    assert_eq!(api.level, SubscriptionLevel::Public);
    let (_, api) = offered("(subscriptions: { onCreate: \"a\", level: on })", "");
    assert_eq!((api.on_create, api.level), (vec![named("a")], SubscriptionLevel::On));
    let (_, api) = offered("(subscriptions: { onCreate: [\"a\"], level: off })", "");
    assert_eq!((api.on_create, api.on_delete), (vec![], vec![]));
}

#[test]
fn timestamps_are_renamed_disabled_or_declared() {
    let check = |arguments: &str,
                 fields: &str,
                 expected: [Option<&str>; 2],
                 expected_fields: &[&str]| {
        let (model, api) = offered(arguments, fields);
        let name = |id: Option<crate::FieldId>| id.map(|id| model.at(id).name.as_str());
        assert_eq!([name(api.created_at), name(api.updated_at)], expected, "{arguments} {fields}");
        let names: Vec<&str> = model.fields.iter().map(|field| field.name.as_str()).collect();
        assert_eq!(names, expected_fields, "{arguments} {fields}");
    };
    let both = [Some("createdAt"), Some("updatedAt")];
    check("", "", both, &["id", "n", "createdAt", "updatedAt"]);
    check("(timestamps: null)", "", [None, None], &["id", "n"]);
    let renamed = "(timestamps: { createdAt: \"made\", updatedAt: null })";
    check(renamed, "", [Some("made"), None], &["id", "n", "made"]);
    check(renamed, "made: String!", [Some("made"), None], &["id", "n", "made"]);
    let declared = "updatedAt: String createdAt: AWSDateTime!";
    check("", declared, both, &["id", "n", "updatedAt", "createdAt"]);
    // A type that holds no such text is the app's to fill.
    let number = "createdAt: AWSTimestamp";
    check("", number, [None, Some("updatedAt")], &["id", "n", "createdAt", "updatedAt"]);
    // So is a part of the key, which a record has before the server sees it.
    let key = "at: ID @primaryKey(sortKeyFields: [\"createdAt\"]) createdAt: String!";
    check("", key, [None, Some("updatedAt")], &["n", "at", "createdAt", "updatedAt"]);
    let (model, _) = offered("", declared);
    assert_eq!(model.fields[2], Field::new("updatedAt", Scalar::String));
    assert!(offered("", "").0.fields[2].is_read_only);
}

#[test]
fn records_may_be_stored_under_another_name() {
    for directive in ["mapsTo", "refersTo"] {
        let source = format!("type A @model @{directive}(name: \"Old\") {{ n: Int }}");
        let api = parse_api(&source, "s.graphql").unwrap();
        assert_eq!(api.model(ModelId(0)).stored_as.as_deref(), Some("Old"));
    }
    refused(
        "type A @model @mapsTo { n: Int }",
        "s.graphql:1:15: @mapsTo: needs `name`, the name that the records are stored under",
    );
    refused(
        "type A @model { n: Int @refersTo(name: \"m\") }",
        "s.graphql:1:24: `@refersTo` has no place here; it goes on a type with @model",
    );
}

#[test]
fn types_and_fields_tell_their_earlier_names() {
    let source =
        "type A @model @renamed(from: [\"B\", \"C\"]) { n: Int @renamed(from: \"m\") e: E }
                  type E { x: Int @renamed(from: \"y\") }";
    let schema = parse_api(source, "s.graphql").unwrap().schema;
    let model = schema.model(ModelId(0));
    assert_eq!(model.formerly, ["B", "C"]);
    assert_eq!(model.field_named("n").map(|id| &model.at(id).formerly[..]), Ok(&["m".into()][..]));
    assert_eq!(schema.objects()[0].fields[0].formerly, ["y"]);
    let code = crate::codegen::rust(&schema);
    for part in [".renamed(&[\"B\", \"C\"])", ".renamed(&[\"m\"])", ".renamed(&[\"y\"])"] {
        assert!(code.contains(part), "{code}");
    }
    for given in ["", "(from: \"no name\")"] {
        refused(
            &format!("type A @model {{ n: Int @renamed{given} }}"),
            "s.graphql:1:24: @renamed: needs `from`, the earlier name, as in \
             `@renamed(from: \"cost\")`",
        );
    }
    refused(
        "enum A @renamed(from: \"B\") { X } type C @model { a: A }",
        "s.graphql:1:8: `@renamed` has no place here; it goes on a type with @model, and on a \
         field that holds a value",
    );
}

#[test]
fn bad_arguments_are_refused() {
    let check = |arguments: &str, expected: &str| {
        let source = format!(
            "type A @model({arguments}) {{ n: Int b: B @hasOne }} type B @model {{ n: Int }}"
        );
        refused(&source, &format!("s.graphql:1:{expected}"));
    };
    check(
        "query: null",
        "8: @model: there is no argument `query`; it takes `queries`, `mutations`, \
         `subscriptions`, `timestamps`",
    );
    check("queries: 3", "8: @model: `queries` should be an object, found 3");
    check(
        "queries: { sync: null }",
        "8: @model: there is no argument `sync`; an object there has `get`, `list`",
    );
    check("queries: { get: 1 }", "8: @model: `get` should be text, found 1");
    check("queries: { get: \"\" }", "8: @model: `get` is empty");
    check(
        "mutations: { create: \"a b\" }",
        "8: @model: `create` should be a name of GraphQL, found \"a b\"",
    );
    check(
        "subscriptions: { level: all }",
        "8: @model: `level` should be one of `off`, `public`, `on`, found all",
    );
    check(
        "subscriptions: { onCreate: [\"__a\"] }",
        "8: @model: `onCreate` should hold names of GraphQL, found \"__a\"",
    );
    check(
        "timestamps: { createdAt: \"a\", updatedAt: \"a\" }",
        "8: @model: the two `timestamps` have one name",
    );
    check("timestamps: { createdAt: \"b\" }", "6: `b` is declared twice");
    refused("type A @model @model { n: Int }", "s.graphql:1:15: @model: a type has one @model");
}

#[test]
fn two_operations_of_one_name_are_refused() {
    refused(
        "type A @model { n: Int } type B @model(queries: { get: \"getA\" }) { n: Int }",
        "s.graphql:1:31: `A` and `B` both have the operation `getA`; rename one by @model",
    );
    refused(
        "type Person @model { n: Int } type People @model { n: Int }",
        "s.graphql:1:36: `Person` and `People` both have the operation `listPeople`; rename one \
         by @model\n\
         s.graphql:1:36: `Person` and `People` both have the operation `syncPeople`; rename one \
         by @model",
    );
}
