//! Random numbers that change slowly from pixel to pixel, as white noise does that a bell curve blurs.
//!
//! Noise that is blurred with a wide curve holds little, so it is made on a coarse lattice, which a narrower curve
//! blurs, and cubic B-splines lead from point to point. The variances of the curve and of the spline add up to that of
//! the wide curve, so that the covariance of two pixels is the same as if every pixel had its noise.

use super::bilinear::{BLOCK, Places};
use crate::erasing::mixed_bits::splitmix64;
use crate::image::Size;
use crate::round::{factor, pixels_down};
use pulp::{Arch, Simd, WithSimd};
use std::cell::RefCell;

/// What is the same for all pictures.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct SmoothNoise {
    /// Pixels from one point of the lattice to the next.
    spacing: usize,
    /// The curve that blurs the lattice, from its middle on; its weights sum to 1.
    taps: Vec<f32>,
    /// For each pixel after a point of the lattice, the weights of that point's and the next three splines.
    splines: Vec<[f32; 4]>,
    /// What one step of a sum of four random numbers of 16 bits is worth, for the variance of the blurred noise.
    step: f64,
}

impl SmoothNoise {
    /// Standard normal noise blurred with a bell curve of `sigma`, at least 1, in `size` pixels, which is odd.
    pub(crate) fn new(sigma: f64, size: u32) -> Self {
        let wide = bell(sigma, size / 2);
        let variance = moment(&wide, 2);
        let spacing = pixels_down(variance.sqrt() / 2.0).max(1);
        let narrow = (variance / f64::from(spacing).powi(2) - 1.0 / 3.0).max(0.1).sqrt();
        let taps = bell(narrow, pixels_down(narrow * 3.0) + 1);
        // Between two points the lattice is a little more even than on them.
        let power = f64::midpoint(lattice_power(&taps, 0.0), lattice_power(&taps, 0.5));
        // Four numbers of 16 bits have a third of the variance of their range, squared.
        let step = power_of(&wide) / power * 3.0_f64.sqrt() / 65_536.0;
        Self {
            spacing: spacing as usize,
            taps: taps.iter().map(|&tap| factor(tap)).collect(),
            splines: (0..spacing)
                .map(|at| spline(f64::from(at) / f64::from(spacing)).map(factor))
                .collect(),
            step,
        }
    }

    /// Moves every pixel by the noise of `seed`, `times` as strong: each axis by its own, or both by the same.
    pub(crate) fn displace<R>(
        &self,
        size: Size,
        seed: u64,
        times: f64,
        same: bool,
        use_places: impl FnOnce(Displaced<'_>) -> R,
    ) -> R {
        let lattice = Lattice::new(self, size);
        LATTICES.with_borrow_mut(|buffers| {
            let [noise, points, line] = buffers;
            let fields = if same { 1 } else { 2 };
            noise.resize(lattice.noise_width * lattice.noise_height, 0.0);
            points.resize(lattice.width * (lattice.noise_height + lattice.height * fields), 0.0);
            let (between, points) = points.split_at_mut(lattice.width * lattice.noise_height);
            let step = factor(times * self.step);
            for (place, points) in
                (0_u64..).zip(points.chunks_exact_mut(lattice.width * lattice.height))
            {
                let seed = seed.wrapping_add(place.wrapping_mul(noise.len() as u64));
                Arch::new().dispatch(Blur {
                    lattice,
                    seed,
                    step,
                    taps: &self.taps,
                    noise,
                    between,
                    points,
                });
            }
            let row = (size.width as usize).next_multiple_of(BLOCK);
            line.resize(lattice.width + 2 * row, 0.0);
            let (line, rows) = line.split_at_mut(lattice.width);
            use_places(Displaced { noise: self, lattice, points, line, rows, row })
        })
    }
}

thread_local! {
    static LATTICES: RefCell<[Vec<f32>; 3]> = const { RefCell::new([const { Vec::new() }; 3]) };
}

/// A bell curve from its middle on; its weights sum to 1 when both sides are counted.
fn bell(sigma: f64, radius: u32) -> Vec<f64> {
    let weight = |away: u32| (-0.5 * (f64::from(away) / sigma).powi(2)).exp();
    let total = 1.0 + 2.0 * (1..=radius).map(weight).sum::<f64>();
    (0..=radius).map(|away| weight(away) / total).collect()
}

/// The moment of a symmetric curve about its middle.
fn moment(weights: &[f64], order: i32) -> f64 {
    let sides = weights.iter().enumerate().skip(1);
    2.0 * sides.map(|(away, weight)| (away as f64).powi(order) * weight).sum::<f64>()
}

/// The variance of unit noise after a symmetric curve.
fn power_of(weights: &[f64]) -> f64 {
    let squares = |weights: &[f64]| weights.iter().map(|weight| weight * weight).sum::<f64>();
    weights.split_first().map_or(1.0, |(middle, sides)| middle * middle + 2.0 * squares(sides))
}

/// The variance of unit noise on the lattice, blurred and led over to `part` of the way from one point to the next.
fn lattice_power(taps: &[f64], part: f64) -> f64 {
    let radius = taps.len().cast_signed() - 1;
    let splines = spline(part);
    let tap = |away: isize| taps.get(away.unsigned_abs()).copied().unwrap_or(0.0);
    (-radius..=radius + 3)
        .map(|point| {
            let weight: f64 =
                (0..4).zip(splines).map(|(at, spline)| spline * tap(point - at)).sum();
            weight * weight
        })
        .sum()
}

/// The weights of the four cubic B-splines over the way from one point to the next.
fn spline(part: f64) -> [f64; 4] {
    let rest = 1.0 - part;
    let middle = |part: f64| (4.0 - 6.0 * part * part + 3.0 * part * part * part) / 6.0;
    [rest * rest * rest / 6.0, middle(part), middle(rest), part * part * part / 6.0]
}

/// The lattice of one picture.
#[derive(Debug, Clone, Copy)]
struct Lattice {
    /// Points of the blurred lattice.
    width: usize,
    height: usize,
    /// Points with noise.
    noise_width: usize,
    noise_height: usize,
}

impl Lattice {
    fn new(noise: &SmoothNoise, size: Size) -> Self {
        let points = |len: u32| (len as usize - 1) / noise.spacing + 4;
        let (width, height) = (points(size.width), points(size.height));
        let border = 2 * (noise.taps.len() - 1);
        Self { width, height, noise_width: width + border, noise_height: height + border }
    }
}

/// Makes noise and blurs it.
struct Blur<'a> {
    lattice: Lattice,
    seed: u64,
    step: f32,
    taps: &'a [f32],
    noise: &'a mut [f32],
    /// The noise once its rows are blurred.
    between: &'a mut [f32],
    points: &'a mut [f32],
}

impl WithSimd for Blur<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let Self { lattice, seed, step, taps, noise, between, points } = self;
        for (place, number) in (0_u64..).zip(noise.iter_mut()) {
            let bits = splitmix64(seed.wrapping_add(place));
            let sum =
                (bits & 0xFFFF) + (bits >> 16 & 0xFFFF) + (bits >> 32 & 0xFFFF) + (bits >> 48);
            // Below 2^18, so that nothing is lost.
            let sum = i32::try_from(sum).unwrap_or_default() - 2 * 65_535;
            *number = sum as f32 * step;
        }
        let radius = taps.len() - 1;
        let rows = between.chunks_exact_mut(lattice.width);
        for (row, noise) in rows.zip(noise.chunks_exact(lattice.noise_width)) {
            weigh(row, taps, |away| &noise[(radius.cast_signed() + away).cast_unsigned()..]);
        }
        for (y, row) in points.chunks_exact_mut(lattice.width).enumerate() {
            weigh(row, taps, |away| {
                &between[(y + radius).wrapping_add_signed(away) * lattice.width..]
            });
        }
    }
}

/// Sums what lies around, each times its weight.
#[inline(always)]
fn weigh<'a>(row: &mut [f32], taps: &[f32], at: impl Fn(isize) -> &'a [f32]) {
    for (sum, number) in row.iter_mut().zip(at(0)) {
        *sum = number * taps[0];
    }
    for (away, tap) in (1_isize..).zip(&taps[1..]) {
        for ((sum, before), after) in row.iter_mut().zip(at(-away)).zip(at(away)) {
            *sum += (before + after) * tap;
        }
    }
}

/// Places that noise has moved.
pub(crate) struct Displaced<'a> {
    noise: &'a SmoothNoise,
    lattice: Lattice,
    /// The blurred lattice of each axis, or that of both.
    points: &'a [f32],
    /// The lattice in the height of the row at hand.
    line: &'a mut [f32],
    /// How far the pixels of the row at hand are moved across, then down.
    rows: &'a mut [f32],
    /// Length of each of the two.
    row: usize,
}

impl Displaced<'_> {
    /// Makes the moves of row `y`.
    #[inline(always)]
    fn move_to(&mut self, y: u32) {
        let Lattice { width, height, .. } = self.lattice;
        let (spacing, splines) = (self.noise.spacing, &self.noise.splines);
        let above = y as usize / spacing * width;
        let weights = splines[y as usize % spacing];
        for (points, row) in
            self.points.chunks_exact(width * height).zip(self.rows.chunks_exact_mut(self.row))
        {
            let around: [&[f32]; 4] =
                std::array::from_fn(|step| &points[above + step * width..][..width]);
            for (i, point) in self.line.iter_mut().enumerate() {
                *point = (around[0][i] * weights[0] + around[1][i] * weights[1])
                    + (around[2][i] * weights[2] + around[3][i] * weights[3]);
            }
            for (cell, points) in row.chunks_mut(spacing).zip(self.line.windows(4)) {
                for (place, weights) in cell.iter_mut().zip(splines) {
                    *place = (points[0] * weights[0] + points[1] * weights[1])
                        + (points[2] * weights[2] + points[3] * weights[3]);
                }
            }
        }
        if self.points.len() == width * height {
            let (across, down) = self.rows.split_at_mut(self.row);
            down.copy_from_slice(across);
        }
    }
}

impl Places for Displaced<'_> {
    type Number = f32;

    #[inline(always)]
    fn block(&mut self, x: u32, y: u32, across: &mut [f32; BLOCK], down: &mut [f32; BLOCK]) {
        if x == 0 {
            self.move_to(y);
        }
        let start = x as usize;
        let row = y as f32;
        let (moves_across, moves_down) = self.rows.split_at(self.row);
        let moves =
            moves_across[start..start + BLOCK].iter().zip(&moves_down[start..start + BLOCK]);
        for (i, (move_across, move_down)) in (0_u16..).zip(moves) {
            across[usize::from(i)] = x as f32 + f32::from(i) + move_across;
            down[usize::from(i)] = row + move_down;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::SmoothNoise;
    use crate::geometry::bilinear::{BLOCK, Places};
    use crate::image::Size;

    /// The moves of many fields, row by row: across and down.
    fn moves(sigma: f64, size: u32, side: u32) -> Vec<[Vec<f64>; 2]> {
        let noise = SmoothNoise::new(sigma, size);
        let one = |seed: u64| {
            noise.displace(Size::square(side), seed << 32, 1.0, false, |mut places| {
                let (mut across, mut down) = (Vec::new(), Vec::new());
                let mut block = [[0.0; BLOCK]; 2];
                for y in 0..side {
                    for x in (0..side).step_by(BLOCK) {
                        let [xs, ys] = &mut block;
                        places.block(x, y, xs, ys);
                        across.extend(
                            xs.iter().zip(x..).map(|(at, x)| f64::from(*at) - f64::from(x)),
                        );
                        down.extend(ys.iter().map(|at| f64::from(*at) - f64::from(y)));
                    }
                }
                [across, down]
            })
        };
        (0..40).map(one).collect()
    }

    #[test]
    fn noise_has_the_strength_and_the_width_of_blurred_noise() {
        for (sigma, size) in [(1.0, 9), (1.9, 17), (3.0, 25), (6.0, 49), (11.0, 89), (4.0, 7)] {
            let side = 128;
            let fields = moves(sigma, size, side);
            let mean = |of: &dyn Fn(&[Vec<f64>; 2], usize) -> f64, step: usize| {
                let places = (0..side as usize * (side as usize - step)).step_by(3);
                let sum: f64 = fields
                    .iter()
                    .map(|field| places.clone().map(|at| of(field, at)).sum::<f64>())
                    .sum();
                sum / (fields.len() * places.count()) as f64
            };
            let wide = super::bell(sigma, size / 2);
            let expect = super::power_of(&wide);
            for axis in [0, 1] {
                let found = mean(&|field, at| field[axis][at].powi(2), 0).sqrt();
                assert!((found / expect - 1.0).abs() < 0.1, "{sigma}: {found}, not {expect}");
            }
            // Rows that are apart by about the width of the curve.
            let width = super::moment(&wide, 2).sqrt();
            let step = crate::round::pixels_up(width) as usize;
            let found = mean(&|field, at| field[0][at] * field[0][at + step * side as usize], step)
                / expect.powi(2);
            let expect = (-(step as f64 / width).powi(2) / 4.0).exp();
            assert!((found - expect).abs() < 0.08, "{sigma}: {found}, not {expect}");
            let mixed = mean(&|field, at| field[0][at] * field[1][at], 0);
            assert!(
                mixed.abs() < 0.1 * super::power_of(&wide).powi(2),
                "{sigma}: axes agree, {mixed}"
            );
        }
    }
}
