mod access;
mod keys;
mod offers;
mod relations;
mod v1;

use super::*;
use crate::{BaseType, FieldId, Model, RelationKind, Value};

const POS: &str = include_str!("../../../../src/schema.graphql");

fn read_ok(source: &str) -> Schema {
    parse(source, "schema.graphql").unwrap_or_else(|error| panic!("{error}"))
}

fn names(model: &Model) -> Vec<&str> {
    model.fields.iter().map(|field| field.name.as_str()).collect()
}

fn foreign_key<'a>(schema: &'a Schema, model: &str, relation: &str) -> Vec<&'a str> {
    let model = schema.model_named(model).unwrap();
    let relation = model.relations.iter().find(|other| other.name == relation).unwrap();
    let holder = match relation.kind {
        RelationKind::HasMany | RelationKind::HasOneByReference => schema.model(relation.target),
        RelationKind::HasOne | RelationKind::BelongsTo => model,
    };
    relation.fields.iter().map(|field| holder.at(*field).name.as_str()).collect()
}

/// Checks that a schema is refused with this place and this message.
fn refused(source: &str, expected: &str) {
    let error = parse(source, "s.graphql").expect_err(source).to_string();
    assert_eq!(error, expected, "for {source}");
}

#[test]
fn the_point_of_sale_schema() {
    let schema = read_ok(POS);
    let order = schema.model_named("Order").unwrap();
    assert_eq!(order.plural, "Orders");
    assert_eq!(names(order), ["id", "total", "subtotal", "tax", "createdAt", "updatedAt"]);
    // The app writes its own createdAt, the server every updatedAt.
    assert_eq!(order.fields.iter().map(|f| f.is_read_only).collect::<Vec<_>>()[4..], [false, true]);
    assert_eq!(foreign_key(&schema, "Order", "lineItems"), ["lineItemOrderId"]);
    assert_eq!(foreign_key(&schema, "LineItem", "order"), ["lineItemOrderId"]);
    assert_eq!(foreign_key(&schema, "LineItem", "product"), ["lineItemProductId"]);
    let item = schema.model_named("LineItem").unwrap();
    assert_eq!(item.indexes[0].name, "gsi-OrderLineItems");
    assert_eq!(item.indexes[0].query_field.as_deref(), Some("lineItemsByLineItemOrderId"));
}

#[test]
fn implicit_foreign_keys_have_amplifys_names() {
    let schema = read_ok(
        "type Post @model { title: String! comments: [Comment] @hasMany }
         type Comment @model { text: String post: Post! @belongsTo }
         type Project @model { name: String team: Team @hasOne }
         type Team @model { name: String project: Project @belongsTo }",
    );
    let comment = schema.model_named("Comment").unwrap();
    let expected = ["id", "text", "createdAt", "updatedAt", "postCommentsId"];
    assert_eq!(names(comment), expected);
    assert_eq!(comment.indexes[0].name, "gsi-Post.comments");
    assert_eq!(comment.indexes[0].fields, [FieldId(4)]);
    assert_eq!(foreign_key(&schema, "Comment", "post"), ["postCommentsId"]);
    assert_eq!(foreign_key(&schema, "Project", "team"), ["projectTeamId"]);
    assert_eq!(foreign_key(&schema, "Team", "project"), ["teamProjectId"]);
}

#[test]
fn composite_keys_make_composite_foreign_keys() {
    let schema = read_ok(
        "type Post @model {
           id: ID! @primaryKey(sortKeyFields: [\"title\"])
           title: String!
           comments: [Comment] @hasMany
         }
         type Comment @model { text: String }",
    );
    let post = schema.model_named("Post").unwrap();
    assert_eq!(post.key, [FieldId(0), FieldId(1)]);
    let expected = ["postCommentsId", "postCommentsTitle"];
    assert_eq!(foreign_key(&schema, "Post", "comments"), expected);
}

#[test]
fn enums_embedded_types_lists_and_defaults() {
    let schema = read_ok(
        "enum Size { SMALL LARGE }
         type Address { street: String! tags: [String!] }
         type Shop @model @auth(rules: [{ allow: public }]) {
           size: Size @default(value: \"SMALL\")
           address: Address
           seats: Int! @default(value: \"12\")
           names: [String!]!
         }",
    );
    let shop = schema.model_named("Shop").unwrap();
    assert_eq!(shop.fields[1].default, Some(Value::from("SMALL")));
    assert_eq!(shop.fields[2].base, BaseType::Object(ObjectId(0)));
    assert_eq!(shop.fields[3].default, Some(Value::from(12)));
    let list = &shop.fields[4];
    assert!(list.is_list && list.is_element_required && list.is_required);
}

#[test]
fn plurals_follow_npm_pluralize() {
    for (one, many) in [("Person", "People"), ("Category", "Categories"), ("LineItem", "LineItems")]
    {
        assert_eq!(plural(one), many);
    }
}

#[test]
fn mistakes_are_named_with_their_place() {
    refused("type", "s.graphql:1:5: this is no GraphQL: expected name");
    refused(
        "type A { x: String }",
        "s.graphql:1:1: no type has @model, so there is nothing to store",
    );
    refused("type A @model { x: Strin }", "s.graphql:1:20: there is no type `Strin`");
    refused("type A @modle { x: String }", "s.graphql:1:8: there is no directive `@modle`");
    refused("type A @model {\n x: Int\n x: Int }", "s.graphql:3:2: `x` is declared twice");
    refused("type A @model { x: Int } enum A { B }", "s.graphql:1:31: `A` is declared twice");
    refused(
        "type A @model { _version: Int }",
        "s.graphql:1:17: the name `_version` belongs to the API; choose another",
    );
    refused(
        "type A @model { n: Int @default(value: \"x\") }",
        "s.graphql:1:24: @default: \"x\" is no value of `n`",
    );
    refused(
        "type A @model { b: B } type B @model { n: Int }",
        "s.graphql:1:17: `A.b` is of a @model type: add @hasOne, @hasMany or @belongsTo",
    );
    refused(
        "type A @model { n: ID @index(sortKeyFields: [\"m\"]) }",
        "s.graphql:1:23: @index names the field `m`, which there is not",
    );
    refused(
        "type A @model { b: B @belongsTo } type B @model { n: Int }",
        "s.graphql:1:22: the relation `A.b` needs a @hasMany or @hasOne back, or `fields`",
    );
    refused(
        "type A @model { bId: Int b: B @hasOne(fields: [\"bId\"]) } type B @model { n: Int }",
        "s.graphql:1:31: the relation `A.b` has a foreign key `bId` of another type than `id`",
    );
}

#[test]
fn what_is_not_carried_out_is_refused_with_what_to_do() {
    let check = |directive: &str, instead: &str| {
        let source = format!("type A @model @{directive} {{ x: Int }}");
        let name = directive.split('(').next().unwrap();
        refused(&source, &format!("s.graphql:1:15: @{name} is not supported; {instead}"));
    };
    check("versioned", "leave it out: every record has a `_version`, which an update names");
    check("searchable", "leave it out; an @index has a query, and a list has a filter");
    check("aws_api_key", "write `@auth(rules: [{ allow: public }])` on the model");
    check(
        "aws_cognito_user_pools(cognito_groups: [\"G\"])",
        "write `@auth(rules: [{ allow: private }])` on the model",
    );
    for directive in ["function", "http", "predictions"] {
        let source = format!("type A @model {{ x: Int @{directive}(name: \"f\") }}");
        let error = parse(&source, "s.graphql").unwrap_err().to_string();
        let expected = format!("s.graphql:1:24: @{directive} is not supported; call the ");
        assert!(error.starts_with(&expected), "{error}");
    }
    let model = "type A @model { x: Int }";
    let own = "s.graphql:1:6: an own `type Query` is not supported; leave it out: the operations \
               come from the types with @model";
    refused(&format!("type Query {{ x: Int }} {model}"), own);
    let union = "s.graphql:1:1: a union is not supported; use object types";
    refused(&format!("union U = A {model}"), union);
}

#[test]
fn one_run_tells_of_all_that_is_wrong() {
    refused(
        "type A @model {\n  x: Itn\n  y: Int @modle\n}\ntype B @model @auth { z: [[Int]] }\ninput I { x: Int }",
        "s.graphql:2:6: there is no type `Itn`\n\
         s.graphql:3:10: there is no directive `@modle`\n\
         s.graphql:5:15: @auth: needs `rules`, such as `rules: [{ allow: owner }]`\n\
         s.graphql:5:26: a list of lists is not supported; use AWSJSON\n\
         s.graphql:6:1: an input type is not supported; leave it out",
    );
}

#[cfg(feature = "report")]
#[test]
fn a_report_shows_the_line_and_the_place() {
    let source = "type Café @model {\n  bar: Strin\n}";
    let ascii = source.replace('é', "e") + "\nunion U = Cafe";
    let report = parse(&ascii, "shop.graphql").unwrap_err().report();
    let expected = "\
error: there is no type `Strin`
  ┌─ shop.graphql:2:8
  │
2 │   bar: Strin
  │        ^^^^^

error: a union is not supported
  ┌─ shop.graphql:4:1
  │
4 │ union U = Cafe
  │ ^^^^^
  │
  = help: use object types";
    assert_eq!(report, expected);
    assert!(parse(source, "s").unwrap_err().report().contains("this is no GraphQL"));
    assert!(parse("type A { x: Int }", "s").unwrap_err().report().contains("no type has @model"));
}
