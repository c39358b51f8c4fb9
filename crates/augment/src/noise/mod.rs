//! What cameras and the weather add to pictures.

pub(crate) mod disks;
pub(crate) mod level_field;
pub(crate) mod normal_quantiles;
pub(crate) mod sensor;
pub(crate) mod thin_line;
