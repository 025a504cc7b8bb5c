//! The records of the log and the segments as IndexedDB holds them: bytes under a whole number.

use espressync_store::{
    LogPosition, LogRecord, SegmentId, SegmentRecord, StoreError, StoreErrorKind,
};
use js_sys::Uint8Array;
use wasm_bindgen::{JsCast, JsValue};

pub(super) fn key_of(number: u64) -> JsValue {
    #[allow(clippy::cast_precision_loss, reason = "IndexedDB's own keys end at 2^53")]
    JsValue::from(number as f64)
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked")]
pub(super) fn number_of(key: &JsValue) -> Result<u64, StoreError> {
    match key.as_f64() {
        Some(number) if number >= 1.0 && number.fract() == 0.0 => Ok(number as u64),
        Some(_) | None => {
            let message = format!("the database holds a record under the key {key:?}");
            Err(StoreError::new(StoreErrorKind::Corrupt, message))
        }
    }
}

/// The log's records from their keys and values, which come apart.
pub(super) fn log_records_of(
    keys: impl IntoIterator<Item = JsValue>,
    values: impl IntoIterator<Item = JsValue>,
) -> Result<Vec<LogRecord>, StoreError> {
    let records = keys.into_iter().zip(values).map(|(key, value)| {
        Ok(LogRecord { position: LogPosition(number_of(&key)?), bytes: bytes_of(value) })
    });
    records.collect()
}

/// The segments, likewise.
pub(super) fn segments_of(
    keys: impl IntoIterator<Item = JsValue>,
    values: impl IntoIterator<Item = JsValue>,
) -> Result<Vec<SegmentRecord>, StoreError> {
    let records = keys.into_iter().zip(values).map(|(key, value)| {
        Ok(SegmentRecord { id: SegmentId(number_of(&key)?), bytes: bytes_of(value) })
    });
    records.collect()
}

/// What is no bytes was not written by this software. As an empty record it fails the codec's
/// check, and so is reported with its key like any other damage.
fn bytes_of(value: JsValue) -> Vec<u8> {
    value.dyn_into::<Uint8Array>().map(|bytes| bytes.to_vec()).unwrap_or_default()
}
