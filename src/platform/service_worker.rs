//! The service worker that keeps the app on the device, and its updates.
//!
//! A new version waits until the user agrees, so that a till is never swapped in mid-sale.

use js_sys::{Function, Object, Reflect};
use leptos::logging::warn;
use leptos::prelude::{ReadSignal, Set, WriteSignal, signal, window};
use leptos::task::spawn_local;
use wasm_bindgen::closure::Closure;
use wasm_bindgen::{JsCast as _, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::ServiceWorkerState;
use web_sys::{ServiceWorker, ServiceWorkerContainer, ServiceWorkerRegistration};

const SCRIPT: &str = "/service-worker.js";

/// Registers the service worker and says when a new version is ready to be installed.
#[must_use]
pub fn register() -> ReadSignal<bool> {
    let (ready, set_ready) = signal(false);
    let Some(container) = container() else {
        return ready;
    };
    spawn_local(async move {
        match JsFuture::from(container.register(SCRIPT)).await {
            Ok(registration) => {
                // Tools that block service workers answer with `undefined`.
                if let Ok(registration) = registration.dyn_into() {
                    watch_updates(registration, set_ready);
                }
            }
            // Not over HTTPS, or switched off: the till works, but needs the network to open.
            Err(error) => warn!("the app cannot be kept on this device: {error:?}"),
        }
    });
    ready
}

/// Tells the waiting version to take over, and loads the page again when it has.
pub fn install_update() {
    let Some(container) = container() else {
        return;
    };
    let reload = Closure::once_into_js(|| {
        // A reload the browser refuses leaves the old page working.
        let _ = window().location().reload();
    });
    container.set_oncontrollerchange(Some(reload.unchecked_ref::<Function>()));
    spawn_local(async move {
        let Ok(registration) = JsFuture::from(container.get_registration()).await else {
            return;
        };
        // `undefined` where nothing is registered.
        if let Ok(registration) = registration.dyn_into::<ServiceWorkerRegistration>()
            && let Some(waiting) = registration.waiting()
        {
            post_install(&waiting);
        }
    });
}

fn container() -> Option<ServiceWorkerContainer> {
    let navigator = window().navigator();
    // Missing outside of secure contexts, where the typed getter would still claim to have one.
    let found = Reflect::has(&navigator, &JsValue::from_str("serviceWorker")).unwrap_or(false);
    found.then(|| navigator.service_worker())
}

fn watch_updates(registration: ServiceWorkerRegistration, ready: WriteSignal<bool>) {
    if registration.waiting().is_some() {
        ready.set(true);
    }
    let source = registration.clone();
    let found = Closure::<dyn FnMut()>::new(move || {
        if let Some(worker) = source.installing() {
            watch_worker(worker, ready);
        }
    });
    registration.set_onupdatefound(Some(found.as_ref().unchecked_ref()));
    found.forget();
}

/// A worker that is installed while another one is in charge is an update.
fn watch_worker(worker: ServiceWorker, ready: WriteSignal<bool>) {
    let source = worker.clone();
    let changed = Closure::<dyn FnMut()>::new(move || {
        let in_charge = container().is_some_and(|container| container.controller().is_some());
        if source.state() == ServiceWorkerState::Installed && in_charge {
            ready.set(true);
        }
    });
    worker.set_onstatechange(Some(changed.as_ref().unchecked_ref()));
    changed.forget();
}

fn post_install(worker: &ServiceWorker) {
    let message = Object::new();
    // Setting a property of a fresh plain object cannot fail.
    let _ = Reflect::set(&message, &"type".into(), &"install-update".into());
    if let Err(error) = worker.post_message(&message) {
        warn!("the update could not be started: {error:?}");
    }
}
