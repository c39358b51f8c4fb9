//! Weights of maps by what happens without them, or with nothing else.

use super::activations::{Activations, Explainer};
use burn::tensor::{DType, Tensor, TensorData};

/// Pictures in one pass.
const BATCH: usize = 16;

/// How each map raises the class: the softmax, over the maps, of the class's logit when the picture is multiplied by the
/// map, which is upsampled so that its corners are the picture's and stretched to 0 to 1.
pub(super) fn score_weights(
    explainer: &Explainer,
    picture: &Tensor<4>,
    found: &Activations,
    class: usize,
) -> Vec<f32> {
    let [_, _, height, width] = picture.dims();
    let maps: Vec<&[f32]> = found.maps().map(|(map, _)| map).collect();
    let mut scores = Vec::with_capacity(maps.len());
    for maps in maps.chunks(BATCH) {
        let masks: Vec<f32> = maps
            .iter()
            .flat_map(|map| mask(map, (found.width, found.height), (width, height)))
            .collect();
        let masks = TensorData::new(masks, [maps.len(), 1, height, width]);
        let masks = Tensor::<4>::from_data(masks, (explainer.device(), DType::F32));
        let rows = explainer.logits(picture.clone() * masks);
        scores.extend(rows.iter().map(|row| row[class]));
    }
    let highest = scores.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let powers: Vec<f32> = scores.iter().map(|score| (score - highest).exp()).collect();
    let sum: f32 = powers.iter().sum();
    powers.into_iter().map(|power| power / sum).collect()
}

/// The part of the class's logit that goes when a map is set to 0.
///
/// The package `grad-cam` sets a map to 0 where the smallest value of all maps is 0, as after a ReLU, and to a huge negative
/// number elsewhere; here it is 0 always.
pub(super) fn ablation_weights(
    explainer: &Explainer,
    stage: usize,
    found: &Activations,
    class: usize,
) -> Vec<f32> {
    let Activations { channels, height, width, ref values, .. } = *found;
    let shape = [1, channels, height, width];
    let whole = TensorData::new(values.clone(), shape);
    let whole = Tensor::<4>::from_data(whole, (explainer.device(), DType::F32));
    let logit = explainer.logits_of_maps(stage, whole)[0][class];
    let area = height * width;
    let all: Vec<usize> = (0..channels).collect();
    let mut weights = Vec::with_capacity(channels);
    for left_out in all.chunks(BATCH) {
        let mut maps = values.repeat(left_out.len());
        for (number, channel) in left_out.iter().enumerate() {
            let start = number * channels * area + channel * area;
            maps[start..start + area].fill(0.0);
        }
        let maps = TensorData::new(maps, [left_out.len(), channels, height, width]);
        let maps = Tensor::<4>::from_data(maps, (explainer.device(), DType::F32));
        let rows = explainer.logits_of_maps(stage, maps);
        weights.extend(rows.iter().map(|row| (logit - row[class]) / logit));
    }
    weights
}

/// A map from `of` (width, height) places to `to`, corner on corner, stretched to 0 to 1.
fn mask(map: &[f32], of: (usize, usize), to: (usize, usize)) -> Vec<f32> {
    let place = |i: usize, of: usize, to: usize| {
        let at = if to > 1 { i as f32 * (of - 1) as f32 / (to - 1) as f32 } else { 0.0 };
        let first = (0..of).rev().find(|place| *place as f32 <= at).unwrap_or(0);
        (first, (first + 1).min(of - 1), at - first as f32)
    };
    let mut values = Vec::with_capacity(to.0 * to.1);
    for y in 0..to.1 {
        let (upper, lower, down) = place(y, of.1, to.1);
        for x in 0..to.0 {
            let (left, right, along) = place(x, of.0, to.0);
            let at = |y: usize, x: usize| map[y * of.0 + x];
            let above = at(upper, left) + (at(upper, right) - at(upper, left)) * along;
            let below = at(lower, left) + (at(lower, right) - at(lower, left)) * along;
            values.push(above + (below - above) * down);
        }
    }
    let lowest = values.iter().copied().fold(f32::INFINITY, f32::min);
    let highest = values.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    for value in &mut values {
        *value = (*value - lowest) / (highest - lowest + 1e-8);
    }
    values
}
