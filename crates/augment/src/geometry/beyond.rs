//! What lies beyond the outermost pixels.

use super::bilinear::Arithmetic;
use crate::blur::border::Border;
use crate::settings::border_mode::BorderMode;

/// How places outside of a picture are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Beyond {
    /// Pillow's: the fill outside of the picture, and the outermost pixels up to there.
    Cut,
    /// OpenCV's: every neighbour that is missing has the fill.
    Filled,
    /// OpenCV's: neighbours that are missing are found inside.
    Inside(Border),
}

impl From<BorderMode> for Beyond {
    fn from(mode: BorderMode) -> Self {
        match mode {
            BorderMode::Constant => Self::Filled,
            BorderMode::Reflect101 => Self::Inside(Border::Reflect101),
            BorderMode::Replicate => Self::Inside(Border::Replicate),
        }
    }
}

impl Beyond {
    /// Whether the fill may be visible.
    pub(crate) const fn shows_fill(self) -> bool {
        !matches!(self, Self::Inside(_))
    }

    /// Whether only the fill is visible from a place, on an axis of `len` pixels.
    #[inline(always)]
    pub(crate) fn leaves<N: Arithmetic>(self, place: N, len: u32) -> bool {
        let from = match self {
            Self::Cut => place >= N::ZERO,
            Self::Filled => place > N::MINUS_ONE,
            Self::Inside(_) => return false,
        };
        !(from && place < N::of(len))
    }

    /// The pixel that stands for `place` on an axis of `len` pixels; `None` is the fill.
    #[inline(always)]
    pub(crate) fn inside(self, place: i64, len: u32) -> Option<usize> {
        let last = i64::from(len) - 1;
        let found = match self {
            Self::Cut | Self::Inside(Border::Replicate) => place.clamp(0, last),
            Self::Filled if place < 0 || place > last => return None,
            // Mostly there is one mirror in between, which takes no division.
            Self::Inside(Border::Reflect101) if place.abs() <= last => place.abs(),
            Self::Inside(Border::Reflect101) if last <= place && place <= 2 * last => {
                2 * last - place
            }
            Self::Inside(border) => {
                let place = isize::try_from(place).unwrap_or_default();
                return Some(border.inside(place, len as usize));
            }
            Self::Filled => place,
        };
        usize::try_from(found).ok()
    }
}
