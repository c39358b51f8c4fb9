//! Classifying single pictures.

use crate::card::ModelCard;
use crate::device_read::on_device;
use crate::error::Error;
use burn::tensor::activation::softmax;
use burn::tensor::{DType, Device, Tensor, TensorData};
use kiln_augment::Image8;
use kiln_data::{SampleKeys, decode_file};
use kiln_models::Network;
use serde::Serialize;
use std::path::{Path, PathBuf};

/// The most likely classes of one picture.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Prediction {
    /// The picture.
    pub path: PathBuf,
    /// Most likely first.
    pub top: Vec<ClassProbability>,
}

/// A class and how likely it is.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ClassProbability {
    /// The class's name.
    pub class: String,
    /// From 0 to 1.
    pub probability: f32,
}

/// The network's logits for the picture at `path`, prepared as in evaluation; one for each class.
///
/// # Errors
/// [`Error::Data`] when the picture cannot be read.
pub fn logits(
    network: &Network,
    card: &ModelCard,
    device: &Device,
    path: &Path,
) -> Result<Vec<f32>, Error> {
    let logits = forward(network, card, device, path)?;
    Ok(on_device(logits.try_into_data())?.iter::<f32>().collect())
}

/// Classifies the picture at `path`, prepared as in evaluation; probabilities by the card's temperature.
///
/// # Errors
/// [`Error::Data`] when the picture cannot be read.
pub fn predict(
    network: &Network,
    card: &ModelCard,
    device: &Device,
    path: &Path,
    top: usize,
) -> Result<Prediction, Error> {
    let temperature = card.temperature.unwrap_or(1.0);
    let probabilities = softmax(forward(network, card, device, path)? / temperature, 1);
    let mut ranked: Vec<ClassProbability> = on_device(probabilities.try_into_data())?
        .iter::<f32>()
        .zip(&card.class_names)
        .map(|(probability, class)| ClassProbability { class: class.clone(), probability })
        .collect();
    ranked.sort_by(|a, b| b.probability.total_cmp(&a.probability));
    ranked.truncate(top);
    Ok(Prediction { path: path.to_owned(), top: ranked })
}

/// `[1, classes]`.
fn forward(
    network: &Network,
    card: &ModelCard,
    device: &Device,
    path: &Path,
) -> Result<Tensor<2>, Error> {
    Ok(network.forward(prepared_picture(card, device, path)?.1))
}

/// The picture at `path` as evaluation prepares it: resized and cropped, and then normalised.
///
/// # Shapes
/// `[1, 3, size, size]`.
///
/// # Errors
/// [`Error::Data`] when the picture cannot be read.
pub fn prepared_picture(
    card: &ModelCard,
    device: &Device,
    path: &Path,
) -> Result<(Image8, Tensor<4>), Error> {
    let recipe = card.evaluation_recipe().map_err(|error| Error::Config {
        origin: "model card".to_owned(),
        path: "input".to_owned(),
        problem: error.to_string(),
    })?;
    let picture = decode_file(path).map_err(kiln_data::Error::from)?;
    let picture = recipe.pipeline.apply(picture, SampleKeys::evaluation().of(0)).into_rgb();
    let mut planes = vec![0.0; recipe.sample_len()];
    recipe.normalize.to_planar(&picture, &mut planes);
    let shape = [1, 3, recipe.size.height as usize, recipe.size.width as usize];
    let input = Tensor::<4>::from_data(TensorData::new(planes, shape), (device, DType::F32));
    Ok((picture, input))
}
