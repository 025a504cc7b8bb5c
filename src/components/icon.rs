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
                "M5 9h11v5.5a4.5 4.5 0 0 1-4.5 4.500h-2A4.5 4.5 0 0 1 5 14.500ZM16 10.500h1.500a2.5 2.5 0 0 1 0 5H16M8.5 3v2.500M12.5 3v2.5"
            }
            Self::Receipt => {
                "M6 3.500l2 1.5 2-1.5 2 1.5 2-1.5 2 1.5 2-1.500V20.500l-2-1.5-2 1.5-2-1.5-2 1.5-2-1.5-2 1.500ZM9.5 9.500h5M9.5 13.500h5"
            }
            Self::Tag => {
                "M4 4.500h7.500l8.2 8.200a1.5 1.5 0 0 1 0 2.100l-4.9 4.900a1.5 1.5 0 0 1-2.1 0L4 11.500ZM8.3 8.700v.1"
            }
            Self::Sliders => "M4 7.500h8M17 7.500h3M4 16.500h3M12 16.500h8M14.5 5v5M9.5 14v5",
            Self::Search => "M10.5 4a6.5 6.5 0 1 1 0 13 6.5 6.5 0 0 1 0-13ZM15.5 15.500L20 20",
            Self::Plus => "M12 5v14M5 12h14",
            Self::Minus => "M5 12h14",
            Self::Cross => "M6.5 6.500l11 11M17.5 6.500l-11 11",
            Self::Bin => "M4.5 7h15M9.5 7V4.500h5V7M6.5 7l1 13h9l1-13M10.5 11v5M13.5 11v5",
            Self::Back => "M14.5 5.500L8 12l6.5 6.5",
            Self::Forward => "M9.5 5.500L16 12l-6.5 6.5",
            Self::Printer => {
                "M7 9V4h10v5M7 17.500H5A1.5 1.5 0 0 1 3.5 16v-5.500A1.5 1.5 0 0 1 5 9h14a1.5 1.5 0 0 1 1.5 1.500V16a1.5 1.5 0 0 1-1.5 1.500h-2M7 14h10v6H7Z"
            }
            Self::Tick => "M5 12.500l4.5 4.500L19 7.5",
            Self::Backspace => "M8.5 6h11v12h-11L3.5 12ZM11.5 9.500l5 5M16.5 9.500l-5 5",
            Self::Pen => "M5 19l.8-3.800L16 5l3 3L8.8 18.200ZM14 7l3 3",
            Self::Bag => "M5.5 8.500h13l1 11.500h-15ZM9 11V7a3 3 0 0 1 6 0v4",
            Self::Alert => "M12 6v7.500M12 17.500v.1",
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
