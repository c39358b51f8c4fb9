//! Where the tiles of a map lie, and the transform of one.

use super::transforms::{InputSide, sandwich};
use super::{IN, OUT};
use crate::convolution::shape::MapSize;
use pulp::Simd;

/// How maps are cut into tiles. A band is a row of tiles of one picture.
#[derive(Debug, Clone, Copy)]
pub(super) struct Tiling {
    pub(super) batch: usize,
    pub(super) size: MapSize,
    pub(super) across: usize,
    pub(super) down: usize,
}

/// A tile: which picture, and where its output begins.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    pub(super) picture: usize,
    pub(super) row: usize,
    pub(super) column: usize,
}

impl Tiling {
    pub(super) fn new(batch: usize, size: MapSize) -> Self {
        Self { batch, size, across: size.width.div_ceil(OUT), down: size.height.div_ceil(OUT) }
    }

    pub(super) fn bands(self) -> usize {
        self.batch * self.down
    }

    /// The first row of a band, counted through all pictures.
    pub(super) fn first_row(self, band: usize) -> usize {
        band / self.down * self.size.height + band % self.down * OUT
    }

    pub(super) fn place(self, tile: usize) -> Place {
        let (band, column) = (tile / self.across, tile % self.across);
        Place { picture: band / self.down, row: band % self.down * OUT, column: column * OUT }
    }
}

/// `V = B' d B` of one tile, for all channels; `d` is zero outside of the map.
#[inline(always)]
pub(super) fn transform_input<S: Simd>(
    simd: S,
    tiling: Tiling,
    tile: usize,
    x: &[f32],
    to: &mut [f32],
) {
    let MapSize { height, width, channels } = tiling.size;
    let Place { picture, row, column } = tiling.place(tile);
    for channel in (0..channels).step_by(S::F32_LANES) {
        let mut values = [[simd.splat_f32s(0.0); IN]; IN];
        for (r, values) in values.iter_mut().enumerate() {
            let Some(h) = (row + r).checked_sub(1).filter(|&h| h < height) else { continue };
            for (c, value) in values.iter_mut().enumerate() {
                let Some(w) = (column + c).checked_sub(1).filter(|&w| w < width) else { continue };
                let at = ((picture * height + h) * width + w) * channels + channel;
                let (vector, _) = S::as_simd_f32s(&x[at..at + S::F32_LANES]);
                *value = vector[0];
            }
        }
        let values = sandwich::<S, InputSide, _, _>(simd, values);
        for r in 0..IN {
            for c in 0..IN {
                let at = (r * IN + c) * channels + channel;
                let (vector, _) = S::as_mut_simd_f32s(&mut to[at..at + S::F32_LANES]);
                vector[0] = values[r][c];
            }
        }
    }
}
