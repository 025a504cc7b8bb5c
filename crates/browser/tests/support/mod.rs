//! What the tests need of the browser beside the code under test.

#![allow(dead_code, reason = "each test binary uses a part of it")]

pub(crate) mod database;
pub(crate) mod network;

use js_sys::{Function, Object, Reflect};
use wasm_bindgen::{JsCast, JsValue};

/// The time, finer than the clock's.
pub(crate) fn milliseconds() -> f64 {
    let performance = Reflect::get(&js_sys::global(), &"performance".into()).unwrap();
    let now: Function = Reflect::get(&performance, &"now".into()).unwrap().unchecked_into();
    now.call0(&performance).unwrap().as_f64().unwrap()
}

/// A global that is another as long as this lives.
pub(crate) struct Replaced {
    name: &'static str,
    before: JsValue,
}

impl Replaced {
    pub(crate) fn new(name: &'static str, value: &JsValue) -> Self {
        let before = Reflect::get(&js_sys::global(), &name.into()).unwrap();
        define(name, value);
        Self { name, before }
    }
}

impl Drop for Replaced {
    fn drop(&mut self) {
        define(self.name, &self.before);
    }
}

/// Assigning would not do: some globals have no setter.
fn define(name: &str, value: &JsValue) {
    let descriptor = Object::new();
    Reflect::set(&descriptor, &"value".into(), value).unwrap();
    for right in ["configurable", "writable"] {
        Reflect::set(&descriptor, &right.into(), &true.into()).unwrap();
    }
    Reflect::define_property(&js_sys::global(), &name.into(), &descriptor).unwrap();
}
