//! The maps that follow from activations and gradients.

use super::activations::{Activations, Explainer};
use super::eigen::first_component;
use super::heat_map::HeatMap;
use super::perturbation::{ablation_weights, score_weights};
use burn::tensor::Tensor;

/// How a class activation map is made.
///
/// # Parity
/// The classes of these names of the package `grad-cam`: maps agree to f32 rounding. There `EigenCAM` has the sign that its
/// linear algebra happens to give, and `AblationCAM` sets a map to another value where maps may be negative.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CamMethod {
    /// Maps weighed by the mean of their gradient (Selvaraju et al., 2017).
    GradCam,
    /// By what their positive gradients explain of the score, to second order (Chattopadhay et al., 2018).
    GradCamPlusPlus,
    /// Maps times their gradients, place by place (Draelos and Carin, 2020).
    HiresCam,
    /// By the mean of gradient times map over the sum of the map (Fu et al., 2020).
    XgradCam,
    /// Maps times their positive gradients, place by place (Jiang et al., 2021); also for early stages.
    LayerCam,
    /// The first principal component of the maps, whatever the class (Muhammad and Yeasin, 2020).
    EigenCam,
    /// By the class's logit when only what a map shows is left of the picture (Wang et al., 2020). One pass for each map.
    ScoreCam,
    /// By how far the class's logit falls without the map (Desai and Ramaswamy, 2020). One pass of the rest of the network
    /// for each map.
    AblationCam,
}

impl CamMethod {
    /// The name that its paper gives it.
    pub fn name(self) -> &'static str {
        match self {
            Self::GradCam => "Grad-CAM",
            Self::GradCamPlusPlus => "Grad-CAM++",
            Self::HiresCam => "HiResCAM",
            Self::XgradCam => "XGrad-CAM",
            Self::LayerCam => "LayerCAM",
            Self::EigenCam => "Eigen-CAM",
            Self::ScoreCam => "Score-CAM",
            Self::AblationCam => "Ablation-CAM",
        }
    }

    /// What in a picture speaks for `class` at `stage`, before it is scaled: one number for each place of the stage's maps.
    ///
    /// # Shapes
    /// `[1, channels, height, width]`, normalised, on the explainer's device.
    pub fn map(
        self,
        explainer: &Explainer,
        picture: &Tensor<4>,
        stage: usize,
        class: usize,
    ) -> HeatMap {
        let found = explainer.activations(picture.clone(), stage, class);
        let values = match self {
            Self::GradCam => found.weighted(&found.per_map(|_, gradients| mean(gradients))),
            Self::GradCamPlusPlus => found.weighted(&found.per_map(plus_plus)),
            Self::HiresCam => found.by_place(|activation, gradient| activation * gradient),
            Self::XgradCam => found.weighted(&found.per_map(axiom_weight)),
            Self::LayerCam => found.by_place(|activation, gradient| activation * gradient.max(0.0)),
            Self::EigenCam => first_component(&found),
            Self::ScoreCam => found.weighted(&score_weights(explainer, picture, &found, class)),
            Self::AblationCam => found.weighted(&ablation_weights(explainer, stage, &found, class)),
        };
        HeatMap { width: found.width, height: found.height, values }
    }
}

impl Activations {
    fn per_map(&self, weight: impl Fn(&[f32], &[f32]) -> f32) -> Vec<f32> {
        self.maps().map(|(map, gradients)| weight(map, gradients)).collect()
    }

    /// The sum of the maps, each times its weight.
    fn weighted(&self, weights: &[f32]) -> Vec<f32> {
        let mut sum = vec![0.0; self.height * self.width];
        for ((map, _), weight) in self.maps().zip(weights) {
            for (sum, value) in sum.iter_mut().zip(map) {
                *sum += weight * value;
            }
        }
        sum
    }

    /// The sum over maps of a product at each place.
    fn by_place(&self, product: impl Fn(f32, f32) -> f32) -> Vec<f32> {
        let mut sum = vec![0.0; self.height * self.width];
        for (map, gradients) in self.maps() {
            for ((sum, value), gradient) in sum.iter_mut().zip(map).zip(gradients) {
                *sum += product(*value, *gradient);
            }
        }
        sum
    }
}

fn mean(values: &[f32]) -> f32 {
    values.iter().sum::<f32>() / values.len() as f32
}

fn plus_plus(map: &[f32], gradients: &[f32]) -> f32 {
    let all: f32 = map.iter().sum();
    let of = |gradient: f32| {
        let (square, cube) = (gradient * gradient, gradient * gradient * gradient);
        let alpha = square / (2.0 * square + all * cube + 1e-6);
        if gradient == 0.0 { 0.0 } else { alpha * gradient.max(0.0) }
    };
    gradients.iter().copied().map(of).sum()
}

fn axiom_weight(map: &[f32], gradients: &[f32]) -> f32 {
    let all: f32 = map.iter().sum();
    map.iter().zip(gradients).map(|(value, gradient)| gradient * value / (all + 1e-7)).sum()
}
