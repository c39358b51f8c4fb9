//! Ten patterns, one for each class to wear; a pattern mixes two colours.

use super::geometry::{Point, smooth};

/// A kind of pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pattern {
    Stripes,
    Dots,
    Waves,
    Checks,
    Plain,
    Honeycomb,
    Grid,
    Bricks,
    Rays,
    Marble,
}

impl Pattern {
    /// All of them; the position is the class that it belongs to.
    pub(super) const ALL: [Self; 10] = [
        Self::Stripes,
        Self::Dots,
        Self::Waves,
        Self::Checks,
        Self::Plain,
        Self::Honeycomb,
        Self::Grid,
        Self::Bricks,
        Self::Rays,
        Self::Marble,
    ];
}

/// A pattern at a size and place.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Texture {
    pub(super) pattern: Pattern,
    /// Repeats in one unit of length.
    pub(super) frequency: f32,
    /// Where the pattern starts.
    pub(super) phase: Point,
    /// Selects the noise of [`Pattern::Marble`].
    pub(super) grain: u32,
}

impl Texture {
    /// How much of the second colour shows at `point`, 0 to 1.
    pub(super) fn mix(&self, point: Point) -> f32 {
        let p = point * self.frequency + self.phase;
        match self.pattern {
            Pattern::Stripes => band(p.x, 0.25),
            Pattern::Dots => {
                let row = Point::new(p.x + 0.5 * (p.y.floor() % 2.0), p.y);
                smooth(0.36, 0.26, from_cell_center(row).length())
            }
            Pattern::Waves => band(p.y + 0.3 * triangle_wave(p.x), 0.25),
            Pattern::Checks => {
                let product = triangle_wave(p.x) * triangle_wave(p.y);
                smooth(-0.06, 0.06, product)
            }
            Pattern::Plain => 0.12 * triangle_wave(p.x * 0.2) + 0.12,
            Pattern::Honeycomb => smooth(0.1, 0.2, honeycomb_wall(p)),
            Pattern::Grid => {
                let line = band(p.x, 0.12).max(band(p.y, 0.12));
                1.0 - line
            }
            Pattern::Bricks => {
                let row = p.y * 1.6;
                let shifted = p.x * 0.8 + 0.5 * row.floor().rem_euclid(2.0);
                1.0 - band(row + 0.5, 0.1).max(band(shifted, 0.06))
            }
            Pattern::Rays => band(point.y.atan2(point.x) * 1.909_859 + self.phase.x, 0.25),
            Pattern::Marble => {
                let noise = value_noise(p, self.grain)
                    + 0.5 * value_noise(p * 2.1, self.grain ^ 0x9e37_79b9);
                smooth(0.55, 0.95, noise)
            }
        }
    }
}

/// 1 near whole numbers, within `half_width`, and 0 elsewhere.
fn band(value: f32, half_width: f32) -> f32 {
    let off = (value - value.round()).abs();
    smooth(half_width + 0.06, half_width - 0.06, off)
}

/// From -1 at whole numbers to 1 halfway between.
fn triangle_wave(value: f32) -> f32 {
    4.0 * (value - value.round()).abs() - 1.0
}

fn from_cell_center(p: Point) -> Point {
    Point::new(p.x - p.x.floor() - 0.5, p.y - p.y.floor() - 0.5)
}

/// How far `p` is from the walls of a honeycomb.
fn honeycomb_wall(p: Point) -> f32 {
    const ROW: f32 = 1.732_050_8;
    let cell = |p: Point| Point::new(p.x - p.x.round(), p.y - (p.y / ROW).round() * ROW);
    let (even, odd) = (cell(p), cell(p + Point::new(0.5, ROW / 2.0)));
    let nearest = if even.dot(even) < odd.dot(odd) { even } else { odd };
    let (x, y) = (nearest.x.abs(), nearest.y.abs());
    0.5 - x.max(0.5 * x + 0.5 * ROW * y)
}

/// Smooth noise in 0 to 1 with one bump for each unit square.
pub(super) fn value_noise(p: Point, grain: u32) -> f32 {
    let (column, row) = (p.x.floor(), p.y.floor());
    let (u, v) = (smooth(0.0, 1.0, p.x - column), smooth(0.0, 1.0, p.y - row));
    #[allow(
        clippy::cast_possible_truncation,
        reason = "patterns repeat at most some hundred times"
    )]
    let (column, row) = (column as i32, row as i32);
    let at = |dx: i32, dy: i32| {
        let place = hash(column.wrapping_add(dx).cast_unsigned().wrapping_mul(0x8da6_b343));
        unit(hash(place ^ row.wrapping_add(dy).cast_unsigned() ^ grain))
    };
    let top = at(0, 0) * (1.0 - u) + at(1, 0) * u;
    let bottom = at(0, 1) * (1.0 - u) + at(1, 1) * u;
    top * (1.0 - v) + bottom * v
}

/// The top 24 bits as a number in `[0, 1)`.
pub(super) fn unit(bits: u32) -> f32 {
    const SCALE: f32 = 1.0 / (1_u32 << 24) as f32;
    (bits >> 8) as f32 * SCALE
}

/// Mixes 32 bits well (the "lowbias32" of Ettinger's hash prospector).
pub(super) fn hash(bits: u32) -> u32 {
    let bits = (bits ^ (bits >> 16)).wrapping_mul(0x7feb_352d);
    let bits = (bits ^ (bits >> 15)).wrapping_mul(0x846c_a68b);
    bits ^ (bits >> 16)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_pattern_mixes_within_bounds_and_most_vary() {
        for pattern in Pattern::ALL {
            let phase = Point::new(0.3, 0.6);
            let texture = Texture { pattern, frequency: 3.0, phase, grain: 7 };
            let (mut low, mut high) = (f32::MAX, f32::MIN);
            for y in -20_i16..20 {
                for x in -20_i16..20 {
                    let mix = texture.mix(Point::new(f32::from(x) / 20.0, f32::from(y) / 20.0));
                    (low, high) = (low.min(mix), high.max(mix));
                }
            }
            assert!(low >= 0.0 && high <= 1.0, "{pattern:?} spans {low} to {high}");
            assert!(high - low > if pattern == Pattern::Plain { 0.05 } else { 0.8 }, "{pattern:?}");
        }
    }
}
