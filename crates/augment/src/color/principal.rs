//! The principal components of a picture's colours.

use pulp::{Arch, Simd, WithSimd};

/// Pixels summed in 32 bits: 255 squared times this stays below 2^32.
const RUN: usize = 1 << 12;
const BLOCK: usize = 64;

/// Sums over all pixels.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Moments {
    count: u64,
    /// Of red, green and blue.
    sums: [u64; 3],
    /// Of the products red red, green green, blue blue, red green, red blue, green blue.
    products: [u64; 6],
}

impl Moments {
    pub(crate) fn of(pixels: &[[u8; 3]]) -> Self {
        Arch::new().dispatch(Sum { pixels })
    }

    /// The mean of each channel.
    pub(crate) fn mean(&self) -> [f64; 3] {
        self.sums.map(|sum| sum as f64 / self.count as f64)
    }

    /// The unbiased covariance of the channels; `None` for a single pixel.
    pub(crate) fn covariance(&self) -> Option<[[f64; 3]; 3]> {
        if self.count < 2 {
            return None;
        }
        let of = |product: usize, first: usize, second: usize| {
            // Exact until the division: the sums of a picture of 2^48 levels would fit.
            let count = i128::from(self.count);
            let squares = i128::from(self.products[product]) * count;
            let central = squares - i128::from(self.sums[first]) * i128::from(self.sums[second]);
            central as f64 / (self.count as f64 * (self.count - 1) as f64)
        };
        let [red_green, red_blue, green_blue] = [of(3, 0, 1), of(4, 0, 2), of(5, 1, 2)];
        Some([
            [of(0, 0, 0), red_green, red_blue],
            [red_green, of(1, 1, 1), green_blue],
            [red_blue, green_blue, of(2, 2, 2)],
        ])
    }
}

struct Sum<'a> {
    pixels: &'a [[u8; 3]],
}

impl WithSimd for Sum<'_> {
    type Output = Moments;

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) -> Moments {
        let mut moments = Moments { count: self.pixels.len() as u64, ..Moments::default() };
        for run in self.pixels.chunks(RUN) {
            let mut sums = [0_u32; 9];
            let (blocks, rest) = run.as_chunks::<BLOCK>();
            for block in blocks {
                add(block, &mut sums);
            }
            let mut last = [[0; 3]; BLOCK];
            last[..rest.len()].copy_from_slice(rest);
            add(&last, &mut sums);
            for (total, sum) in moments.sums.iter_mut().chain(&mut moments.products).zip(sums) {
                *total += u64::from(sum);
            }
        }
        moments
    }
}

/// Adds the levels and products of a block.
#[inline(always)]
fn add(block: &[[u8; 3]; BLOCK], sums: &mut [u32; 9]) {
    let bytes = block.as_flattened();
    let mut planes = [[0_i16; BLOCK]; 3];
    for i in 0..BLOCK {
        for (channel, plane) in planes.iter_mut().enumerate() {
            plane[i] = i16::from(bytes[3 * i + channel]);
        }
    }
    let [red, green, blue] = &planes;
    for (sum, plane) in sums.iter_mut().zip(&planes) {
        *sum += plane.iter().map(|&level| u32::from(level.cast_unsigned())).sum::<u32>();
    }
    let pairs =
        [(red, red), (green, green), (blue, blue), (red, green), (red, blue), (green, blue)];
    for (sum, (first, second)) in sums[3..].iter_mut().zip(pairs) {
        let products = first.iter().zip(second).map(|(&a, &b)| i32::from(a) * i32::from(b));
        *sum += products.sum::<i32>().cast_unsigned();
    }
}

/// A direction of colours and how much they vary along it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Component {
    /// Of length 1; the largest part is positive.
    pub(crate) direction: [f64; 3],
    pub(crate) variance: f64,
}

/// The eigenvectors of a symmetric matrix by falling eigenvalue, with Jacobi's rotations.
pub(crate) fn components(mut matrix: [[f64; 3]; 3]) -> [Component; 3] {
    // Each sweep squares what is left beside the diagonal; six are enough for `f64`, the rest is for safety.
    const SWEEPS: usize = 10;
    let mut vectors = [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]];
    for _ in 0..SWEEPS {
        for (p, q) in [(0, 1), (0, 2), (1, 2)] {
            let beside: f64 = matrix[p][q];
            if beside == 0.0 {
                continue;
            }
            let theta = (matrix[q][q] - matrix[p][p]) / (2.0 * beside);
            let tangent = theta.signum() / (theta.abs() + theta.hypot(1.0));
            let cosine = 1.0 / tangent.hypot(1.0);
            let sine = tangent * cosine;
            for row in &mut matrix {
                (row[p], row[q]) =
                    (cosine * row[p] - sine * row[q], sine * row[p] + cosine * row[q]);
            }
            let (above, below) = (matrix[p], matrix[q]);
            matrix[p] = [0, 1, 2].map(|i: usize| cosine * above[i] - sine * below[i]);
            matrix[q] = [0, 1, 2].map(|i: usize| sine * above[i] + cosine * below[i]);
            for vector in &mut vectors {
                (vector[p], vector[q]) =
                    (cosine * vector[p] - sine * vector[q], sine * vector[p] + cosine * vector[q]);
            }
        }
    }
    let mut components = [0, 1, 2].map(|column: usize| {
        let direction = vectors.map(|row| row[column]);
        let largest = direction.iter().copied().fold(0.0, |largest: f64, part| {
            if part.abs() > largest.abs() { part } else { largest }
        });
        let direction = direction.map(|part| part * largest.signum());
        Component { direction, variance: matrix[column][column] }
    });
    components.sort_by(|first, second| second.variance.total_cmp(&first.variance));
    components
}

#[cfg(test)]
mod tests {
    use super::{Moments, components};

    #[test]
    fn sums_equal_those_of_single_pixels() {
        for len in [1, 63, 64, 65, 9000] {
            let pixels: Vec<[u8; 3]> = (0..len * 3_usize)
                .map(|i| (i * i * 31 % 257).to_le_bytes()[0])
                .collect::<Vec<_>>()
                .as_chunks::<3>()
                .0
                .to_vec();
            let sum = |of: fn([u64; 3]) -> u64| pixels.iter().map(|p| of(p.map(u64::from))).sum();
            let expect = Moments {
                count: len as u64,
                sums: [sum(|p| p[0]), sum(|p| p[1]), sum(|p| p[2])],
                products: [
                    sum(|p| p[0] * p[0]),
                    sum(|p| p[1] * p[1]),
                    sum(|p| p[2] * p[2]),
                    sum(|p| p[0] * p[1]),
                    sum(|p| p[0] * p[2]),
                    sum(|p| p[1] * p[2]),
                ],
            };
            assert_eq!(Moments::of(&pixels), expect, "{len} pixels");
        }
    }

    #[test]
    fn components_make_the_matrix_again() {
        for matrix in [
            [[4.0, 1.0, 0.5], [1.0, 3.0, -0.7], [0.5, -0.7, 9.0]],
            [[2.0, 2.0, 2.0], [2.0, 2.0, 2.0], [2.0, 2.0, 2.0]],
            [[0.0; 3]; 3],
            [[1.0, 0.0, 0.0], [0.0, 5.0, 0.0], [0.0, 0.0, 3.0]],
        ] {
            let found = components(matrix);
            assert!(found.is_sorted_by(|a, b| a.variance >= b.variance));
            for (i, row) in matrix.iter().enumerate() {
                for (j, &expect) in row.iter().enumerate() {
                    let part = |c: &super::Component| c.variance * c.direction[i] * c.direction[j];
                    let sum: f64 = found.iter().map(part).sum();
                    assert!((sum - expect).abs() < 1e-12, "{matrix:?}: {found:?}");
                }
            }
        }
    }
}
