//! A pull towards the weights that training started from.

use crate::error::{Error, check};
use crate::gradients::{Gradients, flatten};
use burn::module::{Module, ModuleVisitor, Param, ParamId};
use burn::tensor::Tensor;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;

/// L2-SP (Li et al., "Explicit Inductive Bias for Transfer Learning", 2018): fine-tuned weights are drawn to those they
/// started from instead of to zero. The optimizer's own weight decay goes on beside it: set that to 0.
///
/// # Formula
/// Adds `alpha (w - start)` to the gradients of weights that have a starting point and `beta w` to those of new ones. The
/// loss that is reported does not include the penalty.
///
/// # Parity
/// The formula, which is the gradient of the paper's `alpha / 2 |w - start|^2 + beta / 2 |w|^2`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct L2Sp {
    /// Towards the starting weights, at least 0.
    pub alpha: f64,
    /// Towards zero, for weights that are new, at least 0.
    pub beta: f64,
}

impl Default for L2Sp {
    /// 0.1 and 0.01, the paper's middle of the range and its fixed value.
    fn default() -> Self {
        Self { alpha: 0.1, beta: 0.01 }
    }
}

impl L2Sp {
    /// # Errors
    /// [`Error::OutOfRange`] naming the setting.
    pub fn validate(&self) -> Result<(), Error> {
        for (field, value) in [("alpha", self.alpha), ("beta", self.beta)] {
            check(value >= 0.0 && value.is_finite(), field, "at least 0", value)?;
        }
        Ok(())
    }
}

/// The starting weights, and how hard they pull.
#[derive(Debug)]
pub struct Anchor {
    settings: L2Sp,
    start: HashMap<ParamId, Tensor<1>>,
}

impl Anchor {
    /// An anchor at the weights of `start`, but for those that are new.
    pub fn new<M: Module>(settings: L2Sp, start: &M, is_new: impl Fn(ParamId) -> bool) -> Self {
        struct Visitor<F> {
            is_new: F,
            found: HashMap<ParamId, Tensor<1>>,
        }
        impl<F: Fn(ParamId) -> bool> ModuleVisitor for Visitor<F> {
            fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
                if !(self.is_new)(param.id) {
                    self.found.insert(param.id, flatten(param.base().without_autodiff()));
                }
            }
        }
        let mut visitor = Visitor { is_new, found: HashMap::new() };
        start.visit(&mut visitor);
        Self { settings, start: visitor.found }
    }

    /// Adds the pull on `model`, which has the anchor's parameters, to its gradients.
    pub fn pull<M: Module>(&self, model: &M, gradients: &mut Gradients) {
        struct Visitor<'a> {
            anchor: &'a Anchor,
            gradients: &'a mut Gradients,
        }
        impl ModuleVisitor for Visitor<'_> {
            fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
                let Anchor { settings: L2Sp { alpha, beta }, start } = self.anchor;
                self.gradients.change(param.id, |gradient| {
                    let weights = flatten(param.base().without_autodiff());
                    gradient
                        + match start.get(&param.id) {
                            Some(start) => (weights - start.clone()) * *alpha,
                            None => weights * *beta,
                        }
                });
            }
        }
        model.visit(&mut Visitor { anchor: self, gradients });
    }
}
