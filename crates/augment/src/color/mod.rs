//! Changing the levels of pixels where they are.

pub(crate) mod adjust;
pub(crate) mod clahe;
pub(crate) mod histogram;
pub(crate) mod hsv;
pub(crate) mod levels;
pub(crate) mod lookup;
pub(crate) mod opencv_hls;
pub(crate) mod opencv_hsv;
pub(crate) mod opencv_lab;
pub(crate) mod planes;
pub(crate) mod principal;
pub(crate) mod sharpness;
