//! Taking parts of a picture away: rectangles, what they are filled with.

pub(crate) mod normal_levels;
pub(crate) mod rectangle;
