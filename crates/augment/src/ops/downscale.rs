//! Makes a picture smaller and then as large as before, which loses detail, with probability `p`.
//!
//! # Randomness
//! Two draws: whether to act, and the scale.
//!
//! # Parity
//! albumentations' `Downscale` (2.0.8); `render` bit for bit with `nearest` both times, its default. The other filters
//! are those of `random_resized_crop`, which are Pillow's and as near to them as there; OpenCV's skip pixels when they make pictures
//! smaller. Where OpenCV fails because nothing is left of a side, one pixel is left.
//!
//! # Example
//! ```toml
//! pipeline = [{ type = "downscale", scale_range = [0.25, 0.5], interpolation_pair = { upscale = "bilinear" } }]
//! ```

use super::OpSettings;
use crate::error::{Error, check, check_probability};
use crate::geometry::crop_box::CropBox;
use crate::geometry::interpolation::Interpolation;
use crate::geometry::resample::resize_part;
use crate::image::{Channels, Image8, Size};
use crate::key::OpRng;
use crate::op::Op;
use crate::round::{pixel_at, pixels_half_even};
use serde::{Deserialize, Serialize};
use std::cell::RefCell;

/// The two filters of [`Downscale`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct InterpolationPair {
    /// How the picture is made smaller.
    pub downscale: Interpolation,
    /// How it is made as large as before.
    pub upscale: Interpolation,
}

impl Default for InterpolationPair {
    fn default() -> Self {
        Self { downscale: Interpolation::Nearest, upscale: Interpolation::Nearest }
    }
}

/// Settings of [`Downscale`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct DownscaleSpec {
    /// How often to act, from 0 to 1.
    pub p: f64,
    /// Smallest and largest scale, above 0 and at most 1.
    pub scale_range: [f64; 2],
    /// How to make the picture smaller and larger.
    pub interpolation_pair: InterpolationPair,
}

impl Default for DownscaleSpec {
    fn default() -> Self {
        Self { p: 0.5, scale_range: [0.25, 0.25], interpolation_pair: InterpolationPair::default() }
    }
}

impl OpSettings for DownscaleSpec {
    type Op = Downscale;

    fn build(&self, _: Size) -> Result<Downscale, Error> {
        check_probability(self.p)?;
        let [low, high] = self.scale_range;
        let accepted = 0.0 < low && low <= high && high <= 1.0;
        check(accepted, "scale_range", "[min, max] with 0 < min <= max <= 1", self.scale_range)?;
        Ok(Downscale { scales: self.scale_range, pair: self.interpolation_pair, p: self.p })
    }

    fn example() -> Self {
        Self { p: 1.0, scale_range: [0.25, 0.5], ..Self::default() }
    }
}

/// Makes a picture smaller and then as large as before.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Downscale {
    scales: [f64; 2],
    pair: InterpolationPair,
    p: f64,
}

impl Op for Downscale {
    /// The scale.
    type Draw = Option<f64>;

    fn draw(&self, _: Size, rng: &mut OpRng) -> Option<f64> {
        let acts = rng.bernoulli(self.p);
        let [low, high] = self.scales;
        let scale = rng.uniform(low, high);
        acts.then_some(scale)
    }

    fn render(&self, image: Image8, draw: &Option<f64>) -> Image8 {
        let Some(scale) = *draw else { return image };
        let scale = scale.clamp(f64::MIN_POSITIVE, 1.0);
        let size = image.size();
        let scaled = |side: u32| pixels_half_even(f64::from(side) * scale).clamp(1, side);
        let small = Size::new(scaled(size.width), scaled(size.height));
        let InterpolationPair { downscale, upscale } = self.pair;
        // The pixel of a larger picture that each pixel of the smaller one shows, and the other way round.
        let down = |side: u32, at: u32| nearest(at, 1.0 / scale, side);
        let up = |side: u32, small: u32, at: u32| {
            nearest(at, 1.0 / (f64::from(side) / f64::from(small)), small)
        };
        let (up_x, up_y) =
            (|x| up(size.width, small.width, x), |y| up(size.height, small.height, y));
        let whole = CropBox::whole;
        match (downscale, upscale) {
            (Interpolation::Nearest, Interpolation::Nearest) => {
                pick(&image, size, |x| down(size.width, up_x(x)), |y| down(size.height, up_y(y)))
            }
            (Interpolation::Nearest, filter) => {
                let small = pick(&image, small, |x| down(size.width, x), |y| down(size.height, y));
                let part = whole(small.size());
                resize_part(small, part, size, filter)
            }
            (filter, Interpolation::Nearest) => {
                pick(&resize_part(image, whole(size), small, filter), size, up_x, up_y)
            }
            (first, second) => resize_part(
                resize_part(image, whole(size), small, first),
                whole(small),
                size,
                second,
            ),
        }
    }
}

/// The place among `len` that OpenCV's `INTER_NEAREST` takes for `at`.
fn nearest(at: u32, step: f64, len: u32) -> u32 {
    let place = u32::try_from(pixel_at(f64::from(at) * step)).unwrap_or(u32::MAX);
    place.min(len.saturating_sub(1))
}

thread_local! {
    static COLUMNS: RefCell<Vec<usize>> = const { RefCell::new(Vec::new()) };
}

/// A picture of `size` whose pixels are those of `image` at the given columns and rows, which are inside of it.
fn pick(
    image: &Image8,
    size: Size,
    column: impl Fn(u32) -> u32,
    row: impl Fn(u32) -> u32,
) -> Image8 {
    let mut picked = Image8::black(size, image.channels());
    let stride = picked.stride();
    COLUMNS.with_borrow_mut(|columns| {
        columns.clear();
        columns.extend((0..size.width).map(|x| column(x) as usize));
        let mut last = None;
        for (y, start) in (0..size.height).zip((0..).step_by(stride)) {
            let from = row(y);
            if last == Some(from) {
                // Rows that show the same pixels are copied, which is faster than picking.
                picked.pixels_mut().copy_within(start - stride..start, start);
                continue;
            }
            last = Some(from);
            let (source, target) =
                (image.row(from), &mut picked.pixels_mut()[start..start + stride]);
            match image.channels() {
                Channels::Gray => pick_row(source, target, columns),
                Channels::Rgb => {
                    pick_row(source.as_chunks::<3>().0, target.as_chunks_mut::<3>().0, columns);
                }
            }
        }
    });
    picked
}

fn pick_row<T: Copy>(source: &[T], target: &mut [T], columns: &[usize]) {
    for (target, &column) in target.iter_mut().zip(columns) {
        *target = source[column];
    }
}
