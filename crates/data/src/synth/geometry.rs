//! Points in the plane, and the pose that takes a pixel into a shape's own coordinates.

use std::ops::{Add, Mul, Sub};

/// A point or a direction.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Point {
    pub(super) x: f32,
    pub(super) y: f32,
}

impl Point {
    pub(super) const fn new(x: f32, y: f32) -> Self {
        Self { x, y }
    }

    /// The direction at `angle` radians from the x axis.
    pub(super) fn toward(angle: f32) -> Self {
        Self::new(angle.cos(), angle.sin())
    }

    pub(super) fn dot(self, other: Self) -> f32 {
        self.x * other.x + self.y * other.y
    }

    pub(super) fn length(self) -> f32 {
        self.dot(self).sqrt()
    }
}

impl Add for Point {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self::new(self.x + other.x, self.y + other.y)
    }
}

impl Sub for Point {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        Self::new(self.x - other.x, self.y - other.y)
    }
}

impl Mul<f32> for Point {
    type Output = Self;
    fn mul(self, factor: f32) -> Self {
        Self::new(self.x * factor, self.y * factor)
    }
}

/// Where a thing is, how large, turned and stretched.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Pose {
    /// In pixels.
    pub(super) center: Point,
    /// Pixels for one unit of the thing's own coordinates.
    pub(super) scale: f32,
    /// The thing's x axis.
    pub(super) axis: Point,
    /// Lengths along the x axis are multiplied by this, along the y axis divided.
    pub(super) stretch: f32,
}

impl Pose {
    /// A pixel's place in the thing's own coordinates.
    pub(super) fn local(&self, pixel: Point) -> Point {
        let from_center = (pixel - self.center) * (1.0 / self.scale);
        let along = from_center.dot(self.axis);
        let across = from_center.dot(Point::new(-self.axis.y, self.axis.x));
        Point::new(along / self.stretch, across * self.stretch)
    }
}

/// How much of a pixel lies inside an edge `distance` pixels away (negative inside).
pub(super) fn coverage(distance: f32) -> f32 {
    (0.5 - distance).clamp(0.0, 1.0)
}

/// A smooth step from 0 at `low` to 1 at `high`.
pub(super) fn smooth(low: f32, high: f32, value: f32) -> f32 {
    let t = ((value - low) / (high - low)).clamp(0.0, 1.0);
    t * t * (3.0 - 2.0 * t)
}
