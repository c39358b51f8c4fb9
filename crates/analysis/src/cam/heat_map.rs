//! A map over a picture.

/// One number for each place.
#[derive(Debug, Clone, PartialEq)]
pub struct HeatMap {
    /// Places in a row.
    pub width: usize,
    /// Rows.
    pub height: usize,
    /// Row by row.
    pub values: Vec<f32>,
}

impl HeatMap {
    /// What speaks for the class, from 0 to 1: what is below 0 becomes 0, then the smallest value 0 and the largest 1.
    ///
    /// # Parity
    /// `scale_cam_image` of the package `grad-cam`.
    #[must_use]
    pub fn scaled(mut self) -> Self {
        for value in &mut self.values {
            *value = value.max(0.0);
        }
        self.stretched()
    }

    /// The smallest value becomes 0, the largest 1.
    fn stretched(mut self) -> Self {
        let lowest = self.values.iter().copied().fold(f32::INFINITY, f32::min);
        let highest = self.values.iter().copied().fold(lowest, f32::max);
        for value in &mut self.values {
            *value = (*value - lowest) / (1e-7 + (highest - lowest));
        }
        self
    }

    /// The scaled map at the size of the picture that it explains.
    ///
    /// # Parity
    /// What a call of the package `grad-cam` returns.
    #[must_use]
    pub fn over_picture(self, width: usize, height: usize) -> Self {
        self.scaled().resized(width, height).stretched()
    }

    /// The map with `width` x `height` places, by bilinear interpolation between the middles of places.
    ///
    /// # Parity
    /// `cv2.resize`.
    #[must_use]
    pub fn resized(&self, width: usize, height: usize) -> Self {
        let columns: Vec<Between> = (0..width).map(|x| Between::of(x, width, self.width)).collect();
        let mut values = Vec::with_capacity(width * height);
        for y in 0..height {
            let row = Between::of(y, height, self.height);
            let (upper, lower) = (self.row(row.first), self.row(row.second));
            values.extend(columns.iter().map(|column| {
                let above = column.mix(upper[column.first], upper[column.second]);
                let below = column.mix(lower[column.first], lower[column.second]);
                row.mix(above, below)
            }));
        }
        Self { width, height, values }
    }

    fn row(&self, y: usize) -> &[f32] {
        &self.values[y * self.width..][..self.width]
    }
}

/// A place between two others.
struct Between {
    first: usize,
    second: usize,
    /// How far from the first.
    part: f32,
}

impl Between {
    /// Where the middle of place `i` of `count` is among the middles of `of` places.
    #[allow(clippy::cast_possible_truncation, reason = "between 0 and 1")]
    fn of(i: usize, count: usize, of: usize) -> Self {
        let at = (i as f64 + 0.5) * of as f64 / count as f64 - 0.5;
        let at = at.clamp(0.0, (of - 1) as f64);
        let first = (0..of).rev().find(|place| *place as f64 <= at).unwrap_or(0);
        Self { first, second: (first + 1).min(of - 1), part: (at - first as f64) as f32 }
    }

    fn mix(&self, a: f32, b: f32) -> f32 {
        a + (b - a) * self.part
    }
}
