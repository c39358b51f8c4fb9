//! What is behind the shape: two colours running into each other, often with a texture over them.

use super::color::{self, Color, draw};
use super::difficulty::{BACKDROP_OPACITY, BACKDROP_TEXTURE};
use super::geometry::{Point, smooth};
use super::texture::{Pattern, Texture, value_noise};
use kiln_augment::OpRng;
use std::f64::consts::TAU;

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Backdrop {
    pub(super) from: Color,
    pub(super) to: Color,
    /// The way from one colour to the other, in coordinates where the picture is one unit wide.
    way: Point,
    /// Strength of clouds that disturb the way.
    clouds: f32,
    grain: u32,
    overlay: Color,
    opacity: f32,
    texture: Texture,
    texture_axis: Point,
}

impl Backdrop {
    pub(super) fn draw(rng: &mut OpRng) -> Self {
        let from = color::any(rng);
        let to = color::any(rng);
        let way = Point::toward(draw(rng, 0.0, TAU));
        let clouds = draw(rng, 0.0, 1.0);
        let overlay = color::any(rng);
        let opacity = draw(rng, BACKDROP_OPACITY.0, BACKDROP_OPACITY.1);
        let textured = rng.bernoulli(BACKDROP_TEXTURE);
        let texture = texture(rng, None, (4.0, 9.0));
        let texture_axis = Point::toward(draw(rng, 0.0, TAU));
        let opacity = if textured { opacity } else { 0.0 };
        let grain = texture.grain ^ 0x5bd1_e995;
        Self { from, to, way, clouds, grain, overlay, opacity, texture, texture_axis }
    }

    /// The colour at `place`, where the picture spans -0.5 to 0.5.
    pub(super) fn color(&self, place: Point) -> Color {
        let cloud = (value_noise(place * 3.0, self.grain) - 0.5) * self.clouds;
        let base = color::mix(self.from, self.to, smooth(-0.6, 0.6, place.dot(self.way) + cloud));
        if self.opacity == 0.0 {
            return base;
        }
        let across = Point::new(-self.texture_axis.y, self.texture_axis.x);
        let turned = Point::new(place.dot(self.texture_axis), place.dot(across));
        color::mix(base, self.overlay, self.texture.mix(turned) * self.opacity)
    }
}

/// A texture of the kind given or else of any, repeating within `frequency`.
pub(super) fn texture(rng: &mut OpRng, pattern: Option<Pattern>, frequency: (f64, f64)) -> Texture {
    #[allow(clippy::cast_possible_truncation, reason = "the draw is below 10")]
    let any = Pattern::ALL[rng.below(Pattern::ALL.len() as u64) as usize];
    let frequency = draw(rng, frequency.0, frequency.1);
    let phase = Point::new(draw(rng, 0.0, 8.0), draw(rng, 0.0, 8.0));
    #[allow(clippy::cast_possible_truncation, reason = "32 of 64 random bits")]
    let grain = rng.bits() as u32;
    Texture { pattern: pattern.unwrap_or(any), frequency, phase, grain }
}
