//! From what the user wrote to what will run: spans in steps, sizes in pixels, ops built, schedules ready.

use crate::card::ModelCard;
use crate::checkpoint::TrainState;
use crate::error::Error;
use crate::loss::LossSpec;
use crate::parameter_rules::ParameterRules;
use crate::spec::{ExperimentSpec, Layers, Metric, StageSpec};
use crate::weights::Take;
use kiln_augment::mix::{Mix, MixSpec};
use kiln_augment::{Pipeline, Size, Transform};
use kiln_data::{BatchShape, Recipe};
use kiln_models::Network;
use kiln_optim_schedules::{Optimizer, OptimizerSpec, Pace, Plateau, Rates, Schedule, Timeline};
use serde::Serialize;
use std::fmt::Display;
use std::sync::Arc;

/// One stage, resolved.
#[derive(Debug)]
pub struct StagePlan {
    /// The stage's name.
    pub name: String,
    /// Pictures per step.
    pub shape: BatchShape,
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
    pub start_from: Take,
    /// Which parameters learn.
    pub(crate) params: ParameterRules,
    /// The update rule.
    pub optimizer: OptimizerSpec,
    /// Whether the weight decay also takes norms and biases.
    pub decay_norm_and_bias: bool,
    /// Augmentation and normalisation of training pictures.
    pub train_recipe: Arc<Recipe>,
    /// Preparation of validation pictures.
    pub val_recipe: Arc<Recipe>,
    /// What travels with the weights.
    pub card: ModelCard,
    /// Mixing of the pictures of a micro-batch.
    pub mixing: Option<Mix>,
    /// Optimizer steps of the stage, from its first, in which pictures are mixed.
    pub mixing_steps: u64,
    /// What training makes smaller.
    pub loss: LossSpec,
    /// Bound on the global norm of the gradients; infinite for none.
    pub max_grad_norm: f64,
    /// When the average of weights follows.
    pub average: Option<Pace>,
    /// What makes an epoch the best.
    pub best_by: Metric,
    /// Smallest change that resets the patience.
    pub min_delta: f64,
    /// Epochs without improvement after which the stage ends.
    pub patience: u64,
    /// Optimizer steps between checkpoints.
    pub checkpoint_every: u64,
    /// Newest checkpoints to keep.
    pub keep_newest: usize,
}

impl StagePlan {
    /// The paths of `params` rules with a learning rate of their own, and that over the schedule's.
    pub fn scaled_rates(&self) -> impl Iterator<Item = (&str, f64)> {
        self.params.scaled()
    }

    /// Optimizer steps of the stage that are done.
    pub(crate) fn step(&self, state: &TrainState) -> u64 {
        state.epoch * self.steps_per_epoch + state.step_in_epoch
    }

    /// The rates of step `step`, in which `state` is.
    pub(crate) fn rates(&self, step: u64, state: &TrainState) -> Rates {
        let Rates { lr, momentum } = self.schedule.at(step);
        let factor = self.plateau.as_ref().map_or(1.0, |plateau| plateau.factor(&state.plateau));
        Rates { lr: lr * factor, momentum }
    }

    /// Steps in the given epoch, from 0.
    pub fn steps_in_epoch(&self, epoch: u64) -> u64 {
        self.steps_per_epoch.min(self.total_steps.saturating_sub(epoch * self.steps_per_epoch))
    }
}

/// Checks everything that does not depend on the data, before any picture is looked for.
///
/// # Errors
/// [`Error::Config`] naming the layer, the path and the problem.
pub fn check(spec: &ExperimentSpec, layers: &Layers) -> Result<(), Error> {
    let fault = |path: &str, problem: &dyn Display| layers.fault(path, problem.to_string());
    let ensure = |holds: bool, path: &str, must_be: &str| {
        if holds { Ok(()) } else { Err(fault(path, &format!("must be {must_be}"))) }
    };
    ensure(!spec.stages.is_empty(), "stages", "the name of at least one stage")?;
    for (i, name) in spec.stages.iter().enumerate() {
        ensure(!spec.stages[..i].contains(name), "stages", "without a name twice")?;
    }
    spec.model.validate().map_err(|error| fault("model", &error))?;
    spec.data.source.validate().map_err(|error| fault("data.source", &error))?;
    if let Some(subset) = &spec.data.subset {
        let fraction = subset.fraction;
        ensure(fraction > 0.0 && fraction <= 1.0, "data.subset.fraction", "above 0 and at most 1")?;
    }
    let limit_valid = spec.data.limit.as_ref().is_none_or(|limit| limit.train.min(limit.val) > 0);
    ensure(limit_valid, "data.limit", "at least 1 in training and validation")?;
    let prefetch_valid = (1..=1 << 20).contains(&spec.data.prefetch_mib);
    ensure(prefetch_valid, "data.prefetch_mib", "from 1 to 1048576")?;
    let ratio = spec.input.crop_ratio;
    ensure(ratio > 0.0 && ratio <= 1.0, "input.crop_ratio", "above 0 and at most 1")?;
    let deviations_valid = spec.input.std.iter().all(|std| *std > 0.0 && std.is_finite());
    ensure(deviations_valid, "input.std", "above 0 in every channel")?;
    for name in &spec.stages {
        let Some(stage) = spec.stage.get(name) else { continue };
        let at = |field: &str| format!("stage.{name}.{field}");
        ensure((1..=16_384).contains(&stage.size), &at("size"), "from 1 to 16384")?;
        batch_shape(stage).map_err(|error| fault(&at("batch"), &error))?;
        if let Some((field, must_be)) = stage.loss.fault() {
            ensure(false, &at(&format!("loss.{field}")), must_be)?;
        }
        let norm_valid = stage.clip_grad_norm.is_none_or(|norm| norm > 0.0);
        ensure(norm_valid, &at("clip_grad_norm"), "above 0")?;
        let patience_valid = stage.early_stopping.as_ref().is_none_or(|stop| stop.patience > 0);
        ensure(patience_valid, &at("early_stopping.patience"), "at least 1")?;
        let delta_valid = stage.early_stopping.as_ref().is_none_or(|stop| stop.min_delta >= 0.0);
        ensure(delta_valid, &at("early_stopping.min_delta"), "at least 0")?;
        ensure(stage.checkpoint.keep_newest > 0, &at("checkpoint.keep_newest"), "at least 1")?;
        let has_before = spec.stages.first() != Some(name);
        ensure(
            has_before || stage.start_from.is_none(),
            &at("start_from"),
            "left out of the first stage, which starts from [weights] or anew",
        )?;
        parameter_rules(name, stage, layers)?;
        stage.optimizer.build().map_err(|error| fault(&at("optimizer"), &error))?;
        if let Some(mixing) = &stage.mixing {
            mixing.build().map_err(|error| fault(&at("mixing"), &error))?;
        }
        ensure(
            stage.mixing.is_some() || stage.mixing_for.is_none(),
            &at("mixing_for"),
            "left out where there is no `mixing`",
        )?;
        build_pipeline(name, stage, layers)?;
    }
    Ok(())
}

/// Resolves every stage of an experiment that [`check`] accepts, for `samples` training pictures of the classes `class_names`.
///
/// # Errors
/// [`Error::Config`] naming the layer, the path and the problem.
pub(crate) fn resolve(
    spec: &ExperimentSpec,
    layers: &Layers,
    samples: u32,
    class_names: &[String],
) -> Result<Vec<StagePlan>, Error> {
    spec.stages
        .iter()
        .filter_map(|name| Some((name, spec.stage.get(name)?)))
        .map(|(name, stage)| resolve_stage(spec, layers, (name, stage), samples, class_names))
        .collect()
}

fn resolve_stage(
    spec: &ExperimentSpec,
    layers: &Layers,
    (name, stage): (&String, &StageSpec),
    samples: u32,
    class_names: &[String],
) -> Result<StagePlan, Error> {
    let fault = |field: &str, problem: &dyn Display| {
        layers.fault(&format!("stage.{name}.{field}"), problem.to_string())
    };
    let shape = batch_shape(stage).map_err(|error| fault("batch", &error))?;
    let effective = shape.effective();
    let steps_per_epoch = shape.steps_per_epoch(samples);
    if steps_per_epoch == 0 {
        let problem = format!(
            "one optimizer step takes {effective} pictures (micro x accumulate), the training set has {samples}; \
             lower them or set drop_last = false"
        );
        return Err(fault("batch", &problem));
    }
    // A stage's own length cannot be a fraction of itself; 1 stands in and is refused below.
    let epoch = Timeline { steps_per_epoch, total_steps: 0 };
    let total_steps = stage.run_for.steps(epoch).map_err(|error| fault("run_for", &error))?;
    if total_steps == 0 {
        return Err(fault("run_for", &"must be at least one step, in epochs or steps"));
    }
    let timeline = Timeline { steps_per_epoch, total_steps };
    let rest = stage.warmup.as_ref().map_or(Ok(timeline), |warmup| warmup.rest(timeline));
    let rest = rest.map_err(|error| fault("warmup", &error))?;
    let mut schedule = stage.schedule.build(rest).map_err(|error| fault("schedule", &error))?;
    if let Some(warmup) = &stage.warmup {
        schedule = warmup.before(schedule, timeline).map_err(|error| fault("warmup", &error))?;
    }
    let every = &stage.checkpoint.every;
    let checkpoint_every =
        every.steps(timeline).map_err(|error| fault("checkpoint.every", &error))?;
    if checkpoint_every == 0 {
        return Err(fault("checkpoint.every", &"must be at least one step"));
    }
    let card = ModelCard {
        model: spec.model.clone(),
        class_names: class_names.to_vec(),
        size: stage.size,
        input: spec.input.clone(),
    };
    let val_recipe = card.evaluation_recipe().map_err(|error| fault("size", &error))?;
    let train_recipe = Recipe {
        pipeline: build_pipeline(name, stage, layers)?,
        normalize: card.normalize(),
        size: Size::square(stage.size),
    };
    let mixing = stage.mixing.as_ref().map(MixSpec::build).transpose();
    let mixing = mixing.map_err(|error| fault("mixing", &error))?;
    let mixing_steps = match &stage.mixing_for {
        Some(span) => span.steps(timeline).map_err(|error| fault("mixing_for", &error))?,
        None => total_steps,
    };
    let average = stage.average.as_ref().map(|average| average.build(timeline)).transpose();
    let average = average.map_err(|error| fault("average", &error))?;
    let stopping = stage.early_stopping.as_ref();
    Ok(StagePlan {
        name: name.clone(),
        shape,
        steps_per_epoch,
        total_steps,
        epochs: total_steps.div_ceil(steps_per_epoch),
        schedule,
        plateau: stage.schedule.as_plateau().cloned(),
        start_from: stage.start_from.unwrap_or(Take::Newest),
        params: parameter_rules(name, stage, layers)?,
        optimizer: stage.optimizer.clone(),
        decay_norm_and_bias: stage.decay_norm_and_bias,
        train_recipe: Arc::new(train_recipe),
        val_recipe: Arc::new(val_recipe),
        card,
        mixing,
        mixing_steps,
        loss: stage.loss.clone(),
        max_grad_norm: stage.clip_grad_norm.unwrap_or(f64::INFINITY),
        average,
        best_by: stage.checkpoint.best_by,
        min_delta: stopping.map_or(0.0, |stop| stop.min_delta),
        patience: stopping.map_or(u64::MAX, |stop| stop.patience),
        checkpoint_every,
        keep_newest: stage.checkpoint.keep_newest,
    })
}

fn parameter_rules(
    name: &str,
    stage: &StageSpec,
    layers: &Layers,
) -> Result<ParameterRules, Error> {
    let origin = layers.origin_of(&format!("stage.{name}.params"));
    ParameterRules::compile(&stage.params, origin).map_err(|(rule, problem)| {
        let number = rule.map(|rule| format!("[{rule}]")).unwrap_or_default();
        layers.fault(&format!("stage.{name}.params{number}"), problem)
    })
}

fn batch_shape(stage: &StageSpec) -> Result<BatchShape, kiln_data::Error> {
    BatchShape::new(stage.batch.micro, stage.batch.accumulate, stage.batch.drop_last)
}

fn build_pipeline(name: &str, stage: &StageSpec, layers: &Layers) -> Result<Pipeline, Error> {
    let size = Size::square(stage.size);
    let build = |(i, op): (usize, &kiln_augment::OpSpec)| -> Result<Box<dyn Transform>, Error> {
        let path = || format!("stage.{name}.pipeline[{i}] ({})", op.name());
        match op.build(size) {
            Ok(op) => Ok(Box::new(op)),
            Err(error) => Err(layers.fault(&path(), error.to_string())),
        }
    };
    let transforms = stage.pipeline.iter().enumerate().map(build).collect::<Result<_, _>>()?;
    Ok(Pipeline::new(transforms))
}

impl StagePlan {
    /// An optimizer without any state yet.
    pub(crate) fn new_optimizer(&self, network: &Network) -> Result<Optimizer, Error> {
        let groups = self.params.groups(network, self.decay_norm_and_bias);
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
            checkpoint_every_steps: u64,
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
            checkpoint_every_steps: self.checkpoint_every,
            first_lr: lr(0),
            last_lr: lr(self.total_steps - 1),
            card: self.card.clone(),
        }
    }
}
