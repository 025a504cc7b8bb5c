//! The shape of what is still being read from the device.

use leptos::prelude::*;

/// What the shapes stand for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// Tiles of a grid.
    Tiles,
    /// Rows of a list.
    Rows,
}

/// How many shapes are drawn: a phone's screen full.
const SHAPES: usize = 8;

/// Grey shapes in place of content, announced as one word.
#[component]
pub fn Skeleton(
    /// What the shapes stand for.
    shape: Shape,
) -> impl IntoView {
    let class = match shape {
        Shape::Tiles => "c-skeleton c-skeleton--tiles",
        Shape::Rows => "c-skeleton c-skeleton--rows",
    };
    let shapes: Vec<_> =
        (0..SHAPES).map(|_| view! { <span class="c-skeleton__shape"></span> }).collect();
    view! { <div class=class role="status" aria-label="Loading">{shapes}</div> }
}
