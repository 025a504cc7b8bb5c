//! The schemas of the first transformers.

use super::{foreign_key, names, read_ok, refused};
use crate::sdl::{parse, parse_api};
use crate::{ApiSchema, RelationKind};

/// The point of sale as it was published in 2020 (contract 1.7).
const POS: &str = include_str!("../../../tests/golden/point_of_sale_v1.graphql");

fn read(source: &str) -> ApiSchema {
    parse_api(source, "s.graphql").unwrap_or_else(|error| panic!("{error}"))
}

fn input_only(api: &ApiSchema, model: &str) -> Vec<String> {
    let id = api.schema.id_of(model).unwrap();
    let fields = api.model(id).input_only.iter();
    fields.map(|field| api.schema.model(id).at(*field).name.clone()).collect()
}

fn kind(api: &ApiSchema, model: &str, relation: &str) -> RelationKind {
    let model = api.schema.model_named(model).unwrap();
    model.relations.iter().find(|other| other.name == relation).unwrap().kind
}

#[test]
fn the_first_point_of_sale() {
    let api = read(POS);
    let schema = &api.schema;
    let plurals: Vec<&str> = schema.models().map(|(_, model)| model.plural.as_str()).collect();
    assert_eq!(plurals, ["Orders", "LineItems", "Products"]);
    let order = ["id", "total", "subtotal", "tax", "createdAt", "updatedAt"];
    assert_eq!(names(schema.model_named("Order").unwrap()), order);
    let item = schema.model_named("LineItem").unwrap();
    let keys = ["lineItemOrderId", "lineItemProductId"];
    assert_eq!(names(item)[names(item).len() - 2..], keys);
    assert_eq!(input_only(&api, "LineItem"), keys);
    assert!(item.fields[item.fields.len() - 2..].iter().all(|field| !field.is_required));
    assert_eq!(item.indexes[0].name, "gsi-OrderLineItems");
    assert_eq!((item.indexes.len(), &item.indexes[0].query_field), (1, &None));
    assert_eq!(foreign_key(schema, "Order", "lineItems"), ["lineItemOrderId"]);
    assert_eq!(foreign_key(schema, "LineItem", "order"), ["lineItemOrderId"]);
    assert_eq!(foreign_key(schema, "LineItem", "product"), ["lineItemProductId"]);
    assert_eq!(kind(&api, "Order", "lineItems"), RelationKind::HasMany);
    assert_eq!(kind(&api, "LineItem", "order"), RelationKind::BelongsTo);
    assert_eq!(kind(&api, "LineItem", "product"), RelationKind::BelongsTo);
    let relation = &schema.model_named("Order").unwrap().relations[0];
    let association = schema.association(schema.model_named("Order").unwrap(), relation);
    assert_eq!(association.associated_with, ["order"]);
}

#[test]
fn both_generations_store_the_point_of_sale_alike() {
    let stored = |schema: &crate::Schema, model: &str| {
        let mut fields = schema.model_named(model).unwrap().fields.clone();
        fields.sort_by(|one, other| one.name.cmp(&other.name));
        fields.into_iter().map(|field| (field.name, field.base)).collect::<Vec<_>>()
    };
    let (first, second) = (read(POS).schema, read_ok(super::POS));
    for model in ["Order", "LineItem", "Product"] {
        assert_eq!(stored(&first, model), stored(&second, model));
    }
}

#[test]
fn a_list_alone_puts_its_key_on_the_other_side() {
    let api = read(
        "type Post @model { comments: [Comment] @connection(limit: 50) }
         type Comment @model { text: String }",
    );
    assert_eq!(foreign_key(&api.schema, "Post", "comments"), ["postCommentsId"]);
    assert_eq!(input_only(&api, "Comment"), ["postCommentsId"]);
    assert_eq!(api.schema.model_named("Comment").unwrap().indexes[0].name, "gsi-Post.comments");
    assert_eq!(api.model(api.schema.id_of("Post").unwrap()).limits, [("comments".to_owned(), 50)]);
}

#[test]
fn key_and_sort_fields_have_names_of_their_own() {
    let api = read(
        "type Post @model { comments: [Comment] @connection(name: \"PC\", keyField: \"postId\", sortField: \"at\") }
         type Comment @model { at: String post: Post! @connection(name: \"PC\", keyField: \"postId\", sortField: \"at\") }",
    );
    let comment = api.schema.model_named("Comment").unwrap();
    assert_eq!(foreign_key(&api.schema, "Comment", "post"), ["postId"]);
    assert_eq!(foreign_key(&api.schema, "Post", "comments"), ["postId"]);
    assert!(comment.at(comment.field_named("postId").unwrap()).is_required);
    let index: Vec<&str> =
        comment.indexes[0].fields.iter().map(|id| comment.at(*id).name.as_str()).collect();
    assert_eq!((comment.indexes[0].name.as_str(), index), ("gsi-PC", vec!["postId", "at"]));
    assert_eq!(input_only(&api, "Comment"), ["postId"]);
}

#[test]
fn fields_name_a_key_that_is_declared() {
    let api = read(
        "type Post @model { id: ID! comments: [Comment] @connection(keyName: \"byPost\", fields: [\"id\"]) }
         type Comment @model @key(name: \"byPost\", fields: [\"postID\", \"text\"], queryField: \"ofPost\") {
           postID: ID! text: String post: Post @connection(fields: [\"postID\"])
         }",
    );
    assert_eq!(foreign_key(&api.schema, "Post", "comments"), ["postID"]);
    assert_eq!(foreign_key(&api.schema, "Comment", "post"), ["postID"]);
    assert_eq!(kind(&api, "Comment", "post"), RelationKind::BelongsTo);
    assert_eq!(input_only(&api, "Comment"), [""; 0]);
    let api = read(
        "type Project @model { teamID: ID! team: Team @connection(fields: [\"teamID\"]) }
         type Team @model { name: String }",
    );
    assert_eq!(kind(&api, "Project", "team"), RelationKind::BelongsTo);
}

#[test]
fn of_two_that_hold_one_the_required_side_belongs() {
    let source = |mark: &str| {
        format!(
            "type A @model {{ b: B @connection(name: \"AB\") }}
             type B @model {{ a: A{mark} @connection(name: \"AB\") }}"
        )
    };
    let api = read(&source("!"));
    assert_eq!(kind(&api, "A", "b"), RelationKind::HasOne);
    assert_eq!(kind(&api, "B", "a"), RelationKind::BelongsTo);
    assert_eq!(foreign_key(&api.schema, "A", "b"), ["aBId"]);
    assert_eq!(foreign_key(&api.schema, "B", "a"), ["bAId"]);
    let error = parse(&source(""), "s.graphql").unwrap_err().to_string();
    assert!(
        error.contains("`A.b` and `B.a` lead to each other; make one of them required"),
        "{error}"
    );
}

#[test]
fn connections_that_cannot_be_are_refused() {
    let check = |one: &str, other: &str, expected: &str| {
        let source = format!("type A @model {{ n: Int {one} }} type B @model {{ m: Int {other} }}");
        let error = parse(&source, "s.graphql").expect_err(&source).to_string();
        assert_eq!(error.lines().next().unwrap(), format!("s.graphql:1:{expected}"), "{source}");
    };
    check(
        "b: [B] @connection(name: \"x\")",
        "a: [A] @connection(name: \"x\")",
        "31: the relation `A.b` is many-to-many; use @manyToMany on both sides",
    );
    check("b: B @connection(keyName: \"x\")", "", "29: @connection: `keyName` goes with `fields`");
    check(
        "b: B @connection(fields: [\"n\"], name: \"x\")",
        "",
        "29: @connection: `fields` excludes `name`, `keyField` and `sortField`, which make a key",
    );
    check(
        "b: B @connection(fields: [\"n\"], keyName: \"x\")",
        "",
        "29: the relation `A.b` holds one record, which needs no `keyName`",
    );
    check(
        "b: B @connection(sortField: \"n\")",
        "",
        "29: the relation `A.b` holds one record, which needs no `sortField`",
    );
    check(
        "b: [B] @connection(sortField: \"at\")",
        "",
        "31: the relation `A.b` names the `sortField` `at`, which there is not",
    );
    refused(
        "type A @model { b: B @connection } type B @model @key(fields: [\"x\", \"y\"]) { x: ID y: ID }",
        "s.graphql:1:22: the relation `A.b` needs `fields`, as the key of `B` has several",
    );
}
