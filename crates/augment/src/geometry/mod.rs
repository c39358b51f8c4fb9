//! Moving pixels: rectangles, axes, resampling.

pub(crate) mod affine;
pub(crate) mod axis;
pub(crate) mod bent;
pub(crate) mod beyond;
pub(crate) mod bilinear;
pub(crate) mod canvas;
pub(crate) mod crop_box;
pub(crate) mod interpolation;
pub(crate) mod nearest;
pub(crate) mod opencv_affine;
pub(crate) mod pass_order;
pub(crate) mod perspective;
pub(crate) mod pillow_resize;
pub(crate) mod resample;
pub(crate) mod smooth_noise;
pub(crate) mod turn;
pub(crate) mod warp;
