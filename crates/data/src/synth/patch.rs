//! Strokes behind the shape and patches in front of it: straight bars with round ends.

use super::color::{self, Color, draw};
use super::geometry::{Point, coverage};
use kiln_augment::OpRng;

/// A bar of one colour. Lengths in pixels.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Patch {
    from: Point,
    to: Point,
    half_width: f32,
    color: Color,
}

impl Patch {
    /// A bar around `center` with half its length and half its width in the ranges given.
    pub(super) fn draw(
        center: Point,
        half_length: (f64, f64),
        half_width: (f64, f64),
        rng: &mut OpRng,
    ) -> Self {
        let axis = Point::toward(draw(rng, 0.0, std::f64::consts::PI));
        let half = axis * draw(rng, half_length.0, half_length.1);
        let half_width = draw(rng, half_width.0, half_width.1);
        Self { from: center - half, to: center + half, half_width, color: color::any(rng) }
    }

    /// Paints over `below` where the bar covers `pixel`.
    pub(super) fn over(&self, below: Color, pixel: Point) -> Color {
        let (edge, offset) = (self.to - self.from, pixel - self.from);
        let along = (offset.dot(edge) / edge.dot(edge).max(1e-6)).clamp(0.0, 1.0);
        let distance = (offset - edge * along).length() - self.half_width;
        match coverage(distance) {
            0.0 => below,
            covered => color::mix(below, self.color, covered),
        }
    }
}
