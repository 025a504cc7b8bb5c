//! Line icons of our own, on a grid of 24, drawn in the colour of the text around them.

use leptos::prelude::*;

/// What an icon shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Glyph {
    /// A cup: selling.
    Cup,
    /// A receipt: orders.
    Receipt,
    /// A price tag: products.
    Tag,
    /// Sliders: settings.
    Sliders,
    /// A magnifying glass.
    Search,
    /// A plus sign.
    Plus,
    /// A minus sign.
    Minus,
    /// A cross.
    Cross,
    /// A bin.
    Bin,
    /// An arrow to the left.
    Back,
    /// An arrow to the right.
    Forward,
    /// A printer.
    Printer,
    /// A tick.
    Tick,
    /// The key that takes a digit back.
    Backspace,
    /// A pen.
    Pen,
    /// A bag.
    Bag,
    /// An exclamation mark.
    Alert,
}

impl Glyph {
    const fn path(self) -> &'static str {
        match self {
            Self::Cup => {
                "M5 9h11v5.5a4.5 4.5 0 0 1-4.5 4.5h-2A4.5 4.5 0 0 1 5 14.5ZM16 10.5h1.5a2.5 2.5 0 0 1 0 5H16M8.5 3v2.5M12.5 3v2.5"
            }
            Self::Receipt => {
                "M6 3.5l2 1.5 2-1.5 2 1.5 2-1.5 2 1.5 2-1.5V20.5l-2-1.5-2 1.5-2-1.5-2 1.5-2-1.5-2 1.5ZM9.5 9.5h5M9.5 13.5h5"
            }
            Self::Tag => {
                "M4 4.5h7.5l8.2 8.2a1.5 1.5 0 0 1 0 2.1l-4.9 4.9a1.5 1.5 0 0 1-2.1 0L4 11.5ZM8.3 8.7v.1"
            }
            Self::Sliders => "M4 7.5h8M17 7.5h3M4 16.5h3M12 16.5h8M14.5 5v5M9.5 14v5",
            Self::Search => "M10.5 4a6.5 6.5 0 1 1 0 13 6.5 6.5 0 0 1 0-13ZM15.5 15.5L20 20",
            Self::Plus => "M12 5v14M5 12h14",
            Self::Minus => "M5 12h14",
            Self::Cross => "M6.5 6.5l11 11M17.5 6.5l-11 11",
            Self::Bin => "M4.5 7h15M9.5 7V4.5h5V7M6.5 7l1 13h9l1-13M10.5 11v5M13.5 11v5",
            Self::Back => "M14.5 5.5L8 12l6.5 6.5",
            Self::Forward => "M9.5 5.5L16 12l-6.5 6.5",
            Self::Printer => {
                "M7 9V4h10v5M7 17.5H5A1.5 1.5 0 0 1 3.5 16v-5.5A1.5 1.5 0 0 1 5 9h14a1.5 1.5 0 0 1 1.5 1.5V16a1.5 1.5 0 0 1-1.5 1.5h-2M7 14h10v6H7Z"
            }
            Self::Tick => "M5 12.5l4.5 4.5L19 7.5",
            Self::Backspace => "M8.5 6h11v12h-11L3.5 12ZM11.5 9.5l5 5M16.5 9.5l-5 5",
            Self::Pen => "M5 19l.8-3.8L16 5l3 3L8.8 18.2ZM14 7l3 3",
            Self::Bag => "M5.5 8.5h13l1 11.5h-15ZM9 11V7a3 3 0 0 1 6 0v4",
            Self::Alert => "M12 6v7.5M12 17.5v.1",
        }
    }
}

/// An icon. It is decoration: the name of what it does belongs on the control around it.
#[component]
pub fn Icon(
    /// What it shows.
    glyph: Glyph,
) -> impl IntoView {
    view! {
        <svg class="c-icon" viewBox="0 0 24 24" aria-hidden="true">
            <path d=glyph.path() />
        </svg>
    }
}
