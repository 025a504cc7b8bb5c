//! What a page and a worker both have, each under a type of its own.

use wasm_bindgen::JsCast;
use web_sys::{EventTarget, StorageManager, Url, Window, WorkerGlobalScope};

enum Scope {
    Page(Window),
    Worker(WorkerGlobalScope),
}

fn scope() -> Option<Scope> {
    match js_sys::global().dyn_into::<Window>() {
        Ok(window) => Some(Scope::Page(window)),
        Err(global) => global.dyn_into().ok().map(Scope::Worker),
    }
}

/// The window of a page; a worker has none.
pub(crate) fn window() -> Option<Window> {
    js_sys::global().dyn_into().ok()
}

/// Where `online` and `offline` are heard.
pub(crate) fn events() -> Option<EventTarget> {
    js_sys::global().dyn_into().ok()
}

/// Whether the browser thinks there is a network; without a browser to ask, yes.
pub(crate) fn is_online() -> bool {
    match scope() {
        Some(Scope::Page(window)) => window.navigator().on_line(),
        Some(Scope::Worker(worker)) => worker.navigator().on_line(),
        None => true,
    }
}

/// Milliseconds since this page or worker began, by a clock that nobody sets.
pub(crate) fn running_for() -> f64 {
    let clock = match scope() {
        Some(Scope::Page(window)) => window.performance(),
        Some(Scope::Worker(worker)) => worker.performance(),
        None => None,
    };
    clock.map_or_else(js_sys::Date::now, |clock| clock.now())
}

/// The origin's storage. Insecure origins have none.
pub(crate) fn storage() -> Option<StorageManager> {
    let storage = match scope()? {
        Scope::Page(window) => window.navigator().storage(),
        Scope::Worker(worker) => worker.navigator().storage(),
    };
    (!storage.is_undefined()).then_some(storage)
}

/// A URL in full, seen from this page or worker; as it is where it cannot be read.
pub(crate) fn absolute(url: &str) -> String {
    let base = match scope() {
        Some(Scope::Page(window)) => window.location().href().ok(),
        Some(Scope::Worker(worker)) => Some(worker.location().href()),
        None => None,
    };
    let resolved = base.and_then(|base| Url::new_with_base(url, &base).ok());
    resolved.map_or_else(|| url.to_owned(), |url| url.href())
}
