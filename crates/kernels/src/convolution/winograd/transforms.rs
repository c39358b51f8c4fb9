//! The constant matrices of F(4x4, 3x3), as additions and a few multiplications of vectors.

#![allow(clippy::many_single_char_names, reason = "the elements of a vector, a to f")]

use super::{IN, OUT};
use pulp::Simd;

/// A vector of each of the 36 points, which lie `width` floats apart.
#[inline(always)]
pub(super) fn load<S: Simd>(
    simd: S,
    from: &[f32],
    width: usize,
    first: usize,
) -> [[S::f32s; IN]; IN] {
    let mut values = [[simd.splat_f32s(0.0); IN]; IN];
    for row in 0..IN {
        for column in 0..IN {
            let at = (row * IN + column) * width + first;
            let (vector, _) = S::as_simd_f32s(&from[at..at + S::F32_LANES]);
            values[row][column] = vector[0];
        }
    }
    values
}

/// A constant matrix that multiplies vectors. A trait, for a call through `Fn` is not always inlined.
pub(super) trait Side<const FROM: usize, const TO: usize> {
    fn times<S: Simd>(simd: S, vector: [S::f32s; FROM]) -> [S::f32s; TO];
}

/// `T m T'` of a side `T`.
#[inline(always)]
pub(super) fn sandwich<S: Simd, T: Side<FROM, TO>, const FROM: usize, const TO: usize>(
    simd: S,
    matrix: [[S::f32s; FROM]; FROM],
) -> [[S::f32s; TO]; TO] {
    let zero = simd.splat_f32s(0.0);
    let mut half = [[zero; FROM]; TO];
    for c in 0..FROM {
        let mut column = [zero; FROM];
        for r in 0..FROM {
            column[r] = matrix[r][c];
        }
        let column = T::times(simd, column);
        for r in 0..TO {
            half[r][c] = column[r];
        }
    }
    let mut whole = [[zero; TO]; TO];
    for r in 0..TO {
        whole[r] = T::times(simd, half[r]);
    }
    whole
}

/// `B' v`.
pub(super) struct InputSide;

impl Side<IN, IN> for InputSide {
    #[inline(always)]
    fn times<S: Simd>(s: S, [a, b, c, d, e, f]: [S::f32s; 6]) -> [S::f32s; 6] {
        let two = s.splat_f32s(2.0);
        let four = s.splat_f32s(4.0);
        let minus_four = s.splat_f32s(-4.0);
        let minus_five = s.splat_f32s(-5.0);
        let even = s.mul_add_e_f32s(minus_four, c, e); // e - 4c
        let odd = s.mul_add_e_f32s(minus_four, b, d); // d - 4b
        let near = s.sub_f32s(e, c);
        let far = s.mul_f32s(two, s.sub_f32s(d, b));
        [
            s.mul_add_e_f32s(four, a, s.mul_add_e_f32s(minus_five, c, e)),
            s.add_f32s(even, odd),
            s.sub_f32s(even, odd),
            s.add_f32s(near, far),
            s.sub_f32s(near, far),
            s.mul_add_e_f32s(four, b, s.mul_add_e_f32s(minus_five, d, f)),
        ]
    }
}

/// `A' v`.
pub(super) struct OutputSide;

impl Side<IN, OUT> for OutputSide {
    #[inline(always)]
    fn times<S: Simd>(s: S, [a, b, c, d, e, f]: [S::f32s; 6]) -> [S::f32s; 4] {
        let (sum, difference) = (s.add_f32s(b, c), s.sub_f32s(b, c));
        let (far_sum, far_difference) = (s.add_f32s(d, e), s.sub_f32s(d, e));
        [
            s.add_f32s(a, s.add_f32s(sum, far_sum)),
            s.mul_add_e_f32s(s.splat_f32s(2.0), far_difference, difference),
            s.mul_add_e_f32s(s.splat_f32s(4.0), far_sum, sum),
            s.add_f32s(f, s.mul_add_e_f32s(s.splat_f32s(8.0), far_difference, difference)),
        ]
    }
}

/// `A v`, the transpose of [`OutputSide`].
pub(super) struct GradientSide;

impl Side<OUT, IN> for GradientSide {
    #[inline(always)]
    fn times<S: Simd>(s: S, [a, b, c, d]: [S::f32s; 4]) -> [S::f32s; 6] {
        let (even, odd) = (s.add_f32s(a, c), s.add_f32s(b, d));
        let far_even = s.mul_add_e_f32s(s.splat_f32s(4.0), c, a);
        let far_odd = s.mul_add_e_f32s(s.splat_f32s(8.0), d, s.add_f32s(b, b));
        [
            a,
            s.add_f32s(even, odd),
            s.sub_f32s(even, odd),
            s.add_f32s(far_even, far_odd),
            s.sub_f32s(far_even, far_odd),
            d,
        ]
    }
}

/// `G v`.
pub(super) struct WeightSide;

impl Side<3, IN> for WeightSide {
    #[inline(always)]
    fn times<S: Simd>(s: S, [a, b, c]: [S::f32s; 3]) -> [S::f32s; 6] {
        let outer = s.mul_f32s(s.splat_f32s(-1.0 / 6.0), s.add_f32s(a, c));
        let middle = s.mul_f32s(s.splat_f32s(1.0 / 6.0), b);
        let far_outer =
            s.mul_add_e_f32s(s.splat_f32s(1.0 / 6.0), c, s.mul_f32s(s.splat_f32s(1.0 / 24.0), a));
        let far_middle = s.mul_f32s(s.splat_f32s(1.0 / 12.0), b);
        [
            s.mul_f32s(s.splat_f32s(0.25), a),
            s.sub_f32s(outer, middle),
            s.add_f32s(outer, middle),
            s.add_f32s(far_outer, far_middle),
            s.sub_f32s(far_outer, far_middle),
            c,
        ]
    }
}

/// `G' v`, the transpose of [`WeightSide`].
pub(super) struct FilterSide;

impl Side<IN, 3> for FilterSide {
    #[inline(always)]
    fn times<S: Simd>(s: S, [a, b, c, d, e, f]: [S::f32s; 6]) -> [S::f32s; 3] {
        let sixth = s.splat_f32s(1.0 / 6.0);
        let near = s.mul_f32s(sixth, s.add_f32s(b, c));
        let far = s.add_f32s(d, e);
        [
            s.mul_add_e_f32s(
                s.splat_f32s(0.25),
                a,
                s.mul_add_e_f32s(
                    s.splat_f32s(1.0 / 24.0),
                    far,
                    s.mul_f32s(s.splat_f32s(-1.0), near),
                ),
            ),
            s.mul_add_e_f32s(
                s.splat_f32s(1.0 / 12.0),
                s.sub_f32s(d, e),
                s.mul_f32s(sixth, s.sub_f32s(c, b)),
            ),
            s.add_f32s(f, s.mul_add_e_f32s(sixth, far, s.mul_f32s(s.splat_f32s(-1.0), near))),
        ]
    }
}
