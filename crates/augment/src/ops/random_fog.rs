//! Lays fog over a picture with probability `p`: many white disks that let the picture shine through, and a blur.
//!
//! # Randomness
//! Two draws: whether to act, and the intensity. Then three for each disk: column, row and radius. The thicker the fog,
//! the fewer and the larger they are; they lie ever closer to the centre. There are at most 100000.
//!
//! # Parity
//! albumentations' `RandomFog` (2.0.8). Disks and what they do to levels are bit-exact; the blur rounds weights
//! to `f32` where OpenCV rounds them to 8 bits, which can move a level by one.
//!
//! # Example
//! ```toml
//! pipeline = [{ type = "random_fog", fog_coef_range = [0.3, 0.6], alpha_coef = 0.08, p = 0.2 }]
//! ```

use super::OpSettings;
use crate::blur::gaussian;
use crate::blur::separable::filter_symmetric;
use crate::error::{Error, check, check_part, check_probability};
use crate::image::{Channels, Image8, Size};
use crate::key::OpRng;
use crate::noise::disks::Coverage;
use crate::op::Op;
use crate::round::{factor, level_half_even, pixels_down};
use serde::{Deserialize, Serialize};
use std::cell::RefCell;

/// The most disks that are drawn.
const MOST: usize = 100_000;

/// Settings of [`RandomFog`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RandomFogSpec {
    /// How much of a disk is seen where the intensity is 1, from 0 to 1.
    pub alpha_coef: f64,
    /// Smallest and largest intensity, above 0 and at most 1.
    pub fog_coef_range: [f64; 2],
    /// How often to act, from 0 to 1.
    pub p: f64,
}

impl Default for RandomFogSpec {
    fn default() -> Self {
        Self { alpha_coef: 0.08, fog_coef_range: [0.3, 1.0], p: 0.5 }
    }
}

impl OpSettings for RandomFogSpec {
    type Op = RandomFog;

    fn build(&self, _: Size) -> Result<RandomFog, Error> {
        const RANGE: &str = "[min, max] with 0 < min <= max <= 1";
        check_probability(self.p)?;
        let alpha = self.alpha_coef;
        check_part("alpha_coef", alpha)?;
        let [low, high] = self.fog_coef_range;
        let accepted = 0.0 < low && low <= high && high <= 1.0;
        check(accepted, "fog_coef_range", RANGE, self.fog_coef_range)?;
        Ok(RandomFog { alpha, intensities: self.fog_coef_range, p: self.p })
    }

    fn example() -> Self {
        Self { p: 1.0, ..Self::default() }
    }
}

/// Lays fog over a picture.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RandomFog {
    alpha: f64,
    intensities: [f64; 2],
    p: f64,
}

/// The fog of one application.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fog {
    /// From 0 to 1.
    pub intensity: f64,
    /// The column and the row of each disk's centre, and its radius.
    pub particles: Vec<[i32; 3]>,
}

/// What is kept from picture to picture.
#[derive(Default)]
struct Workspace {
    coverage: Coverage,
    /// Every level behind as many disks as the place in the list says.
    behind: Vec<[u8; 256]>,
}

thread_local! {
    static WORKSPACE: RefCell<Workspace> = RefCell::new(Workspace::default());
}

impl Op for RandomFog {
    /// `None`: rests.
    type Draw = Option<Fog>;

    fn draw(&self, size: Size, rng: &mut OpRng) -> Option<Fog> {
        if !rng.bernoulli(self.p) {
            return None;
        }
        let intensity = rng.uniform(self.intensities[0], self.intensities[1]);
        let part = |side: u32, part: f64| pixels_down(f64::from(side) * part);
        let clear = part(size.width / 3, intensity).max(1);
        let shorter = f64::from(size.width.min(size.height));
        let widest = pixels_down(shorter * 0.1 * intensity).max(2);
        let narrowest = (widest / 2).max(1);
        let centre = [(size.width - 1) / 2, (size.height - 1) / 2];
        let (mut width, mut height) = (size.width, size.height);
        let mut particles = Vec::new();
        for _ in 0..10 {
            if width <= clear || height <= clear {
                break;
            }
            let share = f64::from(width) * f64::from(height) / f64::from(clear).powi(2);
            let count =
                (pixels_down(share * intensity * 10.0) as usize).min(MOST - particles.len());
            let mut around = |centre: u32, half: u32| {
                let way = rng.below(u64::from(half) * 2 + 1);
                i32::try_from(i64::from(centre) - i64::from(half) + way.cast_signed()).unwrap_or(0)
            };
            particles.extend(
                (0..count)
                    .map(|_| [around(centre[0], width / 2), around(centre[1], height / 2), 0]),
            );
            width = part(width, 0.9);
            height = part(height, 0.9);
        }
        for particle in &mut particles {
            let radius = rng.below(u64::from(widest - narrowest).max(1));
            particle[2] = i32::try_from(u64::from(narrowest) + radius).unwrap_or(i32::MAX);
        }
        Some(Fog { intensity, particles })
    }

    fn render(&self, mut image: Image8, draw: &Option<Fog>) -> Image8 {
        let Some(fog) = draw else { return image };
        let size = image.size();
        WORKSPACE.with_borrow_mut(|Workspace { coverage, behind }| {
            coverage.count(&fog.particles, size);
            look_through(self.alpha * fog.intensity, fog.particles.len(), behind);
            let (stride, pixel) = (image.stride(), image.channels());
            let rows = image.pixels_mut().chunks_exact_mut(stride);
            for (row, counts) in rows.zip(coverage.rows(size)) {
                match pixel {
                    Channels::Gray => cover(row.as_chunks_mut::<1>().0, counts, behind),
                    Channels::Rgb => cover(row.as_chunks_mut::<3>().0, counts, behind),
                }
            }
        });
        let radius = (size.width.min(size.height) / 30).max(3) / 2;
        filter_symmetric(&mut image, &bell(radius as usize));
        image
    }
}

/// Fills `behind`: itself, then each time a share of `alpha` of white, until that changes nothing more.
fn look_through(alpha: f64, most: usize, behind: &mut Vec<[u8; 256]>) {
    let alpha = alpha.clamp(0.0, 1.0);
    let (white, rest) = (255.0 * factor(alpha), factor(1.0 - alpha));
    let mut levels = 0..=u8::MAX;
    behind.clear();
    let mut last: [u8; 256] = std::array::from_fn(|_| levels.next().unwrap_or(u8::MAX));
    behind.push(last);
    // Each time but the last makes some level brighter, and none darker.
    for _ in 0..most {
        let next = last.map(|level| level_half_even(white + f32::from(level) * rest));
        if next == last {
            break;
        }
        behind.push(next);
        last = next;
    }
}

/// Puts each pixel behind its disks.
fn cover<const CHANNELS: usize>(
    pixels: &mut [[u8; CHANNELS]],
    counts: &[i32],
    behind: &[[u8; 256]],
) {
    let thickest = behind.len() - 1;
    for (pixel, &count) in pixels.iter_mut().zip(counts) {
        let table = &behind[usize::try_from(count).unwrap_or(0).min(thickest)];
        *pixel = pixel.map(|level| table[usize::from(level)]);
    }
}

/// OpenCV's bell curve for a radius: the weight of the centre, then those beside it.
fn bell(radius: usize) -> Vec<f32> {
    match radius {
        1 => vec![0.5, 0.25],
        2 => vec![0.375, 0.25, 0.0625],
        3 => vec![0.281_25, 0.218_75, 0.109_375, 0.031_25],
        _ => gaussian::weights(0.3 * (radius as f64 - 1.0) + 0.8, radius),
    }
}
