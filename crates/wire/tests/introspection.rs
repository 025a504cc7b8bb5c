//! What `initSchema` takes, from the schema that the tests with the real `aws-amplify` use.

#![allow(clippy::unwrap_used, reason = "tests")]

use std::collections::BTreeSet;

use espressync_model::{
    AccessRule, AccessRules, Action, Allow, ApiSchema, FieldId, ModelApi, ModelId, Provider, sdl,
};
use espressync_wire::introspection;
use serde_json::{Value as Json, json};

#[path = "wire/golden.rs"]
mod golden;

fn of(source: &str) -> Json {
    introspection(&sdl::parse_api(source, "schema.graphql").unwrap())
}

#[test]
fn the_schema_is_what_amplify_takes() {
    golden::check("introspection", &of(include_str!("../../../tests/interop/schema.graphql")));
}

#[test]
fn the_version_is_of_what_records_hold() {
    let version = |source: &str| of(source)["version"].take();
    let first = version("type A @model { x: Int m: M } enum M { B } type C @model { y: Int }");
    assert_eq!(first.as_str().unwrap().len(), 32);
    // In another order, and with one value more.
    let same = "type C @model { y: Int } type A @model { m: M x: Int } enum M { B D }";
    assert_eq!(version(same), first);
    let public = "type C @model { y: Int } enum M { B }
        type A @model @auth(rules: [{ allow: public }]) { x: Int m: M }";
    assert_eq!(version(public), first);
    for other in [
        "type A @model { x: Int! m: M } enum M { B } type C @model { y: Int }",
        "type A @model { x: [Int] m: M } enum M { B } type C @model { y: Int }",
        "type A @model { x: Int m: M } enum M { B } type C @model { y: Int z: Int }",
        "type A @model { x: ID! @primaryKey m: M } enum M { B } type C @model { y: Int }",
    ] {
        assert_ne!(version(other), first, "{other}");
    }
}

#[test]
fn foreign_keys_of_inputs_only_are_named_by_the_association_alone() {
    let source = include_str!("../../../src/schema.graphql");
    let parsed = sdl::parse_api(source, "schema.graphql").unwrap();
    let (order, product) = (FieldId(1), FieldId(2));
    let line_item =
        ModelApi { input_only: BTreeSet::from([order, product]), ..ModelApi::default() };
    let models = vec![ModelApi::default(), ModelApi::default(), line_item];
    let json = introspection(&ApiSchema::new(parsed.schema, models));
    let fields = &json["models"]["LineItem"]["fields"];
    assert_eq!(fields.get("lineItemOrderId"), None);
    let association = json!({ "connectionType": "BELONGS_TO", "targetNames": ["lineItemOrderId"] });
    assert_eq!(fields["order"]["association"], association);
    let lines = &json["models"]["Order"]["fields"]["lineItems"]["association"];
    assert_eq!(*lines, json!({ "connectionType": "HAS_MANY", "associatedWith": ["order"] }));
}

#[test]
fn rules_are_told_with_their_defaults() {
    let source = "type Note @model { owner: String team: String }";
    let schema = sdl::parse_api(source, "schema.graphql").unwrap().schema;
    let model = schema.model(ModelId(0));
    let field = |name: &str| model.field_named(name).unwrap();
    let texts = |texts: &[&str]| texts.iter().map(ToString::to_string).collect::<Vec<_>>();
    let rule = |allow, actions: &[Action]| AccessRule {
        allow,
        provider: Provider::UserPools,
        actions: actions.to_vec(),
    };
    let claim = "cognito:groups".to_owned();
    let owner = |claims: &[&str]| Allow::Owner { field: field("owner"), claims: texts(claims) };
    let rules = vec![
        rule(owner(&["sub", "username"]), &Action::ALL),
        rule(owner(&["email"]), &[Action::Create, Action::Get]),
        rule(Allow::Groups { groups: texts(&["Admin"]), claim: claim.clone() }, &Action::READ),
        rule(Allow::GroupsOf { field: field("team"), claim }, &[Action::Delete]),
        rule(Allow::Private, &[Action::Update]),
    ];
    let access = AccessRules { model: rules, ..AccessRules::default() };
    let models = vec![ModelApi { access, ..ModelApi::default() }];
    let json = introspection(&ApiSchema::new(schema, models));
    let expected = json!({ "type": "auth", "properties": { "rules": [
        { "allow": "owner", "provider": "userPools", "ownerField": "owner",
          "identityClaim": "cognito:username",
          "operations": ["create", "update", "delete", "read"] },
        { "allow": "owner", "provider": "userPools", "ownerField": "owner",
          "identityClaim": "email", "operations": ["create", "get"] },
        { "allow": "groups", "provider": "userPools", "groups": ["Admin"],
          "groupClaim": "cognito:groups", "groupField": "groups", "operations": ["read"] },
        { "allow": "groups", "provider": "userPools", "groupsField": "team", "groupField": "team",
          "groupClaim": "cognito:groups", "operations": ["delete"] },
        { "allow": "private", "provider": "userPools", "operations": ["update"] },
    ] } });
    assert_eq!(json["models"]["Note"]["attributes"][2], expected);
}
