//! The pattern that a stage's maps have in common.

use super::activations::Activations;

/// The first principal component of the maps as a map. Its sign, which the component does not have, is the one that makes
/// its largest value positive.
#[allow(clippy::cast_possible_truncation, reason = "the maps are f32, too")]
pub(super) fn first_component(found: &Activations) -> Vec<f32> {
    let area = found.height * found.width;
    // Each map without its mean, in f64, by rows of places.
    let centred: Vec<Vec<f64>> = found
        .maps()
        .map(|(map, _)| {
            let mean = map.iter().map(|value| f64::from(*value)).sum::<f64>() / area as f64;
            map.iter().map(|value| f64::from(*value) - mean).collect()
        })
        .collect();
    // The first eigenvector of the smaller of the two covariances: of places, or of maps.
    let values: Vec<f32> = if area <= centred.len() {
        let places: Vec<Vec<f64>> =
            (0..area).map(|place| centred.iter().map(|map| map[place]).collect()).collect();
        let (direction, eigenvalue) = dominant(&covariance(&places));
        // The projection of the maps on the component: its direction times the singular value.
        let singular = eigenvalue.max(0.0).sqrt();
        direction.iter().map(|part| (part * singular) as f32).collect()
    } else {
        let (direction, _) = dominant(&covariance(&centred));
        let mut sum = vec![0.0; area];
        for (map, part) in centred.iter().zip(&direction) {
            for (sum, value) in sum.iter_mut().zip(map) {
                *sum += part * value;
            }
        }
        sum.into_iter().map(|value| value as f32).collect()
    };
    let lowest = values.iter().copied().fold(0.0, f32::min);
    let highest = values.iter().copied().fold(0.0, f32::max);
    let sign = if -lowest > highest { -1.0 } else { 1.0 };
    values.into_iter().map(|value| sign * value).collect()
}

/// The products of all pairs of rows.
fn covariance(rows: &[Vec<f64>]) -> Vec<Vec<f64>> {
    let product = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum();
    rows.iter().map(|a| rows.iter().map(|b| product(a, b)).collect()).collect()
}

/// The eigenvector with the largest eigenvalue of a symmetric matrix without negative ones, and that eigenvalue.
///
/// The matrix is squared again and again, which doubles the powers: after 14 times even eigenvalues that differ by a
/// thousandth are apart.
fn dominant(matrix: &[Vec<f64>]) -> (Vec<f64>, f64) {
    let trace: f64 = (0..matrix.len()).map(|i| matrix[i][i]).sum();
    if trace <= 0.0 {
        return (vec![0.0; matrix.len()], 0.0);
    }
    let mut power: Vec<Vec<f64>> = matrix.to_vec();
    normalise(&mut power);
    for _ in 0..14 {
        // Symmetric: its square is the products of its rows.
        power = covariance(&power);
        normalise(&mut power);
    }
    // Of a matrix of rank one, the column with the largest diagonal element is the vector.
    let largest = (0..power.len()).max_by(|a, b| power[*a][*a].total_cmp(&power[*b][*b]));
    let mut vector = power[largest.unwrap_or(0)].clone();
    let length = vector.iter().map(|part| part * part).sum::<f64>().sqrt();
    for part in &mut vector {
        *part /= length;
    }
    let image: f64 = matrix
        .iter()
        .zip(&vector)
        .map(|(row, part)| part * row.iter().zip(&vector).map(|(a, b)| a * b).sum::<f64>())
        .sum();
    (vector, image)
}

fn normalise(matrix: &mut [Vec<f64>]) {
    let trace: f64 = (0..matrix.len()).map(|i| matrix[i][i]).sum();
    for value in matrix.iter_mut().flatten() {
        *value /= trace;
    }
}
