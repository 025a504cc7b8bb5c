//! Widgets: they are handed values and hand back events, and know neither store nor contexts.

pub mod button;
pub mod card;
pub mod choice;
pub mod empty_state;
pub mod field;
pub mod header;
pub mod icon;
pub mod key_pad;
pub mod navigation;
pub mod notice;
pub mod picture;
pub mod product_card;
pub mod sheet;
pub mod skeleton;
pub mod status_pill;
pub mod stepper;
pub mod toast;
pub mod totals;
