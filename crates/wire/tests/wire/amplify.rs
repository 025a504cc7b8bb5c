//! Rows of Amplify's database, of the shape in which its version 6 writes them.

use espressync_model::remote::Operation;
use espressync_model::{
    Field, FieldId, Key, Meta, Model, ModelId, Operator, Predicate, RelationKind, Scalar, Schema,
    Timestamp, Value,
};
use espressync_wire::amplify::{
    Metadata, Stores, event_from_amplify, metadata_from_amplify, read, row_from_amplify,
};
use serde_json::{Value as Json, json};

const PRODUCT: ModelId = ModelId(0);

fn schema() -> Schema {
    Schema::new(vec![
        Model::new("Product", "Products")
            .field(Field::new("id", Scalar::Id).required())
            .field(Field::new("name", Scalar::String).required())
            .field(Field::new("price", Scalar::Float))
            .field(Field::new("shelfId", Scalar::Id))
            .field(Field::new("createdAt", Scalar::AwsDateTime).required().read_only())
            .relation("shelf", RelationKind::BelongsTo, ModelId(1), vec![FieldId(3)]),
        Model::new("Shelf", "Shelves").field(Field::new("id", Scalar::Id).required()),
    ])
}

fn row() -> Json {
    json!({
        "id": "p1", "name": "Tea", "price": 2, "shelfId": null,
        "createdAt": "2026-01-01T00:00:00.000Z",
        "_version": 3, "_lastChangedAt": 1_700_000_000_000_i64, "_deleted": null,
    })
}

fn with(mut json: Json, members: Json) -> Json {
    for (name, value) in members.as_object().unwrap() {
        json[name] = value.clone();
    }
    json
}

fn event(operation: &str, data: &Json) -> Json {
    json!({
        "id": "01HZX", "model": "Product", "operation": operation, "modelId": "p1",
        "condition": "{}", "data": data.to_string(),
    })
}

#[test]
fn a_row_is_a_record() {
    let (record, unknown) = row_from_amplify(&schema(), PRODUCT, &row()).unwrap();
    let meta = Meta { version: 3, changed_at: Timestamp(1_700_000_000_000), deleted: false };
    assert_eq!((record.meta, unknown), (meta, Vec::new()));
    assert_eq!(record.row.values()[..3], ["p1".into(), "Tea".into(), Value::from(2.0)]);
    // Saved here and not yet sent: Amplify leaves out what only the server knows.
    let local = json!({ "id": "p2", "name": "Milk" });
    let (record, _) = row_from_amplify(&schema(), PRODUCT, &local).unwrap();
    assert_eq!(record.meta, Meta::default());
    assert_eq!(record.row.get(FieldId(4)), &Value::Null);
}

#[test]
fn what_the_schema_does_not_know_is_named() {
    let odd = with(row(), json!({ "colour": "red", "size": null, "shelf": { "id": "s" } }));
    let (_, unknown) = row_from_amplify(&schema(), PRODUCT, &odd).unwrap();
    assert_eq!(unknown, ["Product.colour"]);
}

#[test]
fn a_bad_row_is_refused_by_name() {
    let check = |members: Json, expected: &str| {
        let error = row_from_amplify(&schema(), PRODUCT, &with(row(), members)).unwrap_err();
        assert!(error.to_string().contains(expected), "{error}");
    };
    check(json!({ "name": null }), "Product.name");
    check(json!({ "price": "two" }), "Product.price");
    check(json!({ "id": "" }), "Product.id");
    check(json!({ "_version": -1 }), "_version");
}

#[test]
fn an_event_is_a_mutation() {
    let data = json!({
        "id": "p1", "price": 3.5, "colour": null, "createdAt": "2026-01-01T00:00:00.000Z",
        "_version": 2, "_lastChangedAt": 5, "_deleted": null,
    });
    let mutation = event_from_amplify(&schema(), &event("Update", &data)).unwrap();
    assert_eq!((mutation.model, &mutation.key), (PRODUCT, &Key::from("p1")));
    assert_eq!((mutation.operation, mutation.version), (Operation::Update, 2));
    let fields: Vec<_> = mutation.fields.iter().map(|(id, value)| (id.0, value.clone())).collect();
    assert_eq!(fields, [(0, "p1".into()), (2, Value::from(3.5))]);
    assert_eq!(mutation.condition, Predicate::All);
    let conditional =
        with(event("Update", &data), json!({ "condition": "{\"price\":{\"gt\":1}}" }));
    let mutation = event_from_amplify(&schema(), &conditional).unwrap();
    let condition = Predicate::Field(FieldId(2), Operator::Gt(Value::from(1.0)));
    assert_eq!(mutation.condition, condition);
}

#[test]
fn a_bad_event_is_refused_by_name() {
    let good = event("Create", &json!({ "id": "p1", "name": "Tea" }));
    let check = |members: Json, expected: &str| {
        let error = event_from_amplify(&schema(), &with(good.clone(), members)).unwrap_err();
        assert!(error.to_string().contains(expected), "{error}");
    };
    check(json!({ "model": "Gone" }), "Gone");
    check(json!({ "operation": "Upsert" }), "Product p1");
    check(json!({ "data": "{\"id\"" }), "the data of the queued change of Product p1 is not JSON");
    check(json!({ "data": "[]" }), "Product p1");
    check(json!({ "data": "{\"id\":\"p1\",\"colour\":\"red\"}" }), "colour");
    check(json!({ "data": "{\"name\":\"Tea\"}" }), "Product.id");
    check(json!({ "condition": "{" }), "the condition of the queued change");
    check(json!({ "data": null }), "`data`");
}

#[test]
fn a_cursor_stands_for_a_whole_sync_only() {
    let check = |members: Json, expected: Option<(i64, i64)>| {
        let metadata = json!({
            "id": "m", "namespace": "user", "model": "Product", "lastSync": 9,
            "lastFullSync": 5, "fullSyncInterval": 86_400_000, "lastSyncPredicate": null,
        });
        let expected = expected.map(|(last, full)| Metadata {
            model: PRODUCT,
            last_sync: Timestamp(last),
            last_full_sync: Timestamp(full),
        });
        let found = metadata_from_amplify(&schema(), &with(metadata, members.clone())).unwrap();
        assert_eq!(found, expected, "{members}");
    };
    check(json!({}), Some((9, 5)));
    check(json!({ "lastFullSync": null }), Some((9, 0)));
    check(json!({ "lastSync": null }), None);
    check(json!({ "lastSyncPredicate": "{\"price\":{\"gt\":1}}" }), None);
}

#[test]
fn what_cannot_be_read_is_named_beside_what_can() {
    let list = |rows: &[Json]| Json::from(rows).to_string();
    let stores = Stores {
        models: vec![
            ("Product".to_owned(), list(&[row(), with(row(), json!({ "price": "two" }))])),
            ("Gone".to_owned(), list(&[json!({ "id": "g" })])),
            ("Empty".to_owned(), "[]".to_owned()),
            ("Shelf".to_owned(), list(&[json!({ "id": "s", "colour": "red" })])),
        ],
        metadata: list(&[
            json!({ "model": "Product", "lastSync": 9 }),
            json!({ "model": "Shelf", "lastSync": 9 }),
            json!({ "model": "Gone", "lastSync": 9 }),
        ]),
        events: list(&[
            event("Update", &json!({ "id": "p1", "price": 3 })),
            with(event("Update", &json!({})), json!({ "data": "{" })),
            with(event("Delete", &json!({ "id": "g" })), json!({ "model": "Gone" })),
        ]),
    };
    let found = read(&schema(), &stores).unwrap();
    assert_eq!((found.records.len(), found.mutations.len()), (2, 1));
    assert_eq!(found.unknown.into_iter().collect::<Vec<_>>(), ["Gone", "Shelf.colour"]);
    assert_eq!(found.unreadable_rows.len(), 1);
    assert!(found.unreadable_rows[0].contains("Product.price"), "{:?}", found.unreadable_rows);
    let [json, model] = found.unreadable_changes.as_slice() else { panic!("two") };
    assert!(json.contains("Product p1 is not JSON"), "{json}");
    assert!(model.contains("Gone"), "{model}");
    // Of Product not all is here, so its next sync reads everything.
    let synced: Vec<_> = found.metadata.iter().map(|it| it.model).collect();
    assert_eq!(synced, [ModelId(1)]);
    let odd = Stores { events: "{}".to_owned(), ..Stores::default() };
    assert!(read(&schema(), &odd).unwrap_err().to_string().contains("the queue"));
}

#[test]
fn json_that_amplify_has_parsed_is_text_again() {
    let note = Model::new("Note", "Notes")
        .field(Field::new("id", Scalar::Id).required())
        .field(Field::new("body", Scalar::AwsJson));
    let check = |body: Json, expected: Value| {
        let row = json!({ "id": "n", "body": body });
        let schema = Schema::new(vec![note.clone()]);
        let (record, _) = row_from_amplify(&schema, ModelId(0), &row).unwrap();
        assert_eq!(record.row.get(FieldId(1)), &expected);
    };
    check(json!({ "a": [1] }), "{\"a\":[1]}".into());
    check(json!([1]), "[1]".into());
    check(json!(5), "5".into());
    check(json!("{\"a\":1}"), "{\"a\":1}".into());
    check(json!("plain"), "\"plain\"".into());
    check(Json::Null, Value::Null);
}
