//! What is mixed with what, and by how much.
//!
//! # Randomness
//! For each draw: whether to mix, whether to paste, then the part or the rectangle. Batch mode makes one draw, pair mode
//! one for every two pictures, elem mode one for each.
//!
//! # Parity
//! `timm.data.Mixup`: pairs, probabilities, and rectangles rounded to the same pixels, with `lambda` corrected to the
//! area that was pasted. The middle picture of an odd batch stays as it is, where timm blends it with itself.
//! torchvision's `MixUp` and `CutMix` are `prob = 1` with one kind on; they mix with the next picture instead of the
//! opposite one.

use super::label::MixedLabel;
use super::settings::{Mix, MixMode, Paste};
use crate::geometry::crop_box::CropBox;
use crate::image::Size;
use crate::key::OpRng;
use crate::round::pixels_down;
use serde::{Deserialize, Serialize};

/// What happens to one picture.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mixed {
    /// The position of the other picture in the batch.
    pub partner: usize,
    /// The part of the own picture, from 0 to 1.
    pub lambda: f64,
    /// How they are brought together.
    pub blend: Blend,
}

/// How two pictures become one.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Blend {
    /// The own picture stays as it is.
    Untouched,
    /// Every pixel is the weighted sum of both.
    Sum,
    /// The rectangle shows what the partner has there.
    Paste(CropBox),
    /// The rectangle shows all of the partner.
    PasteResized(CropBox),
}

/// What happens to each picture of a batch.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MixDraw {
    /// One entry for each picture.
    pub pictures: Vec<Mixed>,
}

impl Mix {
    /// Decides for a batch of `len` pictures of `size`.
    pub fn draw(&self, len: usize, size: Size, rng: &mut OpRng) -> MixDraw {
        let mut pictures: Vec<Mixed> = Vec::with_capacity(len);
        for own in 0..len {
            let partner = len - 1 - own;
            let (lambda, blend) = match (self.mode, pictures.first(), pictures.get(partner)) {
                (MixMode::Batch, Some(first), _) => (first.lambda, first.blend),
                (MixMode::Pair, _, Some(other)) => (other.lambda, other.blend),
                _ => self.draw_one(size, rng),
            };
            pictures.push(Mixed { partner, lambda, blend });
        }
        MixDraw { pictures }
    }

    fn draw_one(&self, size: Size, rng: &mut OpRng) -> (f64, Blend) {
        let (mixes, pastes) = (rng.bernoulli(self.prob), rng.bernoulli(self.paste_prob));
        let (Size { width, height }, area) = (size, size.area() as f64);
        let inside = |rng: &mut OpRng, width: u32, height: u32| {
            let mut start = |room: u32| u32::try_from(rng.below(u64::from(room))).unwrap_or(0);
            let (top, left) = (start(size.height - height + 1), start(size.width - width + 1));
            CropBox { left, top, width, height }
        };
        let rest = |pasted: CropBox| 1.0 - pasted.size().area() as f64 / area;
        match (mixes, pastes, self.blend, self.paste) {
            (true, true, _, Some(Paste::Area(alpha))) => {
                let part = (1.0 - rng.beta(alpha)).sqrt();
                let (cut_width, cut_height) =
                    (pixels_down(f64::from(width) * part), pixels_down(f64::from(height) * part));
                let mut side = |length: u32, cut: u32| {
                    let centre = u32::try_from(rng.below(u64::from(length))).unwrap_or(0);
                    let start = centre.saturating_sub(cut / 2);
                    (start, (centre + cut.div_ceil(2)).min(length) - start)
                };
                let (top, height) = side(height, cut_height);
                let (left, width) = side(width, cut_width);
                let pasted = CropBox { left, top, width, height };
                (rest(pasted), Blend::Paste(pasted))
            }
            (true, true, _, Some(Paste::Inside([low, high]))) => {
                let mut side = |length: u32| {
                    let (low, high) = (
                        pixels_down(f64::from(length) * low),
                        pixels_down(f64::from(length) * high),
                    );
                    low + u32::try_from(rng.below(u64::from(high - low) + 1)).unwrap_or(0)
                };
                let (height, width) = (side(height), side(width));
                let pasted = inside(rng, width, height);
                (rest(pasted), Blend::Paste(pasted))
            }
            (true, true, _, Some(Paste::Resized([low, high]))) => {
                let part = rng.uniform(low, high);
                let side = |length: u32| pixels_down(f64::from(length) * part);
                let pasted = inside(rng, side(width), side(height));
                (rest(pasted), Blend::PasteResized(pasted))
            }
            (true, _, Some(alpha), _) => (rng.beta(alpha), Blend::Sum),
            _ => (1.0, Blend::Untouched),
        }
    }
}

impl MixDraw {
    /// The labels of the mixed pictures, given those of the pictures before.
    ///
    /// # Panics
    /// When there are fewer labels than pictures.
    pub fn labels(&self, classes: &[u32]) -> Vec<MixedLabel> {
        let label = |(own, mixed): (usize, &Mixed)| MixedLabel {
            class: classes[own],
            partner: classes.get(mixed.partner).copied().unwrap_or(classes[own]),
            lambda: mixed.lambda,
        };
        self.pictures.iter().enumerate().map(label).collect()
    }
}
