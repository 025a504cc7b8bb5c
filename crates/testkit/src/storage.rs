//! The checks that every [`Storage`] passes, natively and in the browser.

use espressync_store::{Appended, Durability, LogPosition, LogRecord, Storage};

/// Runs every check on storages that `fresh` makes; each call gives an empty log of its own, in
/// two handles, as two tabs have.
///
/// # Panics
/// With what went wrong, when a check fails.
pub async fn conformance<S: Storage>(mut fresh: impl AsyncFnMut() -> (S, S)) {
    let (one, two) = fresh().await;
    appends_are_loaded_in_order(&one, &two).await;
    let (one, two) = fresh().await;
    who_is_behind_writes_nothing(&one, &two).await;
    let (one, two) = fresh().await;
    replacing_leaves_one_record(&one, &two).await;
    let (one, _) = fresh().await;
    bytes_come_back_as_they_were(&one).await;
}

async fn append<S: Storage>(storage: &S, last: LogPosition, bytes: &[u8]) -> LogPosition {
    match storage.append(last, bytes, Durability::Strict).await {
        Ok(Appended::At(position)) => position,
        other => panic!("an append after {last:?} came to {other:?}"),
    }
}

async fn load<S: Storage>(storage: &S, after: LogPosition) -> Vec<LogRecord> {
    match storage.load(after).await {
        Ok(records) => records,
        Err(error) => panic!("a load after {after:?} failed: {error}"),
    }
}

async fn appends_are_loaded_in_order<S: Storage>(one: &S, two: &S) {
    assert!(load(one, LogPosition::default()).await.is_empty(), "a fresh log has records");
    let first = append(one, LogPosition::default(), b"first").await;
    let second = append(one, first, b"second").await;
    assert!(first < second, "positions rise");
    let all = load(two, LogPosition::default()).await;
    let bytes: Vec<&[u8]> = all.iter().map(|record| record.bytes.as_slice()).collect();
    assert_eq!(bytes, [b"first".as_slice(), b"second"]);
    assert_eq!(load(two, first).await, all[1..], "a load begins after its position");
}

async fn who_is_behind_writes_nothing<S: Storage>(one: &S, two: &S) {
    let first = append(one, LogPosition::default(), b"one's").await;
    let refused = two.append(LogPosition::default(), b"two's", Durability::Relaxed).await;
    let missed = vec![LogRecord { position: first, bytes: b"one's".to_vec() }];
    assert_eq!(refused, Ok(Appended::Behind(missed)));
    assert_eq!(load(one, LogPosition::default()).await.len(), 1, "a refused append wrote");
    let second = append(two, first, b"two's").await;
    assert!(first < second);
}

async fn replacing_leaves_one_record<S: Storage>(one: &S, two: &S) {
    let first = append(one, LogPosition::default(), b"first").await;
    let second = append(one, first, b"second").await;
    let refused = two.replace(first, b"fresh").await;
    let missed = vec![LogRecord { position: second, bytes: b"second".to_vec() }];
    assert_eq!(refused, Ok(Appended::Behind(missed)), "who is behind replaces nothing");
    assert_eq!(load(one, LogPosition::default()).await.len(), 2, "a refused replacement deleted");
    let replaced = match one.replace(second, b"fresh").await {
        Ok(Appended::At(position)) => position,
        other => panic!("replacing the log came to {other:?}"),
    };
    assert!(replaced > second, "positions rise over a replacement");
    let fresh = LogRecord { position: replaced, bytes: b"fresh".to_vec() };
    assert_eq!(load(two, LogPosition::default()).await, std::slice::from_ref(&fresh));
    let late = two.append(second, b"late", Durability::Strict).await;
    assert_eq!(late, Ok(Appended::Behind(vec![fresh])), "the other tab learns of it");
    append(one, replaced, b"next").await;
}

async fn bytes_come_back_as_they_were<S: Storage>(one: &S) {
    let every: Vec<u8> = (0..=255).cycle().take(200_000).collect();
    let first = append(one, LogPosition::default(), &every).await;
    append(one, first, b"").await;
    let all = load(one, LogPosition::default()).await;
    assert_eq!(all.len(), 2);
    assert!(all[0].bytes == every && all[1].bytes.is_empty(), "bytes were changed");
}
