use super::refused;
use crate::{AccessRule, Action, Allow, ApiSchema, Model, ModelId, Provider, sdl::parse_api};

fn read(source: &str) -> ApiSchema {
    parse_api(source, "schema.graphql").unwrap_or_else(|error| panic!("{error}"))
}

/// The one rule of a type with this rule and the fields `team: [String]` and `boss: ID`.
fn rule(text: &str) -> (Model, AccessRule) {
    let api = read(&format!(
        "type A @model @auth(rules: [{{ {text} }}]) {{ team: [String] boss: ID n: Int }}"
    ));
    let rules = &api.model(ModelId(0)).access.model;
    assert_eq!(rules.len(), 1, "{text}");
    (api.schema.model(ModelId(0)).clone(), rules[0].clone())
}

fn claims(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

#[test]
fn a_rule_that_says_little_has_amplifys_defaults() {
    let check = |text: &str, expected_allow: Allow, expected_provider: Provider| {
        let (_, AccessRule { allow, provider, actions }) = rule(text);
        assert_eq!((&allow, provider), (&expected_allow, expected_provider), "{text}");
        assert_eq!(actions, Action::ALL, "{text}");
    };
    check("allow: public", Allow::Public, Provider::ApiKey);
    check("allow: public, provider: iam", Allow::Public, Provider::Iam);
    check("allow: public, provider: identityPool", Allow::Public, Provider::IdentityPool);
    check("allow: private", Allow::Private, Provider::UserPools);
    check("allow: private, provider: oidc", Allow::Private, Provider::Oidc);
    check("allow: custom", Allow::Custom, Provider::Function);
    let groups =
        |claim: &str| Allow::Groups { groups: claims(&["Bar", "Till"]), claim: claim.into() };
    let text = "allow: groups, groups: [\"Bar\", \"Till\"]";
    check(text, groups("cognito:groups"), Provider::UserPools);
    let text = "allow: groups, groups: [\"Bar\", \"Till\"], groupClaim: \"roles\", provider: oidc";
    check(text, groups("roles"), Provider::Oidc);
}

#[test]
fn an_owner_field_is_added_unless_it_is_declared() {
    let check = |text: &str, field: &str, expected_claims: &[&str], is_added: bool| {
        let (model, rule) = rule(text);
        let Allow::Owner { field: id, claims: found } = rule.allow else { panic!("{text}") };
        assert_eq!((model.at(id).name.as_str(), found), (field, claims(expected_claims)), "{text}");
        assert_eq!(model.at(id).is_read_only, is_added, "{text}");
        assert!(!model.at(id).is_required);
    };
    check("allow: owner", "owner", &["sub", "username"], true);
    check("allow: owner, ownerField: \"boss\"", "boss", &["sub", "username"], false);
    check("allow: owner, ownerField: \"team\"", "team", &["sub", "username"], false);
    check("allow: owner, identityClaim: \"email\"", "owner", &["email"], true);
    check("allow: owner, identityField: \"sub\"", "owner", &["sub"], true);
    let api = read("type A @model @auth(rules: [{ allow: owner }]) { x: Int }");
    let (model, offered) = (api.schema.model(ModelId(0)), api.model(ModelId(0)));
    assert_eq!(
        offered.owners.iter().copied().collect::<Vec<_>>(),
        [model.field_named("owner").unwrap()]
    );
}

#[test]
fn groups_may_be_named_by_a_record() {
    let (model, rule) = rule("allow: groups, groupsField: \"team\"");
    let Allow::GroupsOf { field, claim } = rule.allow else { panic!("{rule:?}") };
    assert_eq!((model.at(field).name.as_str(), claim.as_str()), ("team", "cognito:groups"));
    let api = read("type A @model @auth(rules: [{ allow: groups }]) { groups: [String] }");
    assert!(matches!(api.model(ModelId(0)).access.model[0].allow, Allow::GroupsOf { .. }));
}

#[test]
fn operations_are_written_out() {
    use Action::{Create, Delete, Get, List, Listen, Search, Sync, Update};
    let check = |text: &str, expected: &[Action]| {
        let (_, rule) = rule(&format!("allow: private, {text}"));
        assert_eq!(rule.actions, expected, "{text}");
    };
    check("operations: [read]", &Action::READ);
    check("operations: read", &Action::READ);
    check("operations: [delete, create]", &[Create, Delete]);
    check("operations: [get, listen]", &[Get, Listen]);
    check("operations: null", &Action::ALL);
    check("queries: [get], mutations: null", &[Get, Listen]);
    check("queries: [list], mutations: [update]", &[Update, List, Sync, Listen, Search]);
    check("queries: null", &[Create, Update, Delete]);
    check("mutations: []", &Action::READ);
}

#[test]
fn fields_and_relations_have_rules_of_their_own() {
    let api = read(
        "type A @model @auth(rules: [{ allow: private }, { allow: private }]) {
           secret: String @auth(rules: { allow: owner, operations: [read] })
           b: B @hasOne @auth(rules: [{ allow: groups, groups: \"G\" }])
         }
         type B @model { x: Int }",
    );
    let model = api.schema.model(ModelId(0));
    let access = &api.model(ModelId(0)).access;
    assert_eq!(access.model.len(), 1, "what is said twice counts once");
    let secret = &access.fields[&model.field_named("secret").unwrap()];
    let owner = model.field_named("owner").unwrap();
    assert!(matches!(secret[0].allow, Allow::Owner { field, .. } if field == owner));
    assert_eq!(access.relations["b"][0].actions, Action::ALL);
    assert!(api.model(ModelId(1)).access.model.is_empty());
}

#[test]
fn the_sandbox_rule_says_what_holds_anyway() {
    let source = |rule: &str| {
        format!(
            "input AMPLIFY {{ globalAuthRule: AuthRule = {{ allow: {rule} }} }} \
                 type A @model {{ x: Int }}"
        )
    };
    assert!(read(&source("public")).model(ModelId(0)).access.model.is_empty());
    refused(&source("owner"), "s.graphql:1:1: an input type is not supported; leave it out");
}

#[test]
fn a_rule_that_cannot_be_honoured_is_refused() {
    let check = |text: &str, expected: &str| {
        let source = format!(
            "type A @model @auth(rules: [{text}]) {{ n: Int b: [B] @hasMany }} type B @model {{ x: Int }}"
        );
        refused(&source, &format!("s.graphql:1:15: @auth{expected}"));
    };
    check("", ": `rules` is empty");
    check("3", ": `rules` should be a list of objects, found 3");
    check("{}", ": a rule needs `allow`, such as `{ allow: owner }`");
    check(
        "{ allow: all }",
        ": `allow` should be one of `owner`, `groups`, `private`, `public`, `custom`, found all",
    );
    check(
        "{ allow: owner, field: \"x\" }",
        ": there is no argument `field`; an object there has `allow`, `provider`, `ownerField`, \
         `identityClaim`, `identityField`, `groupClaim`, `groups`, `groupsField`, `operations`, \
         `queries`, `mutations`",
    );
    check(
        "{ allow: private, groups: [\"G\"] }",
        ": `groups` goes with `allow: groups`, not private",
    );
    check(
        "{ allow: groups, groups: [\"G\"], groupsField: \"g\" }",
        ": `groups` and `groupsField` exclude each other; write two rules",
    );
    check("{ allow: groups, groups: [] }", ": `groups` is empty");
    check(
        "{ allow: owner, provider: apiKey }",
        ": `allow: owner` has the providers `userPools`, `oidc`, not `apiKey`",
    );
    check(
        "{ allow: owner, identityClaim: \"sub::\" }",
        ": `identityClaim` should name claims, as in \"sub::username\"",
    );
    check(
        "{ allow: owner, identityClaim: \"a\", identityField: \"b\" }",
        ": `identityField` is the old name of `identityClaim`; keep one",
    );
    check(
        "{ allow: owner, operations: [] }",
        ": a rule that allows no operation does nothing; leave it out",
    );
    check(
        "{ allow: owner, operations: [read, get] }",
        ": `operations` names `get`, which another includes",
    );
    check(
        "{ allow: owner, operations: [read], queries: [get] }",
        ": `operations` says it all; leave out `queries` and `mutations`",
    );
    check(
        "{ allow: owner, operations: [write] }",
        ": `operations` should be a list of `create`, `update`, `delete`, `read`, `get`, `list`, \
         `sync`, `listen`, `search`, found write",
    );
    check(
        "{ allow: owner, ownerField: \"n\" }",
        " names the field `n`, which should be text or a list of text",
    );
    check("{ allow: owner, ownerField: \"b\" }", " names the field `b`, which is a relation");
    check(
        "{ allow: groups }",
        " names the field `groups`, which there is not; declare `groups: [String]`",
    );
}

#[test]
fn an_auth_in_the_wrong_place_is_refused() {
    refused(
        "type A @model { x: Int } type B @auth(rules: [{ allow: public }]) { x: Int }",
        "s.graphql:1:33: `@auth` has no place here; it goes on a type with @model, and on its \
         fields",
    );
    refused(
        "type A @model @auth { x: Int }",
        "s.graphql:1:15: @auth: needs `rules`, such as `rules: [{ allow: owner }]`",
    );
    refused(
        "type A @model { x: Int @auth(rules: [{ allow: owner }]) }",
        "s.graphql:1:24: @auth: `A.x` has rules and the type has none, which leaves the rest to \
         everybody; say on the type too who may use it",
    );
    refused(
        "type A @model @auth(rules: [{ allow: owner }]) @auth(rules: [{ allow: public }]) { x: Int }",
        "s.graphql:1:48: @auth: put all `rules` into one @auth",
    );
}
