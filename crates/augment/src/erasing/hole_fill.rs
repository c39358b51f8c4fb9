//! Rectangles that are filled with a colour, a random colour or noise, as albumentations' dropout ops do it.

use super::mixed_bits::{fill_bytes, splitmix64};
use super::rectangle::{fill_rectangle, rows_mut};
use crate::geometry::canvas::fillable;
use crate::geometry::crop_box::CropBox;
use crate::image::Image8;
use crate::key::OpRng;
use crate::settings::fill;
use serde::de::value::SeqAccessDeserializer;
use serde::de::{Error, IntoDeserializer, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;

/// What holes are filled with. In configurations a level, `[red, green, blue]`, `"random"` or `"random_uniform"`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum HoleFill {
    /// One colour.
    Color([u8; 3]),
    /// A random level for each channel of each pixel.
    Random,
    /// A random colour for each hole.
    RandomUniform,
}

impl Default for HoleFill {
    fn default() -> Self {
        Self::Color([0; 3])
    }
}

impl Serialize for HoleFill {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Color(color) => fill::serialize(color, serializer),
            Self::Random => serializer.serialize_str("random"),
            Self::RandomUniform => serializer.serialize_str("random_uniform"),
        }
    }
}

impl<'de> Deserialize<'de> for HoleFill {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(LevelsOrName)
    }
}

/// By hand because serde's untagged enums lose the reason for an error.
struct LevelsOrName;

impl<'de> Visitor<'de> for LevelsOrName {
    type Value = HoleFill;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a level, [red, green, blue], `random` or `random_uniform`")
    }

    fn visit_i64<E: Error>(self, level: i64) -> Result<HoleFill, E> {
        fill::deserialize(level.into_deserializer()).map(HoleFill::Color)
    }

    fn visit_u64<E: Error>(self, level: u64) -> Result<HoleFill, E> {
        fill::deserialize(level.into_deserializer()).map(HoleFill::Color)
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<HoleFill, E> {
        match name {
            "random" => Ok(HoleFill::Random),
            "random_uniform" => Ok(HoleFill::RandomUniform),
            _ => Err(E::unknown_variant(name, &["random", "random_uniform"])),
        }
    }

    fn visit_seq<A: SeqAccess<'de>>(self, levels: A) -> Result<HoleFill, A::Error> {
        fill::deserialize(SeqAccessDeserializer::new(levels)).map(HoleFill::Color)
    }
}

/// Rectangles to be filled, in order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Holes {
    /// The rectangles.
    pub boxes: Vec<CropBox>,
    /// Where random levels come from; 0 where none are needed. With `random`, the rows of all holes have the bytes of
    /// `splitmix64(seed)`, `splitmix64(seed + 1)` and so on, each row beginning with a new number. With `random_uniform`,
    /// hole `i` has the three lowest bytes of `splitmix64(seed + i)`.
    #[serde(default)]
    pub seed: u64,
}

impl Holes {
    /// Adds a seed if the fill needs one.
    pub(crate) fn drawn(boxes: Vec<CropBox>, fill: HoleFill, rng: &mut OpRng) -> Self {
        let seed = if let HoleFill::Color(_) = fill { 0 } else { rng.bits() };
        Self { boxes, seed }
    }

    /// Fills the holes.
    pub(crate) fn fill(&self, image: Image8, fill: HoleFill) -> Image8 {
        match fill {
            HoleFill::Color(color) => {
                let mut image = fillable(image, color);
                for &hole in &self.boxes {
                    fill_rectangle(&mut image, hole, color);
                }
                image
            }
            HoleFill::RandomUniform => {
                let mut image = image.into_rgb();
                for (&hole, number) in self.boxes.iter().zip(0..) {
                    let bits = splitmix64(self.seed.wrapping_add(number));
                    let [red, green, blue, ..] = bits.to_le_bytes();
                    fill_rectangle(&mut image, hole, [red, green, blue]);
                }
                image
            }
            HoleFill::Random => {
                let mut image = image.into_rgb();
                let mut place = self.seed;
                for &hole in &self.boxes {
                    for row in rows_mut(&mut image, hole) {
                        place = fill_bytes(place, row);
                    }
                }
                image
            }
        }
    }
}
