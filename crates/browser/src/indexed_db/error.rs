//! IndexedDB's errors by the names that the standard gives them.

use espressync_store::{StoreError, StoreErrorKind};
use wasm_bindgen::{JsCast, JsValue};
use web_sys::DomException;

/// What was thrown while `what` was done.
pub(super) fn from_js(what: &str, thrown: &JsValue) -> StoreError {
    match thrown.dyn_ref::<DomException>() {
        Some(exception) => from_exception(what, exception),
        None => StoreError::new(StoreErrorKind::Unavailable, format!("{what}: {thrown:?}")),
    }
}

pub(super) fn from_exception(what: &str, exception: &DomException) -> StoreError {
    let name = exception.name();
    let kind = match name.as_str() {
        "QuotaExceededError" => StoreErrorKind::Quota,
        "VersionError" => StoreErrorKind::Newer,
        "InvalidStateError" => StoreErrorKind::Closed,
        "NotFoundError" | "DataError" | "DataCloneError" | "NotReadableError" => {
            StoreErrorKind::Corrupt
        }
        "SecurityError" | "NotAllowedError" => StoreErrorKind::Unavailable,
        _ => StoreErrorKind::Aborted,
    };
    StoreError::new(kind, format!("{what}: {name}: {}", exception.message()))
}

#[cfg(test)]
#[cfg(target_arch = "wasm32")]
mod tests {
    use super::*;
    use wasm_bindgen_test::wasm_bindgen_test;

    #[wasm_bindgen_test]
    fn a_full_disk_is_told_from_the_rest() {
        let check = |name: &str, kind| {
            let exception = DomException::new_with_message_and_name("why", name).unwrap();
            let error = from_js("committing", &exception);
            assert_eq!(error.kind, kind, "{name}");
            assert_eq!(error.message, format!("committing: {name}: why"));
        };
        check("QuotaExceededError", StoreErrorKind::Quota);
        check("VersionError", StoreErrorKind::Newer);
        check("NotReadableError", StoreErrorKind::Corrupt);
        check("SecurityError", StoreErrorKind::Unavailable);
        check("UnknownError", StoreErrorKind::Aborted);
        let error = from_js("committing", &JsValue::from("what?"));
        assert_eq!(error.kind, StoreErrorKind::Unavailable);
    }
}
