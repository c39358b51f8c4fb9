//! Bounds on gradients.

use crate::error::{Error, check};
use crate::gradients::{Gradients, flatten};
use burn::module::{Module, ModuleVisitor, Param, ParamId};
use burn::tensor::Tensor;
use serde::{Deserialize, Serialize};

/// Adaptive gradient clipping (Brock et al., "High-Performance Large-Scale Image Recognition Without Normalization", 2021):
/// the gradient of each output of a layer is bounded by a part of the norm of its weights.
///
/// # Formula
/// Where the gradient's norm is not below `m = factor max(|w|, eps)`, the gradient becomes `gradient m / |gradient|`; norms
/// are over what makes one output, or over the whole of a bias or norm weight.
///
/// # Parity
/// timm's `adaptive_clip_grad`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AdaptiveClip {
    /// The part, above 0.
    pub factor: f64,
    /// The least norm of weights, above 0.
    pub eps: f64,
}

impl Default for AdaptiveClip {
    fn default() -> Self {
        Self { factor: 0.01, eps: 1e-3 }
    }
}

impl AdaptiveClip {
    /// # Errors
    /// [`Error::OutOfRange`] naming the setting.
    pub fn validate(&self) -> Result<(), Error> {
        for (field, value) in [("factor", self.factor), ("eps", self.eps)] {
            check(value > 0.0 && value.is_finite(), field, "above 0", value)?;
        }
        Ok(())
    }

    /// Bounds the gradients of `model`'s parameters, but for those of which `is_spared` is true. The first dimension of a
    /// weight must be the layer's outputs, as that of convolutions is; Burn's linear layers have it last.
    pub fn apply<M: Module>(
        &self,
        model: &M,
        gradients: &mut Gradients,
        is_spared: impl Fn(ParamId) -> bool,
    ) {
        struct Visitor<'a, F> {
            settings: &'a AdaptiveClip,
            gradients: &'a mut Gradients,
            is_spared: F,
        }
        impl<F: Fn(ParamId) -> bool> ModuleVisitor for Visitor<'_, F> {
            fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
                if (self.is_spared)(param.id) {
                    return;
                }
                let AdaptiveClip { factor, eps } = *self.settings;
                self.gradients.change(param.id, |gradient| {
                    let weights = param.base().without_autodiff();
                    let outputs = if D > 1 { weights.dims()[0] } else { 1 };
                    let rows = |flat: Tensor<1>| -> Tensor<2> {
                        let length = flat.dims()[0] / outputs;
                        flat.reshape([outputs, length])
                    };
                    let norms = |rows: Tensor<2>| (rows.clone() * rows).sum_dim(1).sqrt();
                    let gradient = rows(gradient);
                    let most = norms(rows(flatten(weights))).clamp_min(eps) * factor;
                    let found = norms(gradient.clone());
                    let within = found.clone().lower(most.clone());
                    let scale = most / found.clamp_min(1e-6);
                    flatten(gradient * scale.mask_fill(within, 1.0))
                });
            }
        }
        model.visit(&mut Visitor { settings: self, gradients, is_spared });
    }
}
