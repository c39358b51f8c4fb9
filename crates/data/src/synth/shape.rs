//! The outlines of the ten classes as signed distances, after Inigo Quilez, "2D distance functions"
//! (<https://iquilezles.org/articles/distfunctions2d/>).
//!
//! A shape fits in the unit circle; y points down, as rows do.

use super::geometry::Point;
use std::f32::consts::{PI, TAU};

/// What a class looks like.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Shape {
    Circle,
    Crescent,
    Heart,
    Polygon(Vec<Point>),
    Ring,
}

impl Shape {
    /// The shape of class number `class`, in the order of [`CLASSES`](super::CLASSES).
    pub(super) fn of_class(class: u32) -> Self {
        match class {
            0 => Self::Polygon(
                [(1.0, 0.0), (0.2, 0.72), (0.2, 0.3), (-0.95, 0.3)]
                    .into_iter()
                    .chain([(-0.95, -0.3), (0.2, -0.3), (0.2, -0.72)])
                    .map(|(x, y)| Point::new(x, y))
                    .collect(),
            ),
            1 => Self::Circle,
            2 => Self::Crescent,
            3 => cross(0.95, 0.3),
            4 => Self::Heart,
            5 => Self::Polygon(regular(6, &[0.92])),
            6 => Self::Ring,
            7 => Self::Polygon(regular(4, &[1.0])),
            8 => Self::Polygon(regular(10, &[1.0, 0.45])),
            _ => Self::Polygon(regular(3, &[1.0])),
        }
    }

    /// Distance from `point` to the outline, negative inside.
    pub(super) fn distance(&self, point: Point) -> f32 {
        match self {
            Self::Circle => point.length() - 0.85,
            Self::Crescent => crescent(point),
            Self::Heart => heart(point),
            Self::Polygon(corners) => polygon(corners, point),
            Self::Ring => (point.length() - 0.7).abs() - 0.24,
        }
    }
}

/// `n` corners on circles of `radii` in turn, the first at the top.
fn regular(n: u16, radii: &[f32]) -> Vec<Point> {
    (0..n)
        .zip(radii.iter().cycle())
        .map(|(i, &radius)| Point::toward(TAU * f32::from(i) / f32::from(n) - PI / 2.0) * radius)
        .collect()
}

fn cross(reach: f32, half_width: f32) -> Shape {
    let quarter = [(half_width, -reach), (half_width, -half_width), (reach, -half_width)];
    let turned = |point: (f32, f32), turns: usize| {
        (0..turns).fold(Point::new(point.0, point.1), |p, _| Point::new(-p.y, p.x))
    };
    Shape::Polygon((0..4).flat_map(|turns| quarter.map(|point| turned(point, turns))).collect())
}

fn polygon(corners: &[Point], point: Point) -> f32 {
    let Some(mut from) = corners.last().copied() else { return f32::MAX };
    let mut nearest = f32::MAX;
    let mut inside = false;
    for &to in corners {
        let (edge, offset) = (from - to, point - to);
        let along = (offset.dot(edge) / edge.dot(edge)).clamp(0.0, 1.0);
        let gap = offset - edge * along;
        nearest = nearest.min(gap.dot(gap));
        let crosses = (to.y > point.y) != (from.y > point.y);
        if crosses && offset.x < edge.x * offset.y / edge.y {
            inside = !inside;
        }
        from = to;
    }
    if inside { -nearest.sqrt() } else { nearest.sqrt() }
}

/// A disc with a bite taken out of its right.
fn crescent(point: Point) -> f32 {
    let (outer, inner, apart) = (0.9_f32, 0.73_f32, 0.42_f32);
    let point = Point::new(point.x + 0.1, point.y.abs());
    let tip_x = (outer * outer - inner * inner + apart * apart) / (2.0 * apart);
    let tip_y = (outer * outer - tip_x * tip_x).max(0.0).sqrt();
    let beyond = apart * (point.x * tip_y - point.y * tip_x);
    if beyond > apart * apart * (tip_y - point.y).max(0.0) {
        return (point - Point::new(tip_x, tip_y)).length();
    }
    let bite = (point - Point::new(apart, 0.0)).length() - inner;
    (point.length() - outer).max(-bite)
}

fn heart(point: Point) -> f32 {
    const SIZE: f32 = 1.5;
    let x = (point.x / SIZE).abs();
    let y = 0.6 - point.y / SIZE;
    let local = Point::new(x, y);
    let distance = if x + y > 1.0 {
        (local - Point::new(0.25, 0.75)).length() - 2.0_f32.sqrt() / 4.0
    } else {
        let diagonal = 0.5 * (x + y).max(0.0);
        let lobe = local - Point::new(0.0, 1.0);
        let flank = local - Point::new(diagonal, diagonal);
        lobe.dot(lobe).min(flank.dot(flank)).sqrt() * (x - y).signum()
    };
    distance * SIZE
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::synth::CLASSES;

    #[test]
    fn every_shape_fits_its_circle_and_covers_enough_of_it() {
        for (class, name) in (0..).zip(CLASSES) {
            let shape = Shape::of_class(class);
            let mut covered = 0;
            for y in -25_i16..=25 {
                for x in -25_i16..=25 {
                    let point = Point::new(f32::from(x) / 20.0, f32::from(y) / 20.0);
                    let inside = shape.distance(point) < 0.0;
                    covered += u32::from(inside);
                    assert!(!(inside && point.length() > 1.03), "{name} at {point:?}");
                }
            }
            // The unit circle has 1257 of these points.
            assert!(covered > 350, "{name} covers {covered}");
        }
    }

    #[test]
    fn distances_grow_no_faster_than_the_way() {
        for class in 0..10 {
            let shape = Shape::of_class(class);
            for step in 0_i16..400 {
                let at = |s: i16| Point::toward(f32::from(s) * 0.37) * (f32::from(s) / 300.0);
                let (a, b) = (at(step), at(step + 1));
                let change = (shape.distance(a) - shape.distance(b)).abs();
                assert!(change <= (a - b).length() + 1e-4, "class {class} between {a:?} and {b:?}");
            }
        }
    }
}
