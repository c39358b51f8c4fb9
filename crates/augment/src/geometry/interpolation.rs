//! The names of the resizing filters.

use crate::error::{Error, check};
use serde::{Deserialize, Serialize};

/// How a resized picture's pixels come from the original's. Except for `Nearest`, the filter widens when the
/// picture shrinks (antialiasing), as in Pillow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Interpolation {
    /// The pixel under the centre of the new one.
    Nearest,
    /// Weights that fall linearly with the distance.
    #[default]
    Bilinear,
    /// A cubic curve with `a = -0.5` (Keys, 1981).
    Bicubic,
    /// A sinc with a sinc window, three lobes.
    Lanczos,
}

impl Interpolation {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Nearest, Self::Bilinear, Self::Bicubic, Self::Lanczos];

    /// Refuses the filter that only resizes, for ops that move pixels.
    pub(crate) fn check_moves(self) -> Result<(), Error> {
        let accepted = self != Self::Lanczos;
        check(accepted, "interpolation", "nearest, bilinear or bicubic", format_args!("lanczos"))
    }
}
