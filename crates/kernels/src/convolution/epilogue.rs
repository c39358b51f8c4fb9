//! What happens to a convolution's sums before they are stored.

use crate::activation::{Activation, Function, Relu, Silu};
use crate::passes::{Formula, pass};
use crate::product::Tile;
use pulp::{Arch, Simd, WithSimd};

/// `f(scale * sum + shift + residual)`; every part may be missing.
///
/// With `scale` and `shift` of a batch norm this is the folded form of inference: one multiply-add for each value
/// instead of three more passes over the map.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Epilogue<'a> {
    /// Scale and shift of each channel.
    pub(crate) affine: Option<(&'a [f32], &'a [f32])>,
    /// Of the size of the whole result.
    pub(crate) residual: Option<&'a [f32]>,
    pub(crate) activation: Activation,
}

impl Epilogue<'_> {
    /// The epilogue of a part of the result that begins at `start`.
    pub(crate) fn from(&self, start: usize) -> Self {
        Self { residual: self.residual.map(|residual| &residual[start..]), ..*self }
    }

    /// Stores the tile's rows at `places` in `part`, `first` being the first of the `channels` it holds.
    #[inline(always)]
    pub(crate) fn store<S: Simd, const HEIGHT: usize, const VECTORS: usize>(
        &self,
        simd: S,
        tile: &Tile<S, HEIGHT, VECTORS>,
        places: &[usize],
        first: usize,
        channels: usize,
        part: &mut [f32],
    ) {
        let width = VECTORS * S::F32_LANES;
        for r in 0..HEIGHT {
            let place = places[r] + first;
            if first + width <= channels {
                self.store_row(simd, &tile[r], first, place, part);
            } else {
                for v in 0..VECTORS {
                    let channel = first + v * S::F32_LANES;
                    let lanes = S::F32_LANES.min(channels.saturating_sub(channel));
                    self.store_lanes(
                        simd,
                        tile[r][v],
                        channel,
                        lanes,
                        place + v * S::F32_LANES,
                        part,
                    );
                }
            }
        }
    }

    /// Stores whole vectors, the first of which begins at `channel`, at `place`.
    #[inline(always)]
    pub(crate) fn store_row<S: Simd, const VECTORS: usize>(
        &self,
        simd: S,
        row: &[S::f32s; VECTORS],
        channel: usize,
        place: usize,
        part: &mut [f32],
    ) {
        let width = VECTORS * S::F32_LANES;
        let mut row = *row;
        if let Some((scale, shift)) = self.affine {
            let (scale, _) = S::as_simd_f32s(&scale[channel..][..width]);
            let (shift, _) = S::as_simd_f32s(&shift[channel..][..width]);
            for v in 0..VECTORS {
                row[v] = simd.mul_add_e_f32s(row[v], scale[v], shift[v]);
            }
        }
        if let Some(residual) = self.residual {
            let (residual, _) = S::as_simd_f32s(&residual[place..][..width]);
            for v in 0..VECTORS {
                row[v] = simd.add_f32s(row[v], residual[v]);
            }
        }
        let (part, _) = S::as_mut_simd_f32s(&mut part[place..][..width]);
        for v in 0..VECTORS {
            part[v] = self.cut(simd, row[v]);
        }
    }

    /// Stores the first lanes of a vector that begins at `channel`, at `place`.
    #[inline(always)]
    fn store_lanes<S: Simd>(
        &self,
        simd: S,
        value: S::f32s,
        channel: usize,
        lanes: usize,
        place: usize,
        part: &mut [f32],
    ) {
        if lanes == 0 {
            return;
        }
        let mut value = value;
        if let Some((scale, shift)) = self.affine {
            let scale = simd.partial_load_f32s(&scale[channel..channel + lanes]);
            let shift = simd.partial_load_f32s(&shift[channel..channel + lanes]);
            value = simd.mul_add_e_f32s(value, scale, shift);
        }
        if let Some(residual) = self.residual {
            value = simd.add_f32s(value, simd.partial_load_f32s(&residual[place..place + lanes]));
        }
        simd.partial_store_f32s(&mut part[place..place + lanes], self.cut(simd, value));
    }

    /// The activations that cost one instruction, while the value is in a register.
    #[inline(always)]
    fn cut<S: Simd>(&self, simd: S, value: S::f32s) -> S::f32s {
        match self.activation {
            Activation::Relu => Relu.apply(simd, value),
            Activation::None | Activation::Silu => value,
        }
    }

    /// The other activations, on a part whose values are all stored: in every tile they would be compiled a hundred
    /// times.
    pub(crate) fn finish(&self, part: &mut [f32]) {
        match self.activation {
            Activation::None | Activation::Relu => {}
            Activation::Silu => Arch::new().dispatch(Finish { part }),
        }
    }
}

/// `z * sigmoid(z)` in place.
struct Finish<'a> {
    part: &'a mut [f32],
}

impl WithSimd for Finish<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        pass(simd, InPlace, [], [self.part]);
    }
}

#[derive(Clone, Copy)]
struct InPlace;

impl Formula<0, 1> for InPlace {
    #[inline(always)]
    fn at<S: Simd>(self, simd: S, _: [S::f32s; 0], [value]: [S::f32s; 1]) -> [S::f32s; 1] {
        [Silu.apply(simd, value)]
    }
}
