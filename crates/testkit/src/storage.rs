//! The checks that every [`Storage`] passes, natively and in the browser.

use espressync_store::{
    Appended, Contents, Durability, Fold, Folded, LogPosition, LogRecord, SegmentId, Storage,
};

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
    let (one, two) = fresh().await;
    staged_segments_have_keys_of_their_own(&one, &two).await;
    let (one, two) = fresh().await;
    a_fold_takes_the_place_of_what_it_stands_for(&one, &two).await;
    let (one, two) = fresh().await;
    of_two_folds_the_second_is_refused(&one, &two).await;
    let (one, _) = fresh().await;
    a_fold_that_cannot_be_changes_nothing(&one).await;
    let (one, two) = fresh().await;
    replacing_drops_the_segments(&one, &two).await;
}

async fn append<S: Storage>(storage: &S, last: LogPosition, bytes: &[u8]) -> LogPosition {
    match storage.append(last, bytes, Durability::Strict).await {
        Ok(Appended::At(position)) => position,
        other => panic!("an append after {last:?} came to {other:?}"),
    }
}

async fn contents<S: Storage>(storage: &S) -> Contents {
    match storage.load().await {
        Ok(contents) => contents,
        Err(error) => panic!("a load failed: {error}"),
    }
}

async fn load<S: Storage>(storage: &S, after: LogPosition) -> Vec<LogRecord> {
    match storage.load_after(after).await {
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

async fn stage<S: Storage>(storage: &S, segments: &[&[u8]]) -> Vec<SegmentId> {
    let bytes: Vec<Vec<u8>> = segments.iter().map(|bytes| bytes.to_vec()).collect();
    match storage.stage(&bytes).await {
        Ok(ids) => ids,
        Err(error) => panic!("staging failed: {error}"),
    }
}

/// What a storage holds, as bytes.
async fn held<S: Storage>(storage: &S) -> (Vec<(SegmentId, Vec<u8>)>, Vec<(LogPosition, Vec<u8>)>) {
    let Contents { segments, log } = contents(storage).await;
    let segments = segments.into_iter().map(|segment| (segment.id, segment.bytes));
    let log = log.into_iter().map(|record| (record.position, record.bytes));
    (segments.collect(), log.collect())
}

async fn staged_segments_have_keys_of_their_own<S: Storage>(one: &S, two: &S) {
    assert_eq!(held(one).await, (vec![], vec![]), "a fresh storage holds something");
    assert_eq!(stage(one, &[]).await, []);
    let ids = [stage(one, &[b"a", b""]).await, stage(two, &[b"c"]).await].concat();
    assert_eq!(ids.len(), 3);
    assert!(ids.is_sorted_by(|a, b| a < b), "keys are given twice: {ids:?}");
    let segments = ids.into_iter().zip([b"a".to_vec(), Vec::new(), b"c".to_vec()]).collect();
    assert_eq!(held(two).await, (segments, vec![]), "the log is not touched");
    append(two, LogPosition::default(), b"first").await;
}

async fn a_fold_takes_the_place_of_what_it_stands_for<S: Storage>(one: &S, two: &S) {
    let begins = append(one, LogPosition::default(), b"first").await;
    let seen = append(one, begins, b"second").await;
    let up_to = append(one, seen, b"third").await;
    let keep = stage(one, &[b"left behind", b"kept"]).await[1];
    // Appended while the fold was prepared.
    let last = append(two, up_to, b"fourth").await;
    let fold = Fold { begins, up_to, head: b"head", keep: &[keep] };
    assert_eq!(one.fold(fold).await, Ok(Folded::Done));
    let log = vec![(up_to, b"head".to_vec()), (last, b"fourth".to_vec())];
    assert_eq!(held(two).await, (vec![(keep, b"kept".to_vec())], log.clone()));
    // Who had seen all that was folded has missed nothing, others see the head first.
    let records: Vec<LogRecord> =
        (log.into_iter()).map(|(position, bytes)| LogRecord { position, bytes }).collect();
    let check = async |last, expected: &[LogRecord]| {
        let refused = two.append(last, b"late", Durability::Strict).await;
        assert_eq!(refused, Ok(Appended::Behind(expected.to_vec())), "after {last:?}");
        assert_eq!(load(two, last).await, expected, "after {last:?}");
    };
    check(up_to, &records[1..]).await;
    check(seen, &records).await;
    check(LogPosition::default(), &records).await;
    let next = append(two, last, b"fifth").await;
    assert!(next > last, "positions rise over a fold");
    // A fold of a fold; nothing comes after it.
    let fold = Fold { begins: up_to, up_to: next, head: b"second head", keep: &[] };
    assert_eq!(two.fold(fold).await, Ok(Folded::Done));
    assert_eq!(held(one).await, (vec![], vec![(next, b"second head".to_vec())]));
    assert!(append(one, next, b"sixth").await > next);
}

async fn of_two_folds_the_second_is_refused<S: Storage>(one: &S, two: &S) {
    let begins = append(one, LogPosition::default(), b"first").await;
    let up_to = append(one, begins, b"second").await;
    let (ours, theirs) = (stage(one, &[b"one's"]).await, stage(two, &[b"two's"]).await);
    let fold = |keep| Fold { begins, up_to, head: b"head", keep };
    assert_eq!(one.fold(fold(&ours)).await, Ok(Folded::Done));
    let before = held(one).await;
    assert_eq!(before.0, [(ours[0], b"one's".to_vec())]);
    assert_eq!(two.fold(fold(&theirs)).await, Ok(Folded::Overtaken));
    // Nor may it be when it would keep what is still there.
    assert_eq!(two.fold(fold(&ours)).await, Ok(Folded::Overtaken));
    assert_eq!(held(one).await, before);
}

async fn a_fold_that_cannot_be_changes_nothing<S: Storage>(one: &S) {
    let nowhere = Fold { begins: LogPosition(1), up_to: LogPosition(2), head: b"", keep: &[] };
    assert_eq!(one.fold(nowhere).await, Ok(Folded::Overtaken), "an empty log");
    let begins = append(one, LogPosition::default(), b"first").await;
    let up_to = append(one, begins, b"second").await;
    let kept = stage(one, &[b"kept"]).await;
    let before = held(one).await;
    let gone = [kept[0], SegmentId(kept[0].0 + 1)];
    let cases = [
        ("another beginning", Fold { begins: up_to, up_to, head: b"head", keep: &kept }),
        ("no progress", Fold { begins, up_to: begins, head: b"head", keep: &kept }),
        ("a segment that is gone", Fold { begins, up_to, head: b"head", keep: &gone }),
    ];
    for (case, fold) in cases {
        assert_eq!(one.fold(fold).await, Ok(Folded::Overtaken), "{case}");
        assert_eq!(held(one).await, before, "{case}");
    }
}

async fn replacing_drops_the_segments<S: Storage>(one: &S, two: &S) {
    let begins = append(one, LogPosition::default(), b"first").await;
    let last = append(one, begins, b"second").await;
    let keep = stage(two, &[b"staged"]).await;
    let behind = one.replace(begins, b"fresh").await;
    assert!(matches!(behind, Ok(Appended::Behind(_))), "{behind:?}");
    assert_eq!(held(one).await.0.len(), 1, "a refused replacement dropped segments");
    let Ok(Appended::At(fresh)) = one.replace(last, b"fresh").await else {
        panic!("a replacement was refused")
    };
    assert_eq!(held(two).await, (vec![], vec![(fresh, b"fresh".to_vec())]));
    let fold = Fold { begins, up_to: last, head: b"head", keep: &keep };
    assert_eq!(two.fold(fold).await, Ok(Folded::Overtaken), "a fold from before");
}
