//! Kinds of settings that several ops share, as configurations write them.

pub(crate) mod border_mode;
pub(crate) mod count;
pub(crate) mod fill;
pub(crate) mod often;
pub(crate) mod one_or_list;
pub(crate) mod padding;
pub(crate) mod strength;
pub(crate) mod symmetric_range;
pub(crate) mod target_size;
