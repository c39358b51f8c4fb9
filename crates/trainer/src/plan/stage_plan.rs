//! A stage as it runs: no choice is left.

use super::checkpoint_pace::CheckpointPace;
use crate::card::ModelCard;
use crate::checkpoint::TrainState;
use crate::drop_schedule::DropLine;
use crate::error::Error;
use crate::loss::Loss;
use crate::parameter_rules::{ParameterRules, learnable};
use crate::spec::{Metric, MicroBatch, Precision};
use crate::weights::Take;
use burn::tensor::Device;
use kiln_augment::mix::Mix;
use kiln_data::{BatchShape, Recipe};
use kiln_models::{DropScale, Network};
use kiln_optim_schedules::{
    AdaptiveClip, L2Sp, Optimizer, OptimizerSpec, Pace, Plateau, Rates, Schedule,
};
use serde::Serialize;
use std::sync::Arc;

/// One stage, resolved.
#[derive(Debug)]
pub struct StagePlan {
    /// The stage's name.
    pub name: String,
    /// Pictures per step.
    pub shape: BatchShape,
    /// Whether a micro-batch is a whole step's pictures, which go through the network in as many passes as memory asks for.
    pub micro_is_auto: bool,
    /// Optimizer steps in one epoch.
    pub steps_per_epoch: u64,
    /// Optimizer steps in the stage.
    pub total_steps: u64,
    /// Epochs, the last one possibly cut short by `total_steps`.
    pub epochs: u64,
    /// The rates of every step.
    pub schedule: Box<dyn Schedule>,
    /// What lowers them when the validation set no longer improves.
    pub plateau: Option<Plateau>,
    /// Whose weights it starts from, unless it is the first.
    pub start_from: Start,
    /// Stages before the later ones from which those start, by number.
    pub(crate) needed_later: Vec<(usize, Take)>,
    /// Which parameters learn.
    pub(crate) params: ParameterRules,
    /// The learning rate of each layer over that of the layer behind it.
    pub layer_decay: f64,
    /// The update rule.
    pub optimizer: OptimizerSpec,
    /// Whether the weight decay also takes norms and biases.
    pub decay_norm_and_bias: bool,
    /// Augmentation and normalisation of training pictures: one for each of their sizes, and the last epoch of each.
    pub(super) train_recipes: Vec<(u64, Arc<Recipe>)>,
    /// Preparation of validation pictures.
    pub val_recipe: Arc<Recipe>,
    /// What travels with the weights.
    pub card: ModelCard,
    /// Mixing of the pictures of a micro-batch.
    pub mixing: Option<Mix>,
    /// Optimizer steps of the stage, from its first, in which pictures are mixed.
    pub mixing_steps: u64,
    /// What training makes smaller.
    pub loss: Loss,
    /// Bound on the global norm of the gradients; infinite for none.
    pub max_grad_norm: f64,
    /// Bound on every value of the gradients.
    pub max_grad_value: Option<f64>,
    /// Bound on the gradients of each output.
    pub adaptive_clip: Option<AdaptiveClip>,
    /// A pull towards the weights the stage starts from.
    pub l2_sp: Option<L2Sp>,
    /// How much of the model's dropout and stochastic depth there is.
    pub(super) drops: [Option<DropLine>; 2],
    /// Number format of the maps in training.
    pub precision: Precision,
    /// When the average of weights follows.
    pub average: Option<Pace>,
    /// What makes an epoch the best.
    pub best_by: Metric,
    /// Other metrics by which the best epoch is kept too.
    pub(crate) keep_best_by: Vec<Metric>,
    /// What the rates are multiplied by each time the run goes back to a checkpoint.
    pub(crate) rollback_factor: f64,
    /// Smallest change that resets the patience.
    pub min_delta: f64,
    /// Epochs without improvement after which the stage ends.
    pub patience: u64,
    /// The time between checkpoints.
    pub checkpoint_every: CheckpointPace,
    /// Newest checkpoints to keep.
    pub keep_newest: usize,
}

/// Whose weights a stage starts from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Start {
    /// Those that the stage before ended with.
    GoOn,
    /// The best of the run so far.
    Best,
    /// Those of a stage, by its number from 0.
    OfStage(usize, Take),
}

impl StagePlan {
    /// Pictures that go through the network together on `device`, which was out of memory `halvings` times.
    pub(crate) fn pictures_in_pass(&self, device: &Device, halvings: u32) -> u32 {
        let micro = self.shape.micro();
        let on_cpu = *device == Device::flex();
        // The system does not refuse memory but ends the program that asks for too much.
        let most = if self.micro_is_auto && on_cpu { micro.min(MicroBatch::UNIT) } else { micro };
        most.div_ceil(1 << halvings.min(31))
    }

    /// Names and learning rates, over the schedule's, of what learns at a rate of its own: the paths of `params` rules or,
    /// with `layer_decay`, the first parameter of each layer.
    pub fn scaled_rates(&self, device: &Device) -> Vec<(String, f64)> {
        if self.layer_decay == 1.0 {
            return self.params.scaled().map(|(path, scale)| (path.to_owned(), scale)).collect();
        }
        let network = self.card.model.build(self.card.class_names.len(), device);
        let groups = self.params.groups(&network, self.decay_norm_and_bias, self.layer_decay);
        let mut rates: Vec<(String, f64)> = Vec::new();
        for (named, (_, group)) in learnable(&network).zip(groups) {
            let frozen = self.params.freezes(&named.name);
            if !frozen && rates.last().is_none_or(|(_, scale)| *scale != group.lr_scale) {
                rates.push((named.name, group.lr_scale));
            }
        }
        rates
    }

    /// How training pictures of the epoch, from 0, become the input.
    pub fn train_recipe(&self, epoch: u64) -> &Arc<Recipe> {
        let at = self.train_recipes.partition_point(|(last, _)| *last < epoch);
        &self.train_recipes[at.min(self.train_recipes.len() - 1)].1
    }

    /// How much of the model's dropout and stochastic depth there is in step `step`; absent where nothing changes.
    pub(crate) fn drop_scale(&self, step: u64) -> Option<DropScale> {
        let [dropout, stochastic_depth] = self.drops;
        let at = |line: Option<DropLine>| line.map_or(1.0, |line| line.at(step));
        let scale = DropScale { dropout: at(dropout), stochastic_depth: at(stochastic_depth) };
        (dropout.is_some() || stochastic_depth.is_some()).then_some(scale)
    }

    /// Whether a rule keeps parameters as they are.
    pub(crate) fn freezes_any(&self) -> bool {
        self.params.freezes_any()
    }

    /// Optimizer steps of the stage that are done.
    pub(crate) fn step(&self, state: &TrainState) -> u64 {
        state.epoch * self.steps_per_epoch + state.step_in_epoch
    }

    /// The rates of step `step`, in which `state` is.
    pub(crate) fn rates(&self, step: u64, state: &TrainState) -> Rates {
        let Rates { lr, momentum } = self.schedule.at(step);
        let mut factor =
            self.plateau.as_ref().map_or(1.0, |plateau| plateau.factor(&state.plateau));
        for _ in 0..state.rollbacks {
            factor *= self.rollback_factor;
        }
        Rates { lr: lr * factor, momentum }
    }

    /// Steps in the given epoch, from 0.
    pub fn steps_in_epoch(&self, epoch: u64) -> u64 {
        self.steps_per_epoch.min(self.total_steps.saturating_sub(epoch * self.steps_per_epoch))
    }

    /// An optimizer without any state yet.
    pub(crate) fn new_optimizer(&self, network: &Network) -> Result<Optimizer, Error> {
        let groups = self.params.groups(network, self.decay_norm_and_bias, self.layer_decay);
        let optimizer = self.optimizer.build().map_err(|error| Error::Config {
            origin: "plan".to_owned(),
            path: format!("stage.{}.optimizer", self.name),
            problem: error.to_string(),
        })?;
        Ok(optimizer.with_groups(groups))
    }

    /// The lines of `plan.json` about this stage.
    pub fn summary(&self) -> impl Serialize + use<> {
        #[derive(Serialize)]
        struct Summary {
            stage: String,
            effective_batch: u64,
            steps_per_epoch: u64,
            epochs: u64,
            total_steps: u64,
            checkpoint_every: CheckpointPace,
            first_lr: f64,
            last_lr: f64,
            card: ModelCard,
        }
        let lr = |step| self.schedule.at(step).lr;
        Summary {
            stage: self.name.clone(),
            effective_batch: self.shape.effective(),
            steps_per_epoch: self.steps_per_epoch,
            epochs: self.epochs,
            total_steps: self.total_steps,
            checkpoint_every: self.checkpoint_every,
            first_lr: lr(0),
            last_lr: lr(self.total_steps - 1),
            card: self.card.clone(),
        }
    }
}
