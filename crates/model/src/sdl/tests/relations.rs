use super::{foreign_key, names, read_ok, refused};
use crate::sdl::parse_api;
use crate::{Action, Allow, RelationKind, Schema};

/// A relation's kind and its association, as `KIND with -> targets`.
fn association(schema: &Schema, model: &str, relation: &str) -> String {
    let model = schema.model_named(model).unwrap();
    let relation = model.relations.iter().find(|other| other.name == relation).unwrap();
    let found = schema.association(model, relation);
    let (with, targets) = (found.associated_with.join(","), found.target_names.join(","));
    format!("{:?} {with} -> {targets}", found.kind)
}

#[test]
fn associations_are_as_datastore_wants_them() {
    let schema = read_ok(
        "type Post @model { comments: [Comment] @hasMany notes: [Note] @hasMany }
         type Comment @model { post: Post @belongsTo }
         type Note @model { text: String }
         type Project @model { team: Team @hasOne }
         type Team @model { project: Project @belongsTo }",
    );
    assert_eq!(association(&schema, "Post", "comments"), "HasMany post -> ");
    assert_eq!(association(&schema, "Post", "notes"), "HasMany postNotesId -> ");
    assert_eq!(association(&schema, "Comment", "post"), "BelongsTo  -> postCommentsId");
    assert_eq!(association(&schema, "Project", "team"), "HasOne id -> projectTeamId");
    assert_eq!(association(&schema, "Team", "project"), "BelongsTo  -> teamProjectId");
}

#[test]
fn a_has_many_says_how_many_it_shows() {
    let api = parse_api(
        "type A @model { bs: [B] @hasMany(limit: 7) cs: [B] @hasMany } type B @model { n: Int }",
        "s.graphql",
    );
    let api = api.unwrap();
    let id = api.schema.id_of("A").unwrap();
    assert_eq!(api.model(id).limits, [("bs".to_owned(), 7)]);
    for limit in ["0", "-1", "1.5", "\"7\"", "5000000000"] {
        refused(
            &format!(
                "type A @model {{ bs: [B] @hasMany(limit: {limit}) }} type B @model {{ n: Int }}"
            ),
            "s.graphql:1:25: @hasMany: `limit` should be a whole number from 1",
        );
    }
}

const GEN2: &str = "
type Store @model {
  items: [Item] @hasMany(references: [\"storeId\"])
  card: Card @hasOne(references: [\"storeId\"])
}
type Item @model {
  storeId: ID
  store: Store @belongsTo(references: [\"storeId\"], overrideIndexName: \"byStore\")
}
type Card @model { storeId: ID! store: Store @belongsTo(references: \"storeId\") }";

#[test]
fn references_name_the_key_on_the_side_that_belongs() {
    let schema = read_ok(GEN2);
    assert_eq!(names(schema.model_named("Item").unwrap())[..2], ["id", "storeId"]);
    assert_eq!(foreign_key(&schema, "Store", "items"), ["storeId"]);
    assert_eq!(foreign_key(&schema, "Store", "card"), ["storeId"]);
    assert_eq!(association(&schema, "Store", "items"), "HasMany store -> ");
    assert_eq!(association(&schema, "Store", "card"), "HasOneByReference store -> ");
    assert_eq!(association(&schema, "Card", "store"), "BelongsTo  -> storeId");
    assert_eq!(schema.model_named("Item").unwrap().indexes[0].name, "byStore");
    assert_eq!(schema.model_named("Card").unwrap().indexes[0].name, "gsi-Store.card");
}

#[test]
fn references_agree_on_both_sides() {
    let check = |from: &str, to: &str, expected: &[&str]| {
        let source = GEN2.replace(from, to);
        assert_ne!(source, GEN2);
        refused(&source, &expected.join("\n"));
    };
    check(
        "  store: Store @belongsTo(references: [\"storeId\"], overrideIndexName: \"byStore\")\n",
        "",
        &["s.graphql:3:17: the relation `Store.items` needs a @belongsTo in `Item` with the \
           `references` storeId"],
    );
    check(
        "  card: Card @hasOne(references: [\"storeId\"])\n",
        "",
        &["s.graphql:9:46: the relation `Card.store` needs a @hasMany or @hasOne in `Store` with \
           the `references` storeId"],
    );
    check(
        "card: Card @",
        "card: Card! @",
        &["s.graphql:4:15: the relation `Store.card` should not be required (`!`): what it leads \
           to may be gone"],
    );
    check(
        "storeId: ID!",
        "storeId: Int!",
        &[
            "s.graphql:4:14: the relation `Store.card` has a foreign key `storeId` of another type than `id`",
            "s.graphql:10:47: the relation `Card.store` has a foreign key `storeId` of another type than `id`",
        ],
    );
    refused(
        "type A @model { a: ID @primaryKey(sortKeyFields: [\"b\"]) b: ID c: [C] @hasMany(references: [\"x\", \"y\"]) }
         type C @model { x: ID y: ID! a: A @belongsTo(references: [\"x\", \"y\"]) }",
        "s.graphql:1:70: the relation `A.c` needs (x, y) to be all required or all optional\n\
         s.graphql:2:44: the relation `C.a` needs (x, y) to be all required or all optional",
    );
}

const TAGS: &str = "
type Post @model @auth(rules: [{ allow: owner }]) {
  id: ID! @primaryKey(sortKeyFields: [\"title\"])
  title: String!
  tags: [Tag] @manyToMany(relationName: \"postTags\", limit: 9)
}
type Tag @model @auth(rules: [{ allow: private, operations: [read] }]) {
  label: String! @primaryKey
  posts: [Post] @manyToMany(relationName: \"postTags\")
}";

#[test]
fn many_to_many_makes_a_model_between_the_two() {
    let api = parse_api(TAGS, "s.graphql").unwrap_or_else(|error| panic!("{error}"));
    let schema = &api.schema;
    let id = schema.id_of("PostTags").unwrap();
    let join = schema.model(id);
    let expected = ["id", "postId", "posttitle", "tagLabel", "createdAt", "updatedAt", "owner"];
    assert_eq!(names(join), expected);
    assert!(join.fields[..6].iter().all(|field| field.is_required));
    assert_eq!(join.plural, "PostTags");
    let indexes = join
        .indexes
        .iter()
        .map(|index| (index.name.as_str(), index.fields.len(), index.query_field.as_deref()));
    let expected = [
        ("byPost", 2, Some("postTagsByPostIdAndPosttitle")),
        ("byTag", 1, Some("postTagsByTagLabel")),
    ];
    assert_eq!(indexes.collect::<Vec<_>>(), expected);
    assert_eq!(foreign_key(schema, "Post", "tags"), ["postId", "posttitle"]);
    assert_eq!(foreign_key(schema, "Tag", "posts"), ["tagLabel"]);
    assert_eq!(association(schema, "Post", "tags"), "HasMany post -> ");
    assert_eq!(association(schema, "PostTags", "tag"), "BelongsTo  -> tagLabel");
    assert!(join.relations.iter().all(|relation| relation.kind == RelationKind::BelongsTo));
    let rules = &api.model(id).access.model;
    assert!(matches!(rules[0].allow, Allow::Owner { .. }) && rules[1].actions == Action::READ);
    assert_eq!(api.model(schema.id_of("Post").unwrap()).limits, [("tags".to_owned(), 9)]);
}

#[test]
fn a_many_to_many_has_two_ends() {
    let check = |from: &str, to: &str, expected: &str| {
        refused(&TAGS.replace(from, to), expected);
    };
    check(
        "posts: [Post] @manyToMany(relationName: \"postTags\")",
        "n: Int",
        "s.graphql:5:15: the relation `Post.tags` is one of 1 with the `relationName` \
         \"PostTags\", which should be on two fields: one in each model",
    );
    check(
        "posts: [Post] @manyToMany(relationName: \"postTags\")",
        "posts: [Tag] @manyToMany(relationName: \"postTags\")",
        "s.graphql:9:16: the relation `Tag.posts` should be of type [Post], where the relation's \
         other end is",
    );
    check(
        "(relationName: \"postTags\")",
        "",
        "s.graphql:9:17: @manyToMany: needs `relationName`, the same on both sides",
    );
    check("[Tag] @", "Tag @", "s.graphql:5:13: @manyToMany: the field should be a list");
    refused(
        &format!("{TAGS} type PostTags @model {{ n: Int }}"),
        "s.graphql:5:15: `PostTags` is declared twice",
    );
    refused(
        "type A @model { x: [A] @manyToMany(relationName: \"R\") y: [A] @manyToMany(relationName: \"R\") }",
        "s.graphql:1:62: the relation `A.y` joins a model with itself; write a model for it, with \
         two @belongsTo",
    );
}

#[test]
fn arguments_that_do_not_go_together_are_refused() {
    let check = |directive: &str, expected: &str| {
        let source = format!(
            "type A @model {{ bs: [B] @hasMany b: B @{directive} }} type B @model {{ n: Int a: A @belongsTo(fields: [\"n\"]) }}"
        );
        let error = crate::sdl::parse(&source, "s.graphql").unwrap_err().to_string();
        let first = error.lines().next().unwrap();
        assert_eq!(first, format!("s.graphql:1:39: @{expected}"), "{directive}");
    };
    check(
        "hasOne(fields: [\"n\"], references: [\"n\"])",
        "hasOne: `fields` and `references` exclude each other",
    );
    check(
        "belongsTo(overrideIndexName: \"x\")",
        "belongsTo: `overrideIndexName` needs the fields of the foreign key too",
    );
    check(
        "belongsTo(fields: [\"n\"], overrideIndexName: \"x\")",
        "belongsTo: `overrideIndexName` goes with `references`",
    );
    check(
        "hasOne(limit: 3)",
        "hasOne: there is no argument `limit`; it takes `fields`, `references`",
    );
    check("hasMany", "hasMany: the field should be a list");
    let source = "type A @model { b: B @hasOne @belongsTo } type B @model { n: Int }";
    refused(source, "s.graphql:1:30: @belongsTo: a field is one relation");
}
