//! Changing the levels of pixels where they are.

pub(crate) mod adjust;
pub(crate) mod histogram;
pub(crate) mod hsv;
pub(crate) mod levels;
pub(crate) mod lookup;
pub(crate) mod opencv_hls;
pub(crate) mod opencv_hsv;
pub(crate) mod planes;
pub(crate) mod sharpness;
