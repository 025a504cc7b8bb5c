use espressync_model::{FieldId, Meta, ModelId, Patch, Record, Row, Timestamp, Value};
use espressync_wire::json::{
    patch_from_json, patch_to_json, record_from_json, record_to_json, version_from_json,
};
use serde_json::{Value as Json, json};

use crate::schema::{ORDER, SHOP, schema};

fn shop_json() -> Json {
    json!({
        "code": "berlin",
        "number": 12,
        "address": { "street": "Oranienstr.", "at": { "lat": 52, "sizes": ["SMALL"] } },
        "tags": ["hot", null],
        "size": "LARGE",
        "isOpen": true,
        "since": -5,
        "notes": "{\"a\":1}",
        "_version": 4,
        "_lastChangedAt": 1_700,
        "_deleted": null,
    })
}

fn shop() -> Record {
    let at = Value::Object([52.0.into(), Value::from(vec!["SMALL"])].into());
    let values = vec![
        "berlin".into(),
        12.into(),
        Value::Object(["Oranienstr.".into(), at].into()),
        Value::List(["hot".into(), Value::Null].into()),
        "LARGE".into(),
        true.into(),
        Value::from(-5),
        "{\"a\":1}".into(),
    ];
    let meta = Meta { version: 4, changed_at: Timestamp(1_700), deleted: false };
    Record { row: Row::new(values), meta }
}

#[test]
fn a_record_has_every_field_and_its_bookkeeping() {
    assert_eq!(record_from_json(&schema(), SHOP, &shop_json()).unwrap(), shop());
    let mut expected = shop_json();
    expected["address"]["at"]["lat"] = json!(52.0);
    assert_eq!(record_to_json(&schema(), SHOP, &shop()), expected);
}

#[test]
fn what_a_newer_server_adds_is_passed_over() {
    let mut json = shop_json();
    json["__typename"] = json!("Shop");
    json["address"]["zip"] = json!(10999);
    assert_eq!(record_from_json(&schema(), SHOP, &json).unwrap(), shop());
}

#[test]
fn a_tombstone_needs_only_its_key() {
    let json = json!({ "id": "o1", "_version": 2, "_lastChangedAt": 5, "_deleted": true });
    let record = record_from_json(&schema(), ORDER, &json).unwrap();
    assert!(record.meta.deleted);
    assert!(record.row.get(FieldId(2)).is_null());
    assert_eq!(record_to_json(&schema(), ORDER, &record)["_deleted"], json!(true));
}

fn check_record(path: &str, value: Json, expected: &str) {
    let mut json = shop_json();
    *json.pointer_mut(path).unwrap() = value;
    let error = record_from_json(&schema(), SHOP, &json).unwrap_err();
    assert_eq!(error.to_string(), expected, "{path}");
}

#[test]
fn bad_records_are_named() {
    let check = check_record;
    check("/number", json!("12"), "Shop.number should be Int, found \"12\"");
    check("/number", json!(2_147_483_648_i64), "Shop.number should be Int, found 2147483648");
    check("/number", json!(1.5), "Shop.number should be Int, found 1.5");
    check("/number", Json::Null, "the server sent null for Shop.number, which the schema requires");
    check("/address", json!("x"), "Shop.address should be Address, found \"x\"");
    check("/address/street", Json::Null, "Address.street should be String, found null");
    check("/address/at/lat", json!("x"), "Point.lat should be Float, found \"x\"");
    check("/address/at/sizes", json!([null]), "Point.sizes should be [Size], found a list of 1");
    check("/address/at/sizes/0", json!("HUGE"), "Point.sizes should be [Size], found \"HUGE\"");
    check("/tags", json!("hot"), "Shop.tags should be [String], found \"hot\"");
    check("/isOpen", json!("true"), "Shop.isOpen should be Boolean, found \"true\"");
    check("/notes", json!({ "a": 1 }), "Shop.notes should be AWSJSON, found an object");
    check("/_version", Json::Null, "Shop._version should be a version from 1, found null");
    check("/_version", json!(0), "Shop._version should be a version from 1, found 0");
    check("/_lastChangedAt", json!("x"), "Shop._lastChangedAt should be milliseconds, found \"x\"");
    check("/_deleted", json!(1), "Shop._deleted should be true, false or null, found 1");
    check("", json!([]), "a Shop should be an object, found a list of 0");
}

fn check_patch(model: ModelId, json: Json, expected: Result<Patch, &str>) {
    let found = patch_from_json(&schema(), model, &json).map_err(|error| error.to_string());
    assert_eq!(found, expected.map_err(ToOwned::to_owned), "{json}");
}

#[test]
fn inputs_are_read_and_refused_by_name() {
    let patch = |fields: &[(u16, Value)]| -> Patch {
        fields.iter().map(|(field, value)| (FieldId(*field), value.clone())).collect()
    };
    let json = json!({ "id": 7, "total": 3, "createdAt": null, "_version": 2 });
    assert_eq!(version_from_json(&json).unwrap(), Some(2));
    let expected = patch(&[(0, "7".into()), (1, 3.0.into()), (2, Value::Null)]);
    check_patch(ORDER, json, Ok(expected));
    let unknown = "`Order` has no field `cost`; it has id, total, createdAt, updatedAt";
    check_patch(ORDER, json!({ "cost": 1 }), Err(unknown));
    let unknown = "`Order` has no field `_deleted`; it has id, total, createdAt, updatedAt";
    check_patch(ORDER, json!({ "_deleted": true }), Err(unknown));
    let unknown = "`Address` has no field `zip`; it has street, at";
    check_patch(SHOP, json!({ "address": { "street": "x", "zip": 1 } }), Err(unknown));
    check_patch(ORDER, json!(3), Err("the input of a Order should be an object, found 3"));
    assert_eq!(version_from_json(&json!({})).unwrap(), None);
    let last = version_from_json(&json!({ "_version": i32::MAX }));
    assert_eq!(last.unwrap(), Some(2_147_483_647));
    for wrong in [json!(-1), json!(2_147_483_648_u64), json!(9_223_372_036_854_775_806_u64)] {
        let error = version_from_json(&json!({ "_version": wrong })).unwrap_err();
        let expected = "_version should be a whole number from 0 to 2147483647, found";
        assert_eq!(error.to_string(), format!("{expected} {wrong}"));
    }
}

#[test]
fn what_only_the_server_writes_is_never_sent() {
    let fields = [(FieldId(1), Value::Null), (FieldId(3), Value::from("2026-05-01T00:00Z"))];
    let json = patch_to_json(&schema(), ORDER, &fields.into_iter().collect());
    assert_eq!(Json::Object(json), json!({ "total": null }));
}
