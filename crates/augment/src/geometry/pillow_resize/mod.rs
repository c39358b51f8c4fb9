//! Pillow's `Image.resize`, to the bit.
//!
//! Two passes, one along rows and one along columns, each a weighted sum of neighbours in 32-bit integers with weights
//! of 22 bits, rounded to 8 bits in between. Checked against Pillow 13; how it is vectorised is our own.

mod columns;
mod panel;
mod resize;
mod rows;
mod weights;

pub(crate) use resize::resize_whole;
