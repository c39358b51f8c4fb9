//! How much each pixel of a row counts for a pixel of the resized row.

use crate::geometry::interpolation::Interpolation;
use crate::round::pixel_at;
use std::f64::consts::PI;

/// Bits after the point of a weight: what 32 bits leave when 8 are the level's and 2 are for sums above one.
pub(super) const PRECISION: u32 = 32 - 8 - 2;
/// Half a level, which the shift after the sum rounds with.
pub(super) const HALF: i32 = 1 << (PRECISION - 1);

/// How a weight falls with the distance.
#[derive(Debug, Clone, Copy)]
pub(super) struct Filter {
    /// The weight at a distance in pixels of the smaller picture.
    weight: fn(f64) -> f64,
    /// The distance from which on it is 0.
    support: f64,
}

impl Filter {
    /// `None` for the interpolation without weights.
    pub(super) fn of(interpolation: Interpolation) -> Option<Self> {
        match interpolation {
            Interpolation::Nearest => None,
            Interpolation::Bilinear => Some(Self { weight: triangle, support: 1.0 }),
            Interpolation::Bicubic => Some(Self { weight: cubic, support: 2.0 }),
            Interpolation::Lanczos => Some(Self { weight: lanczos, support: 3.0 }),
        }
    }
}

/// The pixels that one resized pixel is a weighted sum of.
#[derive(Debug, Clone, Copy)]
pub(super) struct Taps<'a> {
    /// The first of them.
    pub(super) start: usize,
    /// One weight each, in units of 2 to the minus [`PRECISION`].
    pub(super) weights: &'a [i32],
}

/// The taps of a whole row or column.
#[derive(Debug)]
pub(super) struct Weights {
    /// The first tap of each resized pixel, and how many there are.
    taps: Vec<(usize, usize)>,
    /// `most` of each resized pixel, of which it uses the first few.
    padded: Vec<i32>,
    most: usize,
}

impl Weights {
    /// For `from` pixels that become `to`.
    pub(super) fn new(from: u32, to: u32, Filter { weight, support }: Filter) -> Self {
        let scale = f64::from(from) / f64::from(to);
        // A picture that shrinks is blurred as much as it shrinks.
        let widened = scale.max(1.0);
        let (support, shrink) = (support * widened, 1.0 / widened);
        let most = pixel_at(support.ceil()) * 2 + 1;
        let count = to as usize;
        let mut made = Self {
            taps: Vec::with_capacity(count),
            padded: Vec::with_capacity(count * most),
            most,
        };
        let mut exact = Vec::with_capacity(most);
        for pixel in 0..to {
            let centre = (f64::from(pixel) + 0.5) * scale;
            let start = pixel_at((centre - support + 0.5).max(0.0));
            let end = pixel_at(centre + support + 0.5).min(from as usize);
            exact.clear();
            exact.extend((start..end).map(|tap| weight((tap as f64 - centre + 0.5) * shrink)));
            // In this order, because the last bit of the sum decides how a weight is rounded.
            let sum: f64 = exact.iter().sum();
            if sum != 0.0 {
                for weight in &mut exact {
                    *weight /= sum;
                }
            }
            made.taps.push((start, exact.len()));
            made.padded.extend(exact.iter().copied().map(fixed_point));
            made.padded.resize(made.taps.len() * most, 0);
        }
        made
    }

    /// The taps of each resized pixel.
    pub(super) fn taps(&self) -> impl Iterator<Item = Taps<'_>> {
        let rows = self.padded.chunks_exact(self.most);
        self.taps
            .iter()
            .zip(rows)
            .map(|(&(start, count), weights)| Taps { start, weights: &weights[..count] })
    }
}

/// Away from zero when half way between two.
#[allow(clippy::cast_possible_truncation, reason = "C's conversion; weights are below 2 to the 9")]
fn fixed_point(weight: f64) -> i32 {
    let scaled = weight * f64::from(1_i32 << PRECISION);
    (scaled + 0.5_f64.copysign(weight)) as i32
}

fn triangle(x: f64) -> f64 {
    (1.0 - x.abs()).max(0.0)
}

/// Keys' cubic with `a = -0.5`.
fn cubic(x: f64) -> f64 {
    const A: f64 = -0.5;
    let x = x.abs();
    if x < 1.0 {
        ((A + 2.0) * x - (A + 3.0)) * x * x + 1.0
    } else if x < 2.0 {
        (((x - 5.0) * x + 8.0) * x - 4.0) * A
    } else {
        0.0
    }
}

fn lanczos(x: f64) -> f64 {
    let sinc = |x: f64| if x == 0.0 { 1.0 } else { (x * PI).sin() / (x * PI) };
    if (-3.0..3.0).contains(&x) { sinc(x) * sinc(x / 3.0) } else { 0.0 }
}
