//! The transformed filters.

use super::transforms::{WeightSide, sandwich};
use super::{IN, POINTS};
use crate::product::Panels;
use pulp::{Arch, Simd, WithSimd};

/// Filters that are gathered together from the weight.
const GATHERED: usize = 8;

/// Runs `work` on `U = G g G'` for all pairs of channels, as a matrix of rows `(point, from)`, one unused row behind
/// each point, and columns `to`; `place(from, to, tap)` finds the tap of a filter.
pub(super) fn with_transformed_weights(
    from: usize,
    to: usize,
    place: impl Fn(usize, usize, usize) -> usize + Sync,
    weight: &[f32],
    work: impl FnOnce(&Panels<'_>),
) {
    struct Fill<'a, P> {
        from: usize,
        to: usize,
        first: usize,
        place: &'a P,
        weight: &'a [f32],
        panel: &'a mut [f32],
    }
    impl<P: Fn(usize, usize, usize) -> usize> WithSimd for Fill<'_, P> {
        type Output = ();
        #[inline(always)]
        fn with_simd<S: Simd>(self, simd: S) {
            // The unused row keeps the 36 points of a filter out of each other's sets of a cache.
            let rows = self.from + 1;
            let width = self.panel.len() / (POINTS * rows);
            let lanes = S::F32_LANES;
            let mut filters = [[[0.0_f32; 32]; 9]; GATHERED];
            for start in (0..self.from).step_by(GATHERED) {
                for column in 0..width.min(self.to - self.first) {
                    for (from, filter) in (start..self.from).zip(&mut filters) {
                        for (tap, row) in filter.iter_mut().enumerate() {
                            row[column] = self.weight[(self.place)(from, self.first + column, tap)];
                        }
                    }
                }
                for (from, filter) in (start..self.from).zip(&filters) {
                    for first in (0..width).step_by(lanes) {
                        let mut taps = [[simd.splat_f32s(0.0); 3]; 3];
                        for row in 0..3 {
                            for column in 0..3 {
                                let (values, _) =
                                    S::as_simd_f32s(&filter[row * 3 + column][first..]);
                                taps[row][column] = values[0];
                            }
                        }
                        let transformed = sandwich::<S, WeightSide, _, _>(simd, taps);
                        for row in 0..IN {
                            for column in 0..IN {
                                let at = ((row * IN + column) * rows + from) * width + first;
                                let (values, _) =
                                    S::as_mut_simd_f32s(&mut self.panel[at..at + lanes]);
                                values[0] = transformed[row][column];
                            }
                        }
                    }
                }
            }
        }
    }
    let arch = Arch::new();
    let fill = |first: usize, panel: &mut [f32]| {
        arch.dispatch(Fill { from, to, first, place: &place, weight, panel });
    };
    Panels::with(POINTS * (from + 1), to, fill, work);
}
