//! The kernel of a lens out of focus: a disk, itself blurred a little at the edge.

use super::border::Border;
use super::taps::Taps;

/// albumentations' kernel: a disk in a square of at least 17 pixels, blurred by 3 pixels or, above radius 8, by 5.
pub(crate) fn defocus(radius: usize, alias_blur: f64) -> Taps {
    let half = radius.max(8);
    let side = 2 * half + 1;
    let inside = |at: usize| {
        let (row, column) = ((at / side).abs_diff(half), (at % side).abs_diff(half));
        row * row + column * column <= radius * radius
    };
    let disk: Vec<bool> = (0..side * side).map(inside).collect();
    #[allow(clippy::cast_precision_loss, reason = "fewer than 2^24 places")]
    let weight = 1.0 / disk.iter().filter(|&&inside| inside).count() as f32;
    let disk: Vec<f32> = disk.into_iter().map(|inside| if inside { weight } else { 0.0 }).collect();

    let edge = bell(alias_blur, if radius <= 8 { 1 } else { 2 });
    let across = filter(&disk, &edge, side, 1);
    Taps::grouped(half, &filter(&across, &edge, side, side))
}

/// `cv2.getGaussianKernel` in `f32`: the centre's weight, then those beside it.
fn bell(sigma: f64, radius: i32) -> Vec<f32> {
    let heights: Vec<f64> =
        (0..=radius).map(|away| (-0.5 / (sigma * sigma) * f64::from(away * away)).exp()).collect();
    let sum = heights[0] + 2.0 * heights[1..].iter().sum::<f64>();
    #[allow(clippy::cast_possible_truncation, reason = "to the nearest f32, as OpenCV does")]
    heights.into_iter().map(|height| (height / sum) as f32).collect()
}

/// Filters along one axis, whose neighbours are `step` apart.
fn filter(weights: &[f32], bell: &[f32], side: usize, step: usize) -> Vec<f32> {
    let at = |place: usize, away: isize| {
        let along = place / step % side;
        let inside = Border::Reflect101.inside(along.cast_signed() + away, side);
        weights[place - along * step + inside * step]
    };
    (0..weights.len())
        .map(|place| {
            let centre = weights[place] * bell[0];
            (1..).zip(&bell[1..]).fold(centre, |sum, (away, &height)| {
                (at(place, -away) + at(place, away)).mul_add(height, sum)
            })
        })
        .collect()
}
