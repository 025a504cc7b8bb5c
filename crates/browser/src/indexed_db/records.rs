//! The log's records as IndexedDB holds them.

use espressync_store::{LogPosition, LogRecord, StoreError, StoreErrorKind};
use js_sys::Uint8Array;
use wasm_bindgen::{JsCast, JsValue};

pub(super) fn key_of(position: LogPosition) -> JsValue {
    #[allow(clippy::cast_precision_loss, reason = "IndexedDB's own keys end at 2^53")]
    JsValue::from(position.0 as f64)
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked")]
pub(super) fn position_of(key: &JsValue) -> Result<LogPosition, StoreError> {
    match key.as_f64() {
        Some(number) if number >= 1.0 && number.fract() == 0.0 => Ok(LogPosition(number as u64)),
        Some(_) | None => {
            let message = format!("the log holds a record under the key {key:?}");
            Err(StoreError::new(StoreErrorKind::Corrupt, message))
        }
    }
}

/// Records from their keys and values, which come apart.
pub(super) fn records_of(
    keys: impl IntoIterator<Item = JsValue>,
    values: impl IntoIterator<Item = JsValue>,
) -> Result<Vec<LogRecord>, StoreError> {
    let records = keys.into_iter().zip(values).map(|(key, value)| {
        let position = position_of(&key)?;
        // What is no bytes was not written by this software. As an empty record it fails the
        // codec's check, and so is reported with its position like any other damage.
        let bytes = value.dyn_into::<Uint8Array>().map(|bytes| bytes.to_vec()).unwrap_or_default();
        Ok(LogRecord { position, bytes })
    });
    records.collect()
}
