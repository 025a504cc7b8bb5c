use espressync_store::{StoreError, StoreErrorKind};
use futures::channel::oneshot;
use wasm_bindgen::closure::Closure;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{Event, IdbRequest};

use super::super::error::{from_exception, from_js};

/// Waits for a request's result. `what` was being done, for the error.
///
/// The future resolves in the microtask that follows the request's event, while its transaction is
/// still active, so that the next request can be made from there.
pub(crate) async fn answer(request: &IdbRequest, what: &str) -> Result<JsValue, StoreError> {
    let (told, heard) = oneshot::channel();
    let waiting = Waiting::new(request, move || {
        let _ = told.send(());
    });
    // It is cancelled only together with the closure that holds its other end.
    let _ = heard.await;
    drop(waiting);
    match request.error() {
        Ok(None) => request.result().map_err(|error| from_js(what, &error)),
        Ok(Some(exception)) => Err(from_exception(what, &exception)),
        Err(_) => {
            let message = format!("{what}: the transaction ended before the answer");
            Err(StoreError::new(StoreErrorKind::Aborted, message))
        }
    }
}

/// Takes the handlers off the request when nobody waits any more.
struct Waiting<'a> {
    request: &'a IdbRequest,
    _handler: Closure<dyn FnMut(Event)>,
}

impl<'a> Waiting<'a> {
    fn new(request: &'a IdbRequest, told: impl FnOnce() + 'static) -> Self {
        let handler = Closure::once(move |_: Event| told());
        let function = handler.as_ref().unchecked_ref();
        request.set_onsuccess(Some(function));
        request.set_onerror(Some(function));
        Self { request, _handler: handler }
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.request.set_onsuccess(None);
        self.request.set_onerror(None);
    }
}
