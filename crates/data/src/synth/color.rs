//! Colours as red, green and blue in 0 to 1.

use kiln_augment::OpRng;

pub(super) type Color = [f32; 3];

/// A colour of any hue, from muted to vivid; uses three draws.
pub(super) fn any(rng: &mut OpRng) -> Color {
    let hue = draw(rng, 0.0, 6.0);
    let saturation = draw(rng, 0.15, 0.9);
    let value = draw(rng, 0.25, 1.0);
    [5.0_f32, 3.0, 1.0].map(|offset| {
        let k = (offset + hue) % 6.0;
        value - value * saturation * k.min(4.0 - k).clamp(0.0, 1.0)
    })
}

/// A colour at least `apart` from all of `others` if a few tries find one, or else the farthest tried.
pub(super) fn unlike(others: &[Color], apart: f32, rng: &mut OpRng) -> Color {
    const TRIES: u32 = 12;
    let mut best = (f32::MIN, [0.0; 3]);
    for _ in 0..TRIES {
        let color = any(rng);
        let nearest = others.iter().map(|&other| distance(color, other)).fold(f32::MAX, f32::min);
        if nearest > best.0 {
            best = (nearest, color);
        }
        if nearest >= apart {
            break;
        }
    }
    best.1
}

/// `from` where `t` is 0, `to` where it is 1.
pub(super) fn mix(from: Color, to: Color, t: f32) -> Color {
    std::array::from_fn(|c| from[c] + (to[c] - from[c]) * t)
}

/// Euclidean distance, at most the square root of 3.
pub(super) fn distance(a: Color, b: Color) -> f32 {
    a.iter().zip(b).map(|(a, b)| (a - b) * (a - b)).sum::<f32>().sqrt()
}

/// A draw in `[low, high)` as `f32`.
#[allow(
    clippy::cast_possible_truncation,
    reason = "pictures have 8 bits; single precision is plenty"
)]
pub(super) fn draw(rng: &mut OpRng, low: f64, high: f64) -> f32 {
    rng.uniform(low, high) as f32
}
