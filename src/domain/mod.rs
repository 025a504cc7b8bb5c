//! The rules of the shop: money, tax, the cart, receipts, days.
//!
//! Pure values. Nothing here knows a view, a browser, a clock or a database, so every rule is
//! tested natively, beside its code.

pub mod cart;
pub mod cash;
pub mod catalog;
pub mod currency;
pub mod day;
pub mod money;
pub mod receipt;
pub mod settings;
pub mod sync_status;
pub mod tax;
