//! What must travel with the weights for training, evaluation and prediction to agree.

use crate::spec::InputSpec;
use crate::view::View;
use kiln_augment::Normalize;
use kiln_data::Recipe;
use kiln_models::ModelSpec;
use serde::{Deserialize, Serialize};

/// Stored in the metadata of `model.safetensors`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModelCard {
    /// The network.
    pub model: ModelSpec,
    /// Names of the classes, in the order of the logits.
    pub class_names: Vec<String>,
    /// Side of the square input, in pixels.
    pub size: u32,
    /// Normalisation, crop ratio and filter.
    pub input: InputSpec,
    /// What logits are divided by before they become probabilities, so that these are as high as the network is right;
    /// absent: 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub temperature: Option<f64>,
}

impl ModelCard {
    /// How a picture becomes the input in evaluation and prediction: the shorter side to `size / crop_ratio`, rounded
    /// down, the centre `size` x `size` cropped, normalised.
    ///
    /// # Errors
    /// [`kiln_augment::Error`] when the card's numbers are out of range.
    pub fn evaluation_recipe(&self) -> Result<Recipe, kiln_augment::Error> {
        View::PLAIN.recipe(self)
    }

    /// What is wrong with a card that somebody else may have written.
    pub(crate) fn check(&self) -> Result<(), String> {
        self.model.validate().map_err(|error| format!("model: {error}"))?;
        let InputSpec { mean, std, crop_ratio, .. } = &self.input;
        let rules = [
            (!self.class_names.is_empty(), "class_names must name a class"),
            ((1..=16_384).contains(&self.size), "size must be from 1 to 16384"),
            (*crop_ratio > 0.0 && *crop_ratio <= 1.0, "crop_ratio must be above 0 and at most 1"),
            (mean.iter().all(|mean| mean.is_finite()), "mean must be finite"),
            (
                self.temperature.is_none_or(|t| t > 0.0 && t.is_finite()),
                "temperature must be above 0",
            ),
            (std.iter().all(|std| *std > 0.0 && std.is_finite()), "std must be above 0"),
        ];
        match rules.into_iter().find(|(holds, _)| !holds) {
            Some((_, problem)) => Err(problem.to_owned()),
            None => Ok(()),
        }
    }

    /// The shorter side of a picture before the crop.
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "the crop ratio is checked to be above 0 and at most 1; a float saturates"
    )]
    pub(crate) fn short_side(&self) -> u32 {
        let side = f64::from(self.size) / self.input.crop_ratio;
        // A ratio of two sides, such as 380 / 384, gives the second one back in spite of rounding.
        (side * (1.0 + f64::EPSILON)).floor() as u32
    }

    pub(crate) fn normalize(&self) -> Normalize {
        Normalize { mean: self.input.mean, std: self.input.std }
    }
}
