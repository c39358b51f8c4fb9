//! The defaults of `p`, for settings that have no default as a whole.

/// torchvision's default of ops that act sometimes.
pub(crate) const fn half() -> f64 {
    0.5
}

/// The default of ops that apply others.
pub(crate) const fn always() -> f64 {
    1.0
}
