//! Changing the levels of pixels where they are.

pub(crate) mod adjust;
pub(crate) mod hsv;
