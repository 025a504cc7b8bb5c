//! Letters. The browser has the tables of Unicode already; Rust's would be another 15 KB.

use js_sys::JsString;

/// Writes a text in small letters, whatever its script, as `str::to_lowercase` does.
#[must_use]
pub fn lower_case(text: &str) -> String {
    JsString::from(text).to_lower_case().into()
}
