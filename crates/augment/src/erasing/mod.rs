//! Taking parts of a picture away: rectangles, what they are filled with.

pub(crate) mod hole_fill;
pub(crate) mod mixed_bits;
pub(crate) mod normal_levels;
pub(crate) mod rectangle;
pub(crate) mod turned_grid;
