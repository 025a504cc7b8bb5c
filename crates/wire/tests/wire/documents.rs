use espressync_model::remote::{Mutation, Operation, Request, SyncRequest};
use espressync_model::{
    FieldId, Key, Model, ModelId, Patch, Predicate, Row, Scalar, Timestamp, Value,
};
use espressync_wire::document::{Document, once_of};
use espressync_wire::json::is_plausible;
use serde_json::{Map, Value as Json, json};

use crate::golden;
use crate::schema::{LINE_ITEM, ORDER, SHOP, schema};

fn create_order() -> Mutation {
    let values =
        vec!["o1".into(), 4.5.into(), "2026-05-01".into(), Value::from("2026-05-01T00:00Z")];
    Mutation {
        model: ORDER,
        key: Key::from("o1"),
        operation: Operation::Create,
        fields: Patch::whole(&Row::new(values)),
        version: 0,
        condition: Predicate::All,
        once: None,
    }
}

fn update_line_item() -> Mutation {
    let fields = [(FieldId(1), Value::from(2)), (FieldId(2), Value::Null)];
    Mutation {
        model: LINE_ITEM,
        key: Key::from("l1"),
        operation: Operation::Update,
        fields: fields.into_iter().collect(),
        version: 3,
        condition: FieldId(1).lt(5),
        once: None,
    }
}

fn delete_shop(condition: Predicate) -> Mutation {
    Mutation {
        model: SHOP,
        key: shop_key(),
        operation: Operation::Delete,
        fields: Patch::default(),
        version: 7,
        condition,
        once: None,
    }
}

fn shop_key() -> Key {
    Key::of(&[Value::from("berlin"), Value::from(12)]).unwrap()
}

fn sync(last_sync: Option<Timestamp>, next_token: Option<&str>, filter: Predicate) -> Request {
    Request::Sync(SyncRequest {
        model: ORDER,
        last_sync,
        next_token: next_token.map(Into::into),
        limit: 1000,
        filter,
    })
}

#[test]
fn documents_are_amplifys() {
    let schema = schema();
    let requests = [
        ("sync from the beginning", sync(None, None, Predicate::All)),
        ("sync a page of changes", sync(Some(Timestamp(1_700)), Some("p2"), FieldId(1).gt(1.0))),
        ("get by one key", Request::Get(ORDER, Key::from("o1"))),
        ("get by two keys", Request::Get(SHOP, shop_key())),
        ("create", Request::Mutate(vec![create_order()])),
        ("update with a condition", Request::Mutate(vec![update_line_item()])),
        ("delete by two keys", Request::Mutate(vec![delete_shop(Predicate::All)])),
        (
            "three in one",
            Request::Mutate(vec![
                create_order(),
                update_line_item(),
                delete_shop(FieldId(5).eq(true).and(FieldId(1).eq(12))),
            ]),
        ),
        ("nothing to do", Request::Mutate(vec![])),
    ];
    let mut found: Map<String, Json> = requests
        .iter()
        .map(|(name, request)| ((*name).to_owned(), to_json(&Document::of(&schema, request))))
        .collect();
    for operation in [Operation::Create, Operation::Update, Operation::Delete] {
        let document = Document::subscription(&schema, SHOP, operation);
        found.insert(format!("subscribe to {operation:?}"), to_json(&document));
    }
    golden::check("documents", &Json::Object(found));
}

fn to_json(document: &Document) -> Json {
    json!({ "query": document.text, "variables": document.variables })
}

#[test]
fn the_body_is_query_and_variables() {
    let document = Document::of(&schema(), &Request::Get(ORDER, Key::from("o\"1")));
    let body: Json = serde_json::from_str(&document.body()).unwrap();
    assert_eq!(body, to_json(&document));
}

#[test]
fn a_name_that_begins_small_is_written_large() {
    let model = Model::new("todo", "todos")
        .field(espressync_model::Field::new("id", espressync_model::Scalar::Id).required());
    let schema = espressync_model::Schema::new(vec![model]);
    let document = Document::of(&schema, &Request::Get(ModelId(0), Key::from("1")));
    assert!(document.text.starts_with("query operation($id: ID!) { getTodo(id: $id) {"));
}

#[test]
fn a_mutation_that_must_not_count_twice_is_named_by_its_alias() {
    let named = Mutation { once: Some(0xBEEF), ..update_line_item() };
    let text = |mutations: Vec<Mutation>| Document::of(&schema(), &Request::Mutate(mutations)).text;
    let alias = "m0_once_000000000000beef: updateLineItem(";
    assert!(text(vec![named.clone()]).contains(alias));
    assert!(text(vec![named, create_order()]).contains(alias));
    let check =
        |alias: &str, expected: Option<u64>| assert_eq!(once_of(alias), expected, "{alias}");
    check("m0_once_000000000000beef", Some(0xBEEF));
    check("m12_once_ffffffffffffffff", Some(u64::MAX));
    for other in ["m0", "updateLineItem", "m0_once_beef", "m_once_000000000000beef", "once_1"] {
        check(other, None);
    }
}

#[test]
fn texts_of_formats_are_checked_before_they_are_sent() {
    let check = |scalar, text: &str, expected| {
        assert_eq!(is_plausible(scalar, text), expected, "{scalar:?} {text}");
    };
    for (text, expected) in [("{\"a\": [1]}", true), ("12", true), ("{a: 1}", false), ("", false)] {
        check(Scalar::AwsJson, text, expected);
    }
    check(Scalar::AwsDate, "2026-13-01", false);
    check(Scalar::String, "", true);
}
