//! A stage's maps for one picture, and what they mean for a class.

use burn::module::Module as _;
use burn::tensor::activation::softmax;
use burn::tensor::{DType, Device, Tensor};
use kiln_models::{Freeze, Network};

/// A network that is asked why. It has no hooks and keeps nothing from one picture to the next.
#[derive(Debug)]
pub struct Explainer {
    /// On the plain device.
    plain: Network,
    /// On the autodiff device, everything frozen: what it does is what the plain one does.
    frozen: Network,
    device: Device,
    temperature: f64,
}

/// The maps of one stage for one picture.
#[derive(Debug, Clone, PartialEq)]
pub struct Activations {
    /// Number of maps.
    pub channels: usize,
    /// Of a map.
    pub height: usize,
    /// Of a map.
    pub width: usize,
    /// `[channels, height, width]` in row-major order.
    pub values: Vec<f32>,
    /// The gradient of the class's logit with respect to each of them.
    pub gradients: Vec<f32>,
}

impl Explainer {
    /// Of a network on the plain device `device`.
    pub fn new(network: Network, device: Device) -> Self {
        let frozen = network.clone().train().frozen(|_| Some(Freeze::WeightsAndStats));
        Self { plain: network, frozen, device, temperature: 1.0 }
    }

    /// One whose probabilities are of logits divided by `temperature`, if there is one.
    #[must_use]
    pub fn with_temperature(mut self, temperature: Option<f64>) -> Self {
        self.temperature = temperature.unwrap_or(1.0);
        self
    }

    /// Stages of the network, see [`Network::stage_names`].
    pub fn stages(&self) -> Vec<String> {
        self.plain.stage_names()
    }

    /// The last stage whose maps have at least four places on each side for pictures of `side` x `side` pixels: fewer say
    /// little about where.
    pub fn last_telling_stage(&self, side: u32) -> usize {
        const FEWEST: usize = 4;
        let side = side as usize;
        let picture = Tensor::zeros([1, 3, side, side], (&self.device, DType::F32));
        let maps = self.plain.forward_stages(picture).into_iter();
        let tells = |map: Tensor<4>| map.dims()[2].min(map.dims()[3]) >= FEWEST;
        maps.map(tells).rposition(|tells| tells).unwrap_or(0)
    }

    /// The device that pictures belong to.
    pub fn device(&self) -> &Device {
        &self.device
    }

    /// Probabilities of all classes.
    ///
    /// # Shapes
    /// `[batch, channels, height, width]` to a row of probabilities for each picture.
    pub fn probabilities(&self, pictures: Tensor<4>) -> Vec<Vec<f32>> {
        rows(softmax(self.plain.forward(pictures) / self.temperature, 1))
    }

    /// Logits of all classes.
    ///
    /// # Shapes
    /// As [`probabilities`](Self::probabilities).
    pub fn logits(&self, pictures: Tensor<4>) -> Vec<Vec<f32>> {
        rows(self.plain.forward(pictures))
    }

    /// The maps after `stage` for one picture, and their gradients for `class`.
    ///
    /// # Shapes
    /// `[1, channels, height, width]`.
    pub fn activations(&self, picture: Tensor<4>, stage: usize, class: usize) -> Activations {
        let maps = self.plain.forward_between(0..stage + 1, picture);
        let [_, channels, height, width] = maps.dims();
        let values = maps.clone().into_data().iter::<f32>().collect();
        let maps = Tensor::<4>::from_inner(maps).require_grad();
        let logit = Self::rest(&self.frozen, stage, maps.clone()).slice([0..1, class..class + 1]);
        let gradients = maps.grad(&logit.sum().backward());
        let gradients = match gradients {
            Some(gradients) => gradients.into_data().iter::<f32>().collect(),
            None => vec![0.0; channels * height * width],
        };
        Activations { channels, height, width, values, gradients }
    }

    /// Logits from the maps after `stage`.
    ///
    /// # Shapes
    /// `[batch, features, height, width]` to a row for each.
    pub(super) fn logits_of_maps(&self, stage: usize, maps: Tensor<4>) -> Vec<Vec<f32>> {
        rows(Self::rest(&self.plain, stage, maps))
    }

    fn rest(network: &Network, stage: usize, maps: Tensor<4>) -> Tensor<2> {
        let stages = network.stage_names().len();
        network.forward_head(network.forward_between(stage + 1..stages, maps))
    }
}

impl Activations {
    /// The maps, and the gradients of each.
    pub(super) fn maps(&self) -> impl Iterator<Item = (&[f32], &[f32])> {
        let area = self.height * self.width;
        self.values.chunks_exact(area).zip(self.gradients.chunks_exact(area))
    }
}

fn rows(tensor: Tensor<2>) -> Vec<Vec<f32>> {
    let [_, classes] = tensor.dims();
    let values: Vec<f32> = tensor.into_data().iter::<f32>().collect();
    values.chunks_exact(classes.max(1)).map(<[f32]>::to_vec).collect()
}
