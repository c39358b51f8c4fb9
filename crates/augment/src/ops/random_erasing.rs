//! Fills one or several rectangles of random size and shape with a colour or with noise, with probability `p`.
//!
//! # Randomness
//! One draw: whether to act. Then the number of rectangles, if it has a range. Then for each rectangle two draws for
//! each try, the part of the area and the shape, and at most ten tries; then the row and the column. The shape is uniform
//! on a logarithmic scale. A rectangle must be narrower and lower than the picture; where no try fits, it is left out.
//! Mode `random` draws three normal numbers more for each rectangle, mode `pixel` a seed.
//!
//! # Parity
//! torchvision's `RandomErasing`, and timm's where it has more: several rectangles (the area is shared among them) and
//! modes. torchvision's `value = "random"` is mode `pixel`. Both references run on normalised numbers and this op on
//! levels before normalisation. What they write, 0 or standard normal numbers, is mapped back to levels by `mean` and
//! `std`, which should be those of the model: `const` writes `value`, by default the rounded mean of ImageNet, which
//! normalises to 0 within half a level. `random` and `pixel` write `255 (mean + std n)` with `n` standard normal, rounded
//! and clipped. `render` of given rectangles and colours is bit-exact. Numbers are drawn in `f64` where torchvision
//! draws in `f32`.
//!
//! # Example
//! ```toml
//! pipeline = [{ type = "random_erasing", p = 0.25, mode = "pixel" }]
//! ```

use super::OpSettings;
use crate::erasing::normal_levels::{NormalLevels, level_of};
use crate::erasing::rectangle::{IMAGENET_MEAN, fill_rectangle, placed, rows_mut};
use crate::error::{Error, check, check_probability};
use crate::geometry::canvas::fillable;
use crate::geometry::crop_box::CropBox;
use crate::image::{Image8, Size};
use crate::key::OpRng;
use crate::normalize::Normalize;
use crate::op::Op;
use crate::round::pixels_half_even;
use crate::settings::fill;
use serde::{Deserialize, Serialize};

const TRIES: u32 = 10;

/// What rectangles are filled with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ErasingMode {
    /// The colour `value`.
    #[default]
    Const,
    /// A normally distributed colour for each rectangle.
    Random,
    /// A normally distributed colour for each pixel.
    Pixel,
}

/// Settings of [`RandomErasing`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RandomErasingSpec {
    /// How often to act, from 0 to 1.
    pub p: f64,
    /// Smallest and largest part of the picture's area that all rectangles have together.
    pub scale: [f64; 2],
    /// Smallest and largest ratio of height to width.
    pub ratio: [f64; 2],
    /// What rectangles are filled with.
    pub mode: ErasingMode,
    /// The colour of mode `const`. In configurations a level or `[red, green, blue]`.
    #[serde(with = "fill")]
    pub value: [u8; 3],
    /// Smallest number of rectangles.
    pub min_count: u32,
    /// Largest number of rectangles; by default `min_count`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_count: Option<u32>,
    /// Mean of each channel that the model's pictures are normalised with, for values in `[0, 1]`.
    pub mean: [f32; 3],
    /// Standard deviation of each channel.
    pub std: [f32; 3],
}

impl Default for RandomErasingSpec {
    fn default() -> Self {
        let Normalize { mean, std } = Normalize::IMAGENET;
        Self {
            p: 0.5,
            scale: [0.02, 0.33],
            ratio: [0.3, 3.3],
            mode: ErasingMode::Const,
            value: IMAGENET_MEAN,
            min_count: 1,
            max_count: None,
            mean,
            std,
        }
    }
}

impl OpSettings for RandomErasingSpec {
    type Op = RandomErasing;

    fn build(&self, _: Size) -> Result<RandomErasing, Error> {
        const COUNT: &str = "from 1 to 1000";
        check_probability(self.p)?;
        let [low, high] = self.scale;
        let accepted = 0.0 <= low && low <= high && high <= 1.0;
        check(accepted, "scale", "[min, max] with 0 <= min <= max <= 1", self.scale)?;
        let [low, high] = self.ratio;
        let accepted = 0.0 < low && low <= high && high < f64::INFINITY;
        check(accepted, "ratio", "[min, max] with 0 < min <= max", self.ratio)?;
        check((1..=1000).contains(&self.min_count), "min_count", COUNT, self.min_count)?;
        let most = self.max_count.unwrap_or(self.min_count);
        let accepted = (self.min_count..=1000).contains(&most);
        check(accepted, "max_count", "from min_count to 1000", most)?;
        let normalize = Normalize { mean: self.mean, std: self.std };
        normalize.validate()?;
        let constant = self.mode == ErasingMode::Const;
        let used = constant || self.value == IMAGENET_MEAN;
        check(used, "value", "left out unless mode = \"const\"", self.value)?;
        let used = !constant || normalize == Normalize::IMAGENET;
        check(used, "mean", "left out, and std too, for mode = \"const\"", self.mean)?;
        Ok(RandomErasing {
            p: self.p,
            scale: self.scale,
            ratio: self.ratio,
            mode: self.mode,
            value: self.value,
            count: [self.min_count, most],
            normalize,
            noise: (self.mode == ErasingMode::Pixel).then(|| NormalLevels::new(normalize)),
        })
    }

    fn example() -> Self {
        Self {
            p: 1.0,
            mode: ErasingMode::Pixel,
            scale: [0.2, 0.5],
            max_count: Some(3),
            ..Self::default()
        }
    }
}

/// Fills one or several rectangles of random size and shape.
#[derive(Debug, Clone, PartialEq)]
pub struct RandomErasing {
    p: f64,
    scale: [f64; 2],
    ratio: [f64; 2],
    mode: ErasingMode,
    value: [u8; 3],
    count: [u32; 2],
    normalize: Normalize,
    /// Only mode `pixel` needs it.
    noise: Option<NormalLevels>,
}

/// One rectangle and what it is filled with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Patch {
    /// The rectangle.
    pub area: CropBox,
    /// What it is filled with.
    pub content: PatchContent,
}

/// What a rectangle is filled with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PatchContent {
    /// The setting `value`.
    Value,
    /// A colour.
    Color([u8; 3]),
    /// Noise of this seed: pixel `i` of the rectangle, row by row, has the bits `splitmix64(seed + i)`; their lowest 48
    /// choose, 16 for each channel, the quantile of a normal number.
    Noise(u64),
}

impl RandomErasing {
    /// A rectangle that has its part of the area, if one fits.
    fn area(&self, size: Size, count: u32, rng: &mut OpRng) -> Option<CropBox> {
        let whole = size.area() as f64 / f64::from(count);
        let [lowest, highest] = self.ratio.map(f64::ln);
        for _ in 0..TRIES {
            let part = whole * rng.uniform(self.scale[0], self.scale[1]);
            let shape = rng.uniform(lowest, highest).exp();
            let height = pixels_half_even((part * shape).sqrt());
            let width = pixels_half_even((part / shape).sqrt());
            if width < size.width && height < size.height {
                return Some(placed(Size::new(width, height), size, rng));
            }
        }
        None
    }

    fn content(&self, rng: &mut OpRng) -> PatchContent {
        match self.mode {
            ErasingMode::Const => PatchContent::Value,
            ErasingMode::Random => PatchContent::Color(std::array::from_fn(|channel| {
                level_of(rng.normal(), self.normalize.mean[channel], self.normalize.std[channel])
            })),
            ErasingMode::Pixel => PatchContent::Noise(rng.bits()),
        }
    }
}

impl Op for RandomErasing {
    type Draw = Option<Vec<Patch>>;

    fn draw(&self, size: Size, rng: &mut OpRng) -> Option<Vec<Patch>> {
        if !rng.bernoulli(self.p) {
            return None;
        }
        let [fewest, most] = self.count;
        let count = if fewest == most { fewest } else { rng.integer(fewest, most) };
        let patch = |_| {
            let area = self.area(size, count, rng)?;
            Some(Patch { area, content: self.content(rng) })
        };
        Some((0..count).filter_map(patch).collect())
    }

    fn render(&self, mut image: Image8, draw: &Option<Vec<Patch>>) -> Image8 {
        for &Patch { area, content } in draw.iter().flatten() {
            let color = match content {
                PatchContent::Value => self.value,
                PatchContent::Color(color) => color,
                PatchContent::Noise(seed) => {
                    image = image.into_rgb();
                    let Some(noise) = &self.noise else { continue };
                    let mut start = seed;
                    for row in rows_mut(&mut image, area) {
                        noise.fill(start, row.as_chunks_mut::<3>().0);
                        start = start.wrapping_add(u64::from(area.width));
                    }
                    continue;
                }
            };
            image = fillable(image, color);
            fill_rectangle(&mut image, area, color);
        }
        image
    }
}
