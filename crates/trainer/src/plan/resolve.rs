//! Spans become steps, ops and schedules are built.

use super::checkpoint_pace::CheckpointPace;
use super::stage_plan::{StagePlan, Start};
use crate::card::ModelCard;
use crate::drop_schedule::{DropLine, DropSchedule};
use crate::error::Error;
use crate::loss::Loss;
use crate::parameter_rules::ParameterRules;
use crate::spec::{BatchSpec, ExperimentSpec, Layers, MicroBatch, StageSpec, StartFrom};
use crate::weights::Take;
use kiln_augment::mix::MixSpec;
use kiln_augment::{Pipeline, Size, Transform};
use kiln_data::{BatchShape, Listing, Recipe};
use kiln_optim_schedules::{Schedule, Timeline};
use std::fmt::Display;
use std::sync::Arc;

/// Resolves every stage of an experiment that [`check`] accepts, for the training pictures `train`.
///
/// # Errors
/// [`Error::Config`] naming the layer, the path and the problem.
pub(crate) fn resolve(
    spec: &ExperimentSpec,
    layers: &Layers,
    train: &Listing,
) -> Result<Vec<StagePlan>, Error> {
    let mut stages = spec
        .stages
        .iter()
        .filter_map(|name| Some((name, spec.stage.get(name)?)))
        .map(|(name, stage)| resolve_stage(spec, layers, (name, stage), train))
        .collect::<Result<Vec<_>, _>>()?;
    let starts: Vec<Start> = stages.iter().map(|stage| stage.start_from).collect();
    for (number, stage) in stages.iter_mut().enumerate() {
        let later = starts[number + 1..].iter().filter_map(|start| match start {
            Start::OfStage(from, take) => Some((*from, *take)),
            Start::GoOn | Start::Best => None,
        });
        stage.needed_later = later.collect();
    }
    Ok(stages)
}

fn resolve_stage(
    spec: &ExperimentSpec,
    layers: &Layers,
    (name, stage): (&String, &StageSpec),
    train: &Listing,
) -> Result<StagePlan, Error> {
    let samples = train.count();
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
    let schedule = build_schedule(name, stage, timeline, layers)?;
    let checkpoint_every = CheckpointPace::new(stage.checkpoint.every, timeline)
        .map_err(|problem| fault("checkpoint.every", &problem))?;
    let card = ModelCard {
        model: spec.model.clone(),
        class_names: train.class_names().to_vec(),
        size: stage.size,
        input: spec.input.clone(),
        temperature: None,
    };
    let val_recipe = card.evaluation_recipe().map_err(|error| fault("size", &error))?;
    let epochs = total_steps.div_ceil(steps_per_epoch);
    let train_recipes = train_recipes(name, stage, (epochs, timeline), &card, layers)?;
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
        micro_is_auto: stage.batch.micro == MicroBatch::Auto,
        steps_per_epoch,
        total_steps,
        epochs,
        schedule,
        plateau: stage.schedule.as_plateau().cloned(),
        start_from: start(spec, name, stage).map_err(|problem| fault("start_from", &problem))?,
        needed_later: Vec::new(),
        params: parameter_rules(name, stage, layers)?,
        layer_decay: stage.layer_decay.unwrap_or(1.0),
        optimizer: stage.optimizer.clone(),
        decay_norm_and_bias: stage.decay_norm_and_bias,
        train_recipes,
        val_recipe: Arc::new(val_recipe),
        card,
        mixing,
        mixing_steps,
        loss: Loss::new(
            stage.loss.clone(),
            stage.class_weights.map(|weights| weights.of(&train.class_counts())),
        ),
        max_grad_norm: stage.clip_grad_norm.unwrap_or(f64::INFINITY),
        max_grad_value: stage.clip_grad_value,
        adaptive_clip: stage.adaptive_clip.clone(),
        l2_sp: stage.l2_sp.clone(),
        drops: drops(name, stage, timeline, layers)?,
        precision: stage.precision,
        average,
        best_by: stage.checkpoint.best_by,
        keep_best_by: stage.checkpoint.keep_best_by.clone(),
        rollback_factor: spec.trainer.rollback.lr_factor,
        min_delta: stopping.map_or(0.0, |stop| stop.min_delta),
        patience: stopping.map_or(u64::MAX, |stop| stop.patience),
        checkpoint_every,
        keep_newest: stage.checkpoint.keep_newest,
    })
}

fn build_schedule(
    name: &str,
    stage: &StageSpec,
    timeline: Timeline,
    layers: &Layers,
) -> Result<Box<dyn Schedule>, Error> {
    let fault = |field: &str, problem: &dyn Display| {
        layers.fault(&format!("stage.{name}.{field}"), problem.to_string())
    };
    let rest = stage.warmup.as_ref().map_or(Ok(timeline), |warmup| warmup.rest(timeline));
    let rest = rest.map_err(|error| fault("warmup", &error))?;
    let mut schedule = stage.schedule.build(rest).map_err(|error| fault("schedule", &error))?;
    if let Some(warmup) = &stage.warmup {
        schedule = warmup.before(schedule, timeline).map_err(|error| fault("warmup", &error))?;
    }
    Ok(schedule)
}

/// The lines of dropout and of stochastic depth.
fn drops(
    name: &str,
    stage: &StageSpec,
    timeline: Timeline,
    layers: &Layers,
) -> Result<[Option<DropLine>; 2], Error> {
    let build = |field: &str, schedule: &Option<DropSchedule>| {
        let line = schedule.as_ref().map(|schedule| schedule.build(timeline)).transpose();
        line.map_err(|(part, problem)| {
            layers.fault(&format!("stage.{name}.{field}.{part}"), problem)
        })
    };
    Ok([
        build("dropout_schedule", &stage.dropout_schedule)?,
        build("stochastic_depth_schedule", &stage.stochastic_depth_schedule)?,
    ])
}

/// How training pictures become the input: one recipe for each of their sizes, with the last epoch of each.
fn train_recipes(
    name: &str,
    stage: &StageSpec,
    (epochs, timeline): (u64, Timeline),
    card: &ModelCard,
    layers: &Layers,
) -> Result<Vec<(u64, Arc<Recipe>)>, Error> {
    let fault = |field: &str, problem: &dyn Display| {
        layers.fault(&format!("stage.{name}.{field}"), problem.to_string())
    };
    let sides = match &stage.progressive_resize {
        None => vec![stage.size; 1],
        Some(progressive) => {
            let sides = progressive.sides(stage.size, epochs, timeline);
            sides.map_err(|(field, problem)| {
                fault(&format!("progressive_resize.{field}"), &problem)
            })?
        }
    };
    let mut recipes: Vec<(u64, Arc<Recipe>)> = Vec::new();
    for (epoch, side) in (0..).zip(sides) {
        let size = Size::square(side);
        match recipes.last_mut() {
            Some((last, recipe)) if recipe.size == size => *last = epoch,
            _ => {
                let pipeline = build_pipeline(name, stage, side, layers)?;
                let recipe = Recipe { pipeline, normalize: card.normalize(), size };
                recipes.push((epoch, Arc::new(recipe)));
            }
        }
    }
    Ok(recipes)
}

/// The start of the stage `name`.
pub(super) fn start(spec: &ExperimentSpec, name: &str, stage: &StageSpec) -> Result<Start, String> {
    match &stage.start_from {
        None | Some(StartFrom { stage: None, take: Take::Newest }) => Ok(Start::GoOn),
        Some(StartFrom { stage: None, take: Take::Best }) => Ok(Start::Best),
        Some(StartFrom { stage: Some(from), take }) => {
            let number = |wanted: &str| spec.stages.iter().position(|stage| stage == wanted);
            match (number(from), number(name)) {
                (Some(from), Some(own)) if from < own => Ok(Start::OfStage(from, *take)),
                _ => Err(format!("`{from}` is not a stage before `{name}`")),
            }
        }
    }
}

pub(super) fn parameter_rules(
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

pub(super) fn batch_shape(stage: &StageSpec) -> Result<BatchShape, kiln_data::Error> {
    let BatchSpec { micro, accumulate, drop_last } = stage.batch;
    match micro {
        MicroBatch::Pictures(micro) => BatchShape::new(micro, accumulate, drop_last),
        // All micro-batches of a step as one.
        MicroBatch::Auto => {
            BatchShape::new(MicroBatch::UNIT.saturating_mul(accumulate), 1, drop_last)
        }
    }
}

pub(super) fn build_pipeline(
    name: &str,
    stage: &StageSpec,
    side: u32,
    layers: &Layers,
) -> Result<Pipeline, Error> {
    let size = Size::square(side);
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
