//! One picture, explained.

use super::activations::Explainer;
use super::heat_map::HeatMap;
use super::method::CamMethod;
use super::overlay::overlay;
use super::trust::{Trust, trust};
use burn::tensor::Tensor;
use kiln_augment::Image8;

/// Steps in which pixels are taken away and given back.
const STEPS: usize = 8;

/// What a network sees in a picture.
#[derive(Debug, Clone, PartialEq)]
pub struct Explanation {
    /// The most probable class, and its probability.
    pub predicted: (usize, f32),
    /// The class that is explained, and its probability.
    pub class: (usize, f32),
    /// Where it is seen, from 0 to 1, at the picture's size.
    pub map: HeatMap,
    /// How far the map is to be trusted.
    pub trust: Trust,
    /// The picture as it was before normalisation.
    pub picture: Image8,
    /// The map over it, with a scale.
    pub overlay: Image8,
}

/// Explains a prepared picture, as it is and normalised, by the maps of a stage: why it is of `class`, or of the most
/// probable one.
///
/// # Shapes
/// The tensor is `[1, 3, height, width]` of the picture's size, on the explainer's device.
pub fn explain(
    explainer: &Explainer,
    (picture, input): (Image8, &Tensor<4>),
    method: CamMethod,
    stage: usize,
    class: Option<usize>,
) -> Explanation {
    let probabilities = explainer.probabilities(input.clone()).concat();
    let highest =
        |a: &usize, b: &usize| probabilities[*a].total_cmp(&probabilities[*b]).then(b.cmp(a));
    let predicted = (0..probabilities.len()).max_by(highest).unwrap_or(0);
    let class = class.unwrap_or(predicted);
    let size = picture.size();
    let map = method.map(explainer, input, stage, class);
    let map = map.over_picture(size.width as usize, size.height as usize);
    Explanation {
        predicted: (predicted, probabilities[predicted]),
        class: (class, probabilities[class]),
        trust: trust(explainer, input, &map, class, STEPS),
        overlay: overlay(&picture, &map),
        map,
        picture,
    }
}
