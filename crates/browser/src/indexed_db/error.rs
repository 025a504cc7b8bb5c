//! IndexedDB's errors by the names that the standard gives them.

use espressync_store::{StoreError, StoreErrorKind};
use wasm_bindgen::{JsCast, JsValue};
use web_sys::DomException;

/// What rexie reports, with the exception that it hides.
pub(super) fn from_rexie(what: &str, error: &rexie::Error) -> StoreError {
    match error {
        rexie::Error::IdbError(error) => from_idb(what, error),
        rexie::Error::TransactionAbortFailed | rexie::Error::TransactioncommitFailed | _ => {
            StoreError::new(StoreErrorKind::Aborted, format!("{what}: {error}"))
        }
    }
}

/// What idb reports, on which rexie stands. Named are the variants that our calls can give.
#[allow(clippy::wildcard_enum_match_arm, reason = "idb has 40 variants, and may get more")]
pub(super) fn from_idb(what: &str, error: &idb::Error) -> StoreError {
    use idb::Error as Idb;
    match error {
        Idb::DomException(exception) => from_exception(what, exception),
        Idb::IndexedDbNotFound(_) => {
            let message = format!(
                "{what}: this browser offers no IndexedDB here; a private window or blocked site \
                 data may be the reason"
            );
            StoreError::new(StoreErrorKind::Unavailable, message)
        }
        Idb::GetAllFailed(thrown)
        | Idb::GetAllKeysFailed(thrown)
        | Idb::GetFailed(thrown)
        | Idb::IndexedDbDeleteFailed(thrown)
        | Idb::IndexedDbOpenFailed(thrown)
        | Idb::KeyRangeCreateFailed(thrown)
        | Idb::ObjectStoreNotFound(thrown)
        | Idb::RequestErrorNotFound(thrown)
        | Idb::RequestResultNotFound(thrown)
        | Idb::TransactionOpenFailed(thrown) => from_js(what, thrown),
        _ => StoreError::new(StoreErrorKind::Aborted, format!("{what}: {error}")),
    }
}

/// What was thrown while `what` was done.
pub(crate) fn from_js(what: &str, thrown: &JsValue) -> StoreError {
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
        let exception = DomException::new_with_message_and_name("why", "NotFoundError").unwrap();
        let error = rexie::Error::from(idb::Error::ObjectStoreNotFound(exception.into()));
        assert_eq!(from_rexie("reading", &error).kind, StoreErrorKind::Corrupt);
        assert_eq!(from_rexie("reading", &error).message, "reading: NotFoundError: why");
        let error = from_js("committing", &JsValue::from("what?"));
        assert_eq!(error.kind, StoreErrorKind::Unavailable);
    }
}
