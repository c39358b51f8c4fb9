//! The gradients of one optimizer step: collected, summed, measured, scaled.

use burn::module::{Module, ModuleVisitor, Param, ParamId};
use burn::tensor::{ExecutionError, Gradients as BackwardPass, Tensor};
use std::collections::HashMap;

/// One flat gradient for each parameter that has one, in the model's order.
#[derive(Debug, Default)]
pub struct Gradients {
    order: Vec<ParamId>,
    flat: HashMap<ParamId, Tensor<1>>,
}

impl Gradients {
    /// Adds the gradients of a backward pass through `model`. Summing `k` passes and scaling by `1 / k` gives the
    /// gradient of their mean.
    pub fn add<M: Module>(&mut self, mut pass: BackwardPass, model: &M) {
        struct Visitor<'a> {
            pass: &'a mut BackwardPass,
            into: &'a mut Gradients,
        }
        impl ModuleVisitor for Visitor<'_> {
            fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
                let Some(new) = param.base().grad_remove(self.pass) else { return };
                let new = flatten(new);
                let sum = if let Some(sum) = self.into.flat.remove(&param.id) {
                    sum + new
                } else {
                    self.into.order.push(param.id);
                    new
                };
                self.into.flat.insert(param.id, sum);
            }
        }
        model.visit(&mut Visitor { pass: &mut pass, into: self });
    }

    /// Gives every parameter of `model` that learns and has no gradient one of zeros, and brings all into the model's order:
    /// then they are as many, and in the same order, in every process that trains the model.
    pub fn complete<M: Module>(&mut self, model: &M) {
        struct Visitor<'a> {
            into: &'a mut Gradients,
        }
        impl ModuleVisitor for Visitor<'_> {
            fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
                let base = param.base();
                if !base.is_require_grad() && !self.into.flat.contains_key(&param.id) {
                    return;
                }
                self.into.order.push(param.id);
                let zeros = || flatten(base.inner().zeros_like());
                self.into.flat.entry(param.id).or_insert_with(zeros);
            }
        }
        self.order.clear();
        model.visit(&mut Visitor { into: self });
    }

    /// Replaces the gradients, joined one after the other in buckets of some `size` values or more, by as many other values.
    ///
    /// # Shapes
    /// A bucket and what comes of it: `[values]`.
    ///
    /// # Errors
    /// The first error of `replace`, which leaves the gradients without use.
    pub fn replace_joined<E>(
        &mut self,
        size: usize,
        mut replace: impl FnMut(Tensor<1>) -> Result<Tensor<1>, E>,
    ) -> Result<(), E> {
        let (mut bucket, mut values) = (Vec::new(), 0);
        for (i, id) in self.order.iter().enumerate() {
            let Some(gradient) = self.flat.remove(id) else { continue };
            let length = gradient.dims()[0];
            bucket.push((*id, values, gradient));
            values += length;
            if values < size && i + 1 < self.order.len() {
                continue;
            }
            let parts = bucket.iter().map(|(_, _, gradient)| gradient.clone()).collect();
            let joined = replace(Tensor::cat(parts, 0))?;
            for (id, begin, gradient) in bucket.drain(..) {
                let length = gradient.dims()[0];
                self.flat.insert(id, joined.clone().narrow(0, begin, length));
            }
            values = 0;
        }
        Ok(())
    }

    /// Number of parameters with a gradient.
    pub fn len(&self) -> usize {
        self.order.len()
    }

    /// Whether no parameter has a gradient.
    pub fn is_empty(&self) -> bool {
        self.order.is_empty()
    }

    /// The Euclidean norm over all gradients together; 0 without any. Reads one number from the device.
    ///
    /// # Parity
    /// What `torch.nn.utils.clip_grad_norm_` returns.
    ///
    /// # Errors
    /// What went wrong on the device since it was last read, such as a backward pass that found no memory.
    pub fn global_norm(&self) -> Result<f64, ExecutionError> {
        let squares = self
            .order
            .iter()
            .filter_map(|id| self.flat.get(id))
            .map(|gradient| sum_of_squares(gradient.clone()));
        let Some(sum) = squares.reduce(|sum, square| sum + square) else { return Ok(0.0) };
        let sum: f32 = sum.try_into_data()?.iter::<f32>().sum();
        Ok(f64::from(sum).sqrt())
    }

    /// Multiplies every gradient by `factor`.
    pub fn scale(&mut self, factor: f64) {
        if factor == 1.0 {
            return;
        }
        for id in self.order.clone() {
            self.change(id, |gradient| gradient.mul_scalar(factor));
        }
    }

    /// Brings every value into `[-bound, bound]`.
    ///
    /// # Parity
    /// `torch.nn.utils.clip_grad_value_`.
    pub fn clip_values(&mut self, bound: f64) {
        for id in self.order.clone() {
            self.change(id, |gradient| gradient.clamp(-bound, bound));
        }
    }

    /// Replaces a parameter's gradient, if it has one.
    pub(crate) fn change(&mut self, id: ParamId, change: impl FnOnce(Tensor<1>) -> Tensor<1>) {
        if let Some(gradient) = self.flat.remove(&id) {
            self.flat.insert(id, change(gradient));
        }
    }

    /// The factor that brings a global norm down to `max_norm`, at most 1.
    ///
    /// # Parity
    /// `torch.nn.utils.clip_grad_norm_`: `max_norm / (norm + 1e-6)`.
    pub fn clip_factor(norm: f64, max_norm: f64) -> f64 {
        (max_norm / (norm + 1e-6)).min(1.0)
    }

    /// Takes a parameter's gradient out, flat.
    pub(crate) fn take(&mut self, id: ParamId) -> Option<Tensor<1>> {
        self.flat.remove(&id)
    }
}

pub(crate) fn flatten<const D: usize>(tensor: Tensor<D>) -> Tensor<1> {
    let count = tensor.dims().iter().product::<usize>();
    tensor.reshape([count])
}

/// `[1]`, with the same bits in every run: by rows first, for a sum over everything at once is split among threads as they
/// happen to be free.
pub(crate) fn sum_of_squares(flat: Tensor<1>) -> Tensor<1> {
    rows(flat.clone() * flat).sum_dim(1).sum()
}

/// A flat tensor as a matrix of rows that are not longer than what one thread sums.
fn rows(flat: Tensor<1>) -> Tensor<2> {
    const LONGEST: usize = 1 << 14;
    let [count] = flat.dims();
    let length = (1..=LONGEST.min(count)).rev().find(|length| count.is_multiple_of(*length));
    let length = length.unwrap_or(1);
    flat.reshape([count / length, length])
}
