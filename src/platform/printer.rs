//! The browser's print dialog. What is printed is decided by the print styles.

use leptos::prelude::window;

/// Prints the page. A browser without a printer does nothing.
pub fn print() {
    // The only error is that printing is blocked, which the browser shows itself.
    let _ = window().print();
}
