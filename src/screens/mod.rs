//! The routed pages. A screen knows the store, the widgets and the rules, and no other screen.

pub mod cart;
pub mod catalog;
pub mod checkout;
pub mod orders;
pub mod products;
pub mod receipt;
pub mod settings;
