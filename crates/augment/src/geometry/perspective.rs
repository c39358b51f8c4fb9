//! Pictures seen from elsewhere: four corners are moved and straight lines stay straight.

use super::warp::Map;
use crate::round::factor;

/// `x' = (a x + b y + c) / (g x + h y + 1)`, `y' = (d x + e y + f) / (g x + h y + 1)`: from a place in the result to a
/// place in the source.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Perspective([f64; 8]);

impl Map for Perspective {
    #[inline(always)]
    fn of(self, x: f64, y: f64) -> [f64; 2] {
        let [across_x, down_x, at_x, across_y, down_y, at_y, across_depth, down_depth] = self.0;
        let depth = across_depth * x + down_depth * y + 1.0;
        [(across_x * x + down_x * y + at_x) / depth, (across_y * x + down_y * y + at_y) / depth]
    }
}

impl Perspective {
    /// The map that leads each of `to` to its counterpart in `from`, rounded to `f32` as in torchvision; `None` if
    /// there is none or more than one.
    pub(crate) fn between(from: [[f64; 2]; 4], to: [[f64; 2]; 4]) -> Option<Self> {
        let mut rows = [[0.0; 9]; 8];
        for (i, ([x, y], [u, v])) in to.into_iter().zip(from).enumerate() {
            rows[2 * i] = [x, y, 1.0, 0.0, 0.0, 0.0, -u * x, -u * y, u];
            rows[2 * i + 1] = [0.0, 0.0, 0.0, x, y, 1.0, -v * x, -v * y, v];
        }
        let solution = solved(rows)?.map(|entry| f64::from(factor(entry)));
        solution.iter().all(|entry| entry.is_finite()).then_some(Self(solution))
    }
}

/// The unknowns of eight linear equations, each with its right side last (Gauss and Jordan, with pivots).
fn solved(mut rows: [[f64; 9]; 8]) -> Option<[f64; 8]> {
    let size = |row: &[f64; 9]| row.iter().fold(0.0_f64, |most, entry| most.max(entry.abs()));
    let smallest = rows.iter().map(size).fold(0.0, f64::max) * 1e-12;
    for column in 0..8 {
        let pivot =
            (column..8).max_by(|&a, &b| rows[a][column].abs().total_cmp(&rows[b][column].abs()))?;
        rows.swap(column, pivot);
        let row = rows[column];
        if row[column].abs() <= smallest || row[column].is_nan() {
            return None;
        }
        let row = row.map(|entry| entry / row[column]);
        rows[column] = row;
        for (_, other) in rows.iter_mut().enumerate().filter(|(i, _)| *i != column) {
            let times = other[column];
            for (entry, pivot) in other.iter_mut().zip(row) {
                *entry -= times * pivot;
            }
        }
    }
    Some(rows.map(|row| row[8]))
}

#[cfg(test)]
mod tests {
    use super::Perspective;
    use crate::geometry::warp::Map;

    const SQUARE: [[f64; 2]; 4] = [[0.0, 0.0], [8.0, 0.0], [8.0, 6.0], [0.0, 6.0]];

    #[test]
    fn corners_lead_to_corners() {
        let to = [[1.0, 0.0], [7.0, 1.0], [8.0, 6.0], [0.5, 4.0]];
        let map = Perspective::between(SQUARE, to).expect("no three corners are in line");
        for ([x, y], expect) in to.into_iter().zip(SQUARE) {
            let found = map.of(x, y);
            assert!(found.iter().zip(expect).all(|(a, b)| (a - b).abs() < 1e-4), "{found:?}");
        }
    }

    #[test]
    fn there_is_no_map_from_a_line() {
        let line = [[0.0, 0.0], [8.0, 0.0], [4.0, 0.0], [2.0, 0.0]];
        assert_eq!(Perspective::between(SQUARE, line), None);
        assert_eq!(Perspective::between(SQUARE, [[3.0, 3.0]; 4]), None);
        assert_eq!(Perspective::between(SQUARE, [[f64::NAN; 2]; 4]), None);
        assert_eq!(Perspective::between(SQUARE, [[f64::MAX; 2]; 4]), None);
    }
}
