//! How far a map is to be trusted: whether the places that it names are those that matter.

use super::activations::Explainer;
use super::heat_map::HeatMap;
use burn::tensor::{DType, Tensor, TensorData};

/// What the class's probability does when the places of a map are taken from the picture, or given to an empty one, the
/// brightest first (Petsiuk et al., 2018, "RISE").
#[derive(Debug, Clone, PartialEq)]
pub struct Trust {
    /// The probability after each step of taking away; first that of the whole picture.
    pub deletion: Vec<f64>,
    /// After each step of giving; first that of the empty picture, which has the mean colour.
    pub insertion: Vec<f64>,
}

impl Trust {
    /// Area under the deletion curve, from 0 to 1: low for a good map.
    pub fn deletion_area(&self) -> f64 {
        area(&self.deletion)
    }

    /// Area under the insertion curve, from 0 to 1: high for a good map.
    pub fn insertion_area(&self) -> f64 {
        area(&self.insertion)
    }

    /// Insertion less deletion: above 0 when the map's places matter more than the others.
    pub fn score(&self) -> f64 {
        self.insertion_area() - self.deletion_area()
    }
}

/// Measures a map that is as large as the picture, in `steps` equal steps, at least 1.
///
/// # Shapes
/// `[1, channels, height, width]`, normalised, on the explainer's device.
pub fn trust(
    explainer: &Explainer,
    picture: &Tensor<4>,
    map: &HeatMap,
    class: usize,
    steps: usize,
) -> Trust {
    let [_, channels, height, width] = picture.dims();
    let area = height * width;
    let values: Vec<f32> = picture.clone().into_data().iter::<f32>().collect();
    let mut order: Vec<usize> = (0..area.min(map.values.len())).collect();
    // Stable: of equals the first comes first.
    order.sort_by(|a, b| map.values[*b].total_cmp(&map.values[*a]));
    let steps = steps.max(1);
    let (mut deleted, mut inserted) = (Vec::new(), Vec::new());
    let (mut without, mut only) = (values.clone(), vec![0.0; values.len()]);
    let mut done = 0;
    for step in 0..=steps {
        let until = area * step / steps;
        for &place in &order[done..until.min(order.len())] {
            for channel in 0..channels {
                without[channel * area + place] = 0.0;
                only[channel * area + place] = values[channel * area + place];
            }
        }
        done = until.min(order.len());
        deleted.extend_from_slice(&without);
        inserted.extend_from_slice(&only);
    }
    let probabilities = |pictures: Vec<f32>| -> Vec<f64> {
        let data = TensorData::new(pictures, [steps + 1, channels, height, width]);
        let rows =
            explainer.probabilities(Tensor::from_data(data, (explainer.device(), DType::F32)));
        rows.iter().map(|row| f64::from(row[class])).collect()
    };
    Trust { deletion: probabilities(deleted), insertion: probabilities(inserted) }
}

fn area(curve: &[f64]) -> f64 {
    let ends =
        curve.first().zip(curve.last()).map_or(0.0, |(first, last)| f64::midpoint(*first, *last));
    (curve.iter().sum::<f64>() - ends) / (curve.len() - 1) as f64
}
