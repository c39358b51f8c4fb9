//! Draws drops of rain and makes the picture darker, with probability `p`.
//!
//! # Randomness
//! Two draws: whether to act, and the slant; then two for each drop, its column and its row.
//!
//! # Parity
//! albumentations' `RandomRain` (2.0.8) with drops that are one pixel wide, its default; `render` bit for bit.
//! albumentations calls the slant an angle and uses it as here, as a distance. A picture that is not higher than a drop
//! is long has its drops start in the first row, where albumentations fails.
//!
//! # Example
//! ```toml
//! pipeline = [{ type = "random_rain", slant_range = [-10.0, 10.0], rain_type = "heavy", p = 0.2 }]
//! ```

use super::OpSettings;
use crate::blur::box_blur::box_blur;
use crate::color::lookup::look_up;
use crate::error::{Error, check, check_probability};
use crate::geometry::canvas::fillable;
use crate::image::{Channels, Image8, Size};
use crate::key::OpRng;
use crate::noise::thin_line::each_pixel_of_line;
use crate::op::Op;
use crate::round::{level_half_even_f64, towards_zero};
use crate::settings::fill;
use pulp::{Arch, Simd, WithSimd};
use serde::{Deserialize, Serialize};
use std::cell::RefCell;

/// How many drops there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RainType {
    /// One for every four rows.
    Drizzle,
    /// One for every three rows.
    #[default]
    Default,
    /// One for every row.
    Heavy,
    /// Two for every row.
    Torrential,
}

/// Settings of [`RandomRain`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RandomRainSpec {
    /// Smallest and largest number of columns that drops move to the right on their way down, from -20 to 20.
    pub slant_range: [f64; 2],
    /// Rows that drops are long, from 1 to 65535; by default an eighth of the picture's height.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub drop_length: Option<u32>,
    /// The colour of drops, a level or `[red, green, blue]`. It is added to the picture.
    #[serde(with = "fill")]
    pub drop_color: [u8; 3],
    /// Side of the square that drops are blurred with, odd, from 1 to 255.
    pub blur_value: u32,
    /// What all levels are multiplied by at last, above 0 and at most 1.
    pub brightness_coefficient: f64,
    /// How many drops there are.
    pub rain_type: RainType,
    /// How often to act, from 0 to 1.
    pub p: f64,
}

impl Default for RandomRainSpec {
    fn default() -> Self {
        Self {
            slant_range: [-10.0, 10.0],
            drop_length: None,
            drop_color: [200; 3],
            blur_value: 7,
            brightness_coefficient: 0.7,
            rain_type: RainType::Default,
            p: 0.5,
        }
    }
}

impl OpSettings for RandomRainSpec {
    type Op = RandomRain;

    fn build(&self, _: Size) -> Result<RandomRain, Error> {
        const SLANT: &str = "[min, max] with -20 <= min <= max <= 20";
        check_probability(self.p)?;
        let [low, high] = self.slant_range;
        let accepted = -20.0 <= low && low <= high && high <= 20.0;
        check(accepted, "slant_range", SLANT, self.slant_range)?;
        let length = self.drop_length.unwrap_or(1);
        check((1..=65_535).contains(&length), "drop_length", "from 1 to 65535", length)?;
        let side = self.blur_value;
        let accepted = side % 2 == 1 && side <= 255;
        check(accepted, "blur_value", "odd and from 1 to 255", side)?;
        let coefficient = self.brightness_coefficient;
        let accepted = 0.0 < coefficient && coefficient <= 1.0;
        check(accepted, "brightness_coefficient", "above 0 and at most 1", coefficient)?;
        let mut levels = 0..=u8::MAX;
        let darker = std::array::from_fn(|_| {
            level_half_even_f64(f64::from(levels.next().unwrap_or(u8::MAX)) * coefficient)
        });
        Ok(RandomRain {
            slants: self.slant_range,
            length: self.drop_length,
            color: self.drop_color,
            side: side as usize,
            darker,
            kind: self.rain_type,
            p: self.p,
        })
    }

    fn example() -> Self {
        Self { rain_type: RainType::Heavy, p: 1.0, ..Self::default() }
    }
}

/// Draws drops of rain and makes the picture darker.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RandomRain {
    slants: [f64; 2],
    length: Option<u32>,
    color: [u8; 3],
    side: usize,
    /// Every level multiplied.
    darker: [u8; 256],
    kind: RainType,
    p: f64,
}

/// The drops of one application.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rain {
    /// Columns from the upper end of a drop to its lower end.
    pub slant: f64,
    /// Rows from the upper end of a drop to its lower end.
    pub length: u32,
    /// The column and the row of each drop's upper end.
    pub drops: Vec<[i32; 2]>,
}

impl Op for RandomRain {
    /// `None`: rests.
    type Draw = Option<Rain>;

    fn draw(&self, size: Size, rng: &mut OpRng) -> Option<Rain> {
        if !rng.bernoulli(self.p) {
            return None;
        }
        let slant = rng.uniform(self.slants[0], self.slants[1]);
        let length = self.length.unwrap_or((size.height / 8).max(1));
        let count = match self.kind {
            RainType::Drizzle => size.height / 4,
            RainType::Default => size.height / 3,
            RainType::Heavy => size.height,
            RainType::Torrential => size.height.saturating_mul(2),
        };
        let rows = size.height.saturating_sub(length).max(1);
        let mut below = |bound: u32| i32::try_from(rng.below(u64::from(bound))).unwrap_or(i32::MAX);
        let drops = (0..count).map(|_| [below(size.width), below(rows)]).collect();
        Some(Rain { slant, length, drops })
    }

    fn render(&self, image: Image8, draw: &Option<Rain>) -> Image8 {
        let Some(rain) = draw else { return image };
        if rain.drops.is_empty() {
            return image;
        }
        let mut image = fillable(image, self.color);
        let [red, green, blue] = self.color;
        let channels = if red == green && green == blue { Channels::Gray } else { Channels::Rgb };
        let layer = self.layer(rain, image.size(), channels);
        let in_threes = channels != image.channels();
        Arch::new().dispatch(Add { levels: image.pixels_mut(), layer: layer.pixels(), in_threes });
        give_back(layer);
        look_up(image.pixels_mut(), &self.darker);
        image
    }
}

thread_local! {
    /// The memory of the layer of drops.
    static LAYER: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

fn give_back(layer: Image8) {
    LAYER.set(layer.into_pixels());
}

impl RandomRain {
    /// Blurred drops on black.
    fn layer(&self, rain: &Rain, size: Size, channels: Channels) -> Image8 {
        let mut memory = LAYER.take();
        memory.clear();
        memory.resize(size.area() * channels.count(), 0);
        let mut layer = Image8::from_bytes(size, channels, memory)
            .unwrap_or_else(|_| Image8::black(size, channels));
        let (width, pixel) = (size.width as usize, channels.count());
        let color = &self.color[..pixel];
        let pixels = layer.pixels_mut();
        for &[x, y] in &rain.drops {
            let end = |start: i32, way: f64| {
                let end = towards_zero(f64::from(start) + way);
                // Far beyond any picture.
                i32::try_from(end.clamp(-(1 << 20), 1 << 20)).unwrap_or(0)
            };
            let to = [end(x, rain.slant), end(y, f64::from(rain.length))];
            each_pixel_of_line([x, y], to, size, |x, y| {
                let at = (y * width + x) * pixel;
                pixels[at..at + pixel].copy_from_slice(color);
            });
        }
        if self.side > 1 {
            box_blur(&mut layer, self.side);
        }
        layer
    }
}

/// Adds a layer, of which each level may be for the three channels of a pixel.
struct Add<'a> {
    levels: &'a mut [u8],
    layer: &'a [u8],
    in_threes: bool,
}

impl WithSimd for Add<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        if self.in_threes {
            for (pixel, &added) in self.levels.as_chunks_mut::<3>().0.iter_mut().zip(self.layer) {
                *pixel = pixel.map(|level| level.saturating_add(added));
            }
        } else {
            for (level, &added) in self.levels.iter_mut().zip(self.layer) {
                *level = level.saturating_add(added);
            }
        }
    }
}
