//! Applies an update rule to every parameter of a model that has a gradient.

use crate::error::{Error, check};
use crate::gradients::Gradients;
use crate::schedule::Rates;
use burn::module::{Module, ModuleMapper, Param, ParamId};
use burn::tensor::{DType, Device, Tensor, TensorData};
use std::collections::HashMap;
use std::fmt;

/// How one parameter moves. Tensors are flat and on the plain device.
pub trait UpdateRule: fmt::Debug + Send {
    /// Weight decay of parameters whose group says nothing else.
    fn weight_decay(&self) -> f64;

    /// Names of the tensors that the rule keeps for a parameter, as PyTorch calls them; `is_rest` as in [`Update`].
    fn slots(&self, is_rest: bool) -> &'static [&'static str];

    /// The parameter after `update`. `slots` is empty before the first one and has one tensor for each name in
    /// [`UpdateRule::slots`] afterwards.
    fn update(
        &self,
        parameter: Tensor<1>,
        gradient: Tensor<1>,
        slots: &mut Vec<Tensor<1>>,
        update: Update,
    ) -> Tensor<1>;
}

/// One update of one parameter.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Update {
    /// Its number, from 1.
    pub number: u64,
    /// The parameter's own learning rate.
    pub lr: f64,
    /// Replaces the rule's momentum or first beta, where the schedule cycles it.
    pub momentum: Option<f64>,
    /// The parameter's own weight decay.
    pub weight_decay: f64,
    /// Outputs of the layer, the rows of its weight; 1 for a bias or norm weight.
    pub rows: usize,
    /// Whether a rule for matrices leaves the parameter to another one.
    pub is_rest: bool,
}

impl Update {
    /// The parameter after the weight decay, for rules that keep it apart from the gradient.
    pub(super) fn decayed(self, parameter: Tensor<1>) -> Tensor<1> {
        match self.weight_decay {
            0.0 => parameter,
            decay => parameter * (1.0 - self.lr * decay),
        }
    }

    /// The gradient with that of the L2 penalty, for rules whose weight decay is one.
    pub(super) fn with_penalty(self, gradient: Tensor<1>, parameter: &Tensor<1>) -> Tensor<1> {
        match self.weight_decay {
            0.0 => gradient,
            decay => gradient + parameter.clone() * decay,
        }
    }
}

/// How a parameter's updates differ from those of others: PyTorch's parameter groups.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ParameterGroup {
    /// Its learning rate over the schedule's.
    pub lr_scale: f64,
    /// Its weight decay; absent: the rule's.
    pub weight_decay: Option<f64>,
    /// Whether a rule for matrices, such as [`Muon`](super::Muon), leaves it to another one: the classifier. Biases and norm
    /// weights, which are no matrices, are left in any case.
    pub is_rest: bool,
}

impl Default for ParameterGroup {
    fn default() -> Self {
        Self { lr_scale: 1.0, weight_decay: None, is_rest: false }
    }
}

pub(super) fn check_weight_decay(weight_decay: f64) -> Result<(), Error> {
    let valid = weight_decay >= 0.0 && weight_decay.is_finite();
    check(valid, "weight_decay", "at least 0", weight_decay)
}

/// What the rule keeps for one parameter.
#[derive(Debug, Default)]
struct ParameterState {
    step: u64,
    is_rest: bool,
    slots: Vec<Tensor<1>>,
}

/// An update rule with the state of all parameters.
#[derive(Debug)]
pub struct Optimizer {
    rule: Box<dyn UpdateRule>,
    groups: HashMap<ParamId, ParameterGroup>,
    state: HashMap<ParamId, ParameterState>,
}

/// One kept tensor of one parameter, for a checkpoint.
#[derive(Debug, Clone, PartialEq)]
pub struct SavedSlot {
    /// The parameter's name.
    pub parameter: String,
    /// The slot's name, such as `exp_avg`.
    pub slot: String,
    /// Updates that the parameter has had.
    pub step: u64,
    /// Values in the order of the parameter in memory.
    pub values: Vec<f32>,
}

impl Optimizer {
    /// An optimizer without any state yet.
    pub fn new(rule: Box<dyn UpdateRule>) -> Self {
        Self { rule, groups: HashMap::new(), state: HashMap::new() }
    }

    /// Gives parameters groups of their own; the others keep the rule's settings.
    pub fn with_groups(
        mut self,
        groups: impl IntoIterator<Item = (ParamId, ParameterGroup)>,
    ) -> Self {
        self.groups.extend(groups);
        self
    }

    /// Names of the tensors kept for a parameter of `dimensions` dimensions.
    pub fn slots(&self, id: ParamId, dimensions: usize) -> &'static [&'static str] {
        self.rule.slots(self.is_rest(id, dimensions))
    }

    fn is_rest(&self, id: ParamId, dimensions: usize) -> bool {
        dimensions < 2 || self.groups.get(&id).is_some_and(|group| group.is_rest)
    }

    /// Moves every parameter of `model` that has a gradient. Parameters without one are untouched.
    pub fn step<M: Module>(&mut self, model: M, mut gradients: Gradients, rates: Rates) -> M {
        struct Mapper<'a> {
            optimizer: &'a mut Optimizer,
            gradients: &'a mut Gradients,
            rates: Rates,
        }
        impl ModuleMapper for Mapper<'_> {
            fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
                let id = param.id;
                let Some(gradient) = self.gradients.take(id) else { return param };
                param.map(|tensor| {
                    let shape = tensor.dims();
                    let flat = tensor.inner().reshape([shape.iter().product::<usize>()]);
                    let updated = self.optimizer.update(id, &shape, flat, gradient, self.rates);
                    Tensor::from_inner(updated.reshape(shape)).require_grad()
                })
            }
        }
        model.map(&mut Mapper { optimizer: self, gradients: &mut gradients, rates })
    }

    fn update(
        &mut self,
        id: ParamId,
        shape: &[usize],
        parameter: Tensor<1>,
        gradient: Tensor<1>,
        rates: Rates,
    ) -> Tensor<1> {
        let group = self.groups.get(&id).copied().unwrap_or_default();
        let is_rest = self.is_rest(id, shape.len());
        let state = self.state.entry(id).or_default();
        state.step += 1;
        state.is_rest = is_rest;
        let update = Update {
            number: state.step,
            lr: rates.lr * group.lr_scale,
            momentum: rates.momentum,
            weight_decay: group.weight_decay.unwrap_or_else(|| self.rule.weight_decay()),
            rows: if shape.len() < 2 { 1 } else { shape[0] },
            is_rest,
        };
        self.rule.update(parameter, gradient, &mut state.slots, update)
    }

    /// The state of the named parameters, in the order of `names`.
    pub fn save<'a>(&self, names: impl IntoIterator<Item = (ParamId, &'a str)>) -> Vec<SavedSlot> {
        let mut saved = Vec::new();
        for (id, name) in names {
            let Some(state) = self.state.get(&id) else { continue };
            for (slot, tensor) in self.rule.slots(state.is_rest).iter().zip(&state.slots) {
                saved.push(SavedSlot {
                    parameter: name.to_owned(),
                    slot: (*slot).to_owned(),
                    step: state.step,
                    values: tensor.clone().into_data().iter::<f32>().collect(),
                });
            }
        }
        saved
    }

    /// Replaces the state by a saved one, on `device`; beside its name each parameter has the number of its dimensions.
    ///
    /// # Errors
    /// [`Error::State`] when a parameter or a slot is unknown.
    pub fn restore<'a>(
        &mut self,
        saved: Vec<SavedSlot>,
        names: impl IntoIterator<Item = (ParamId, &'a str, usize)>,
        device: &Device,
    ) -> Result<(), Error> {
        let named: HashMap<&str, (ParamId, bool)> = names
            .into_iter()
            .map(|(id, name, dimensions)| (name, (id, self.is_rest(id, dimensions))))
            .collect();
        self.state.clear();
        for SavedSlot { parameter, slot, step, values } in saved {
            let fault = |problem: String| Error::State { parameter: parameter.clone(), problem };
            let (id, is_rest) = *named
                .get(parameter.as_str())
                .ok_or_else(|| fault("no such parameter in the model".to_owned()))?;
            let state = self.state.entry(id).or_default();
            state.is_rest = is_rest;
            let expected = self.rule.slots(is_rest).get(state.slots.len()).copied();
            if expected != Some(slot.as_str()) {
                return Err(fault(format!("unexpected slot `{slot}`")));
            }
            let count = values.len();
            state.step = step;
            state
                .slots
                .push(Tensor::from_data(TensorData::new(values, [count]), (device, DType::F32)));
        }
        Ok(())
    }
}
