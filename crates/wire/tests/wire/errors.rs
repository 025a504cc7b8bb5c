use espressync_model::remote::{RemoteError, RemoteErrorKind};
use espressync_model::{Meta, Record, Row, Timestamp, Value};
use espressync_wire::error::{base_extension, envelope, http_body, request_error, stored_to_json};
use serde_json::{Value as Json, json};

use crate::golden;
use crate::schema::{ORDER, schema};

#[test]
fn errors_are_appsyncs() {
    let values = vec!["o1".into(), 2.0.into(), "2026".into(), Value::from("2026-05-01T00:00Z")];
    let meta = Meta { version: 4, changed_at: Timestamp(9), deleted: false };
    let stored = Record { row: Row::new(values), meta };
    let conflict =
        RemoteError::new(RemoteErrorKind::Conflict, "Conflict resolver rejects mutation.")
            .with_stored(stored);
    let data = stored_to_json(&schema(), ORDER, &conflict);
    let busy = RemoteError::new(RemoteErrorKind::Unavailable, "the database is busy");
    let refused = RemoteError::new(RemoteErrorKind::Unauthenticated, "You are not authorized.");
    golden::check(
        "errors",
        &json!({
            "a conflict": envelope(&conflict, &["updateOrder"], Some((1, 44)), &data),
            "one that passes": envelope(&busy, &["m0"], None, &Json::Null),
            "a refused document": request_error("Unknown field `cost` on type `Order`"),
            "bad credentials": http_body(&refused),
            "read from the whole table": base_extension(&["syncOrders".into()]),
        }),
    );
}
