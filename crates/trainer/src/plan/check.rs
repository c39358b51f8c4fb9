//! What can be known of an experiment before any picture is looked for.

use super::resolve::{batch_shape, build_pipeline, parameter_rules, start};
use crate::error::Error;
use crate::spec::{ExperimentSpec, Layers};
use std::fmt::Display;

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
    ensure(spec.trainer.log_every_steps > 0, "trainer.log_every_steps", "at least 1")?;
    let factor = spec.trainer.rollback.lr_factor;
    ensure(factor > 0.0 && factor < 1.0, "trainer.rollback.lr_factor", "between 0 and 1")?;
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
        let value_valid = stage.clip_grad_value.is_none_or(|value| value > 0.0);
        ensure(value_valid, &at("clip_grad_value"), "above 0")?;
        if let Some(clip) = &stage.adaptive_clip {
            clip.validate().map_err(|error| fault(&at("adaptive_clip"), &error))?;
        }
        if let Some(average) = &stage.average {
            average.validate().map_err(|error| fault(&at("average"), &error))?;
        }
        if let Some(plateau) = stage.schedule.as_plateau() {
            plateau.validate().map_err(|error| fault(&at("schedule"), &error))?;
        }
        if let Some(progressive) = &stage.progressive_resize {
            progressive.validate(stage.size).map_err(|(field, problem)| {
                fault(&at(&format!("progressive_resize.{field}")), &problem)
            })?;
        }
        if let Some(l2_sp) = &stage.l2_sp {
            l2_sp.validate().map_err(|error| fault(&at("l2_sp"), &error))?;
        }
        let decay_valid = stage.layer_decay.is_none_or(|decay| decay > 0.0 && decay <= 1.0);
        ensure(decay_valid, &at("layer_decay"), "above 0 and at most 1")?;
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
        start(spec, name, stage).map_err(|problem| fault(&at("start_from"), &problem))?;
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
        build_pipeline(name, stage, stage.size, layers)?;
    }
    Ok(())
}
