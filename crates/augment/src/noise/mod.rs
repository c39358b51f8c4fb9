//! What cameras and the weather add to pictures.

pub(crate) mod level_field;
pub(crate) mod normal_quantiles;
