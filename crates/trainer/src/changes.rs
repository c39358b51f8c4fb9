//! What a resumed run does otherwise than it was begun, and whether that has a meaning.

use crate::checkpoint::TrainState;
use crate::error::Error;
use crate::plan::StagePlan;
use crate::prepared::recorded_layers;
use crate::run_directory::RunDirectory;
use crate::spec::{ExperimentSpec, Layer, Layers};
use kiln_optim_schedules::Pace;
use std::fmt;
use toml::{Table, Value};

/// One setting, before and after.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Change {
    /// Such as `stage.train.run_for.epochs`.
    path: String,
    before: Option<Value>,
    after: Option<Value>,
}

impl Change {
    /// Whether it changes no result.
    pub(crate) fn is_free(&self) -> bool {
        let parts: Vec<&str> = self.path.split('.').collect();
        matches!(
            parts.as_slice(),
            ["data", "cache" | "prefetch_mib"]
                | ["trainer", "log_every_steps"]
                | ["data", "source", "path"]
                | ["without_data"]
                | ["stage", _, "checkpoint", "every" | "keep_newest", ..]
        )
    }
}

impl Change {
    /// The setting as somebody would ask for it; none for one that is left out.
    ///
    /// # Errors
    /// Those of a layer.
    pub(crate) fn as_layer(&self) -> Result<Option<Layer>, Error> {
        let layer = |value| Layer::from_assignment(&format!("{}={value}", self.path));
        self.after.as_ref().map(layer).transpose()
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = |value: &Option<Value>| {
            value.as_ref().map_or_else(|| "left out".to_owned(), ToString::to_string)
        };
        write!(f, "{}: {} -> {}", self.path, text(&self.before), text(&self.after))
    }
}

/// All settings that differ.
///
/// # Errors
/// Those of writing a configuration.
pub(crate) fn changes(
    before: &ExperimentSpec,
    after: &ExperimentSpec,
) -> Result<Vec<Change>, Error> {
    let table = |spec: &ExperimentSpec| -> Result<Table, Error> {
        spec.to_toml()?.parse().map_err(|error: toml::de::Error| Error::Unreadable {
            origin: "configuration".to_owned(),
            problem: error.to_string(),
        })
    };
    let mut found = Vec::new();
    compare(
        "",
        Some(&Value::Table(table(before)?)),
        Some(&Value::Table(table(after)?)),
        &mut found,
    );
    Ok(found)
}

/// A setting in which two runs differ, as TOML; absent where it is left out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// Such as `stage.train.batch.micro`.
    pub path: String,
    /// Of the first run.
    pub first: Option<String>,
    /// Of the second.
    pub second: Option<String>,
}

/// All settings in which two runs differ.
///
/// # Errors
/// Those of reading a configuration.
pub fn differences(first: &RunDirectory, second: &RunDirectory) -> Result<Vec<Difference>, Error> {
    let spec = |directory| recorded_layers(directory)?.resolve();
    let text = |value: &Option<Value>| value.as_ref().map(ToString::to_string);
    let difference = |change: &Change| Difference {
        path: change.path.clone(),
        first: text(&change.before),
        second: text(&change.after),
    };
    Ok(changes(&spec(first)?, &spec(second)?)?.iter().map(difference).collect())
}

fn compare(path: &str, before: Option<&Value>, after: Option<&Value>, found: &mut Vec<Change>) {
    match (before, after) {
        (Some(Value::Table(before)), Some(Value::Table(after))) => {
            let added = after.keys().filter(|key| !before.contains_key(*key));
            for key in before.keys().chain(added) {
                let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
                compare(&path, before.get(key), after.get(key), found);
            }
        }
        _ if before == after => {}
        _ => found.push(Change {
            path: path.to_owned(),
            before: before.cloned(),
            after: after.cloned(),
        }),
    }
}

/// Refuses what makes it another run.
///
/// # Errors
/// [`Error::Config`] naming the setting.
pub(crate) fn check_identity(changes: &[Change], layers: &Layers) -> Result<(), Error> {
    for change in changes {
        let path = &change.path;
        let problem = match path.split('.').next() {
            _ if change.is_free() => continue,
            Some("seed" | "data" | "input") => {
                "is what the run began with; another value is another run"
            }
            Some("model") => "the network is the checkpoint's; another one is another run",
            Some("weights") => "the weights are the checkpoint's by now",
            _ => continue,
        };
        return Err(layers.fault(path, problem.to_owned()));
    }
    Ok(())
}

/// Both versions of an experiment whose pictures are the same.
pub(crate) struct Versions<'a> {
    pub(crate) spec: &'a ExperimentSpec,
    /// The layers of the newer one.
    pub(crate) layers: &'a Layers,
    pub(crate) before: &'a [StagePlan],
    pub(crate) after: &'a [StagePlan],
    /// Whether there is a checkpoint.
    pub(crate) begun: bool,
}

/// What the changes of a run come to.
#[derive(Debug, Default)]
pub(crate) struct Verdict {
    /// Those that lead elsewhere than the run was going, other than by its length.
    pub(crate) of_result: Vec<Change>,
    /// Why a longer stage is not what it would have been if it had been that long from the start.
    pub(crate) inexact: Option<String>,
}

impl Versions<'_> {
    /// Looks at each change for a run that is at `state`, and opens the stage again if it was over and is longer now.
    ///
    /// # Errors
    /// [`Error::Config`] for a change that could have no effect, or no meaning.
    pub(crate) fn judge(
        &self,
        changes: &[Change],
        state: &mut TrainState,
    ) -> Result<Verdict, Error> {
        let mut verdict = Verdict::default();
        let (was_done, mut lengths) = (state.stage_done, Vec::new());
        for change in changes {
            match self.kind(change, state)? {
                Kind::Free => {}
                Kind::Length => lengths.push(change.clone()),
                Kind::Result => verdict.of_result.push(change.clone()),
            }
        }
        let current = self.before.get(state.stage).zip(self.after.get(state.stage));
        if let Some((before, after)) = current {
            self.check_steps(before, after, state)?;
            if !lengths.is_empty() {
                self.check_length(before, after, state)?;
            }
            // Only a run that ends later is what it was, and more.
            let ends_later = after.total_steps > before.total_steps;
            if !(ends_later && state.stage + 1 == self.after.len()) {
                verdict.of_result.append(&mut lengths);
            }
            let own = format!("stage.{}.", after.name);
            let vain = verdict.of_result.iter().find(|change| change.path.starts_with(&own));
            if let Some(change) = vain.filter(|_| state.stage_done) {
                let problem = "the stage is over, and not longer than it was";
                return Err(self.layers.fault(&change.path, problem.to_owned()));
            }
            verdict.inexact = difference(before, after, (state, was_done));
            if !verdict.of_result.is_empty() {
                // Memory may suffice for the new passes.
                state.halvings = 0;
            }
        }
        Ok(verdict)
    }

    fn kind(&self, change: &Change, state: &TrainState) -> Result<Kind, Error> {
        let refuse = |problem: &str| Err(self.layers.fault(&change.path, problem.to_owned()));
        let parts: Vec<&str> = change.path.split('.').collect();
        match parts.as_slice() {
            _ if change.is_free() => Ok(Kind::Free),
            ["stages"] => {
                let done = |stages: &[StagePlan]| -> Vec<String> {
                    stages.iter().take(state.stage + 1).map(|stage| stage.name.clone()).collect()
                };
                if done(self.before) == done(self.after) {
                    return Ok(Kind::Result);
                }
                refuse("the stages that are done and the one that is not stay as they are")
            }
            ["stage", name, field, rest @ ..] => {
                let number = self.spec.stages.iter().position(|stage| stage == name);
                let is_over = number.is_some_and(|number| number < state.stage);
                let is_current = self.begun && number == Some(state.stage);
                match (*field, rest) {
                    _ if is_over => refuse("the stage is over"),
                    ("l2_sp", []) if is_current && change.before.is_none() => {
                        refuse("the weights that the stage began with are not there any more")
                    }
                    ("start_from", _) if is_current => refuse("the stage has begun"),
                    ("run_for", _) if number == Some(state.stage) => Ok(Kind::Length),
                    ("optimizer", ["type"]) if is_current => {
                        refuse("the optimizer's state is another one's; begin a stage for it")
                    }
                    _ => Ok(Kind::Result),
                }
            }
            _ => Ok(Kind::Result),
        }
    }

    /// Whether the position of the run means the same in both.
    fn check_steps(
        &self,
        before: &StagePlan,
        after: &StagePlan,
        state: &TrainState,
    ) -> Result<(), Error> {
        if before.steps_per_epoch == after.steps_per_epoch || before.step(state) == 0 {
            return Ok(());
        }
        let problem = format!(
            "an epoch would have {} steps instead of {}; that is only possible before the stage begins",
            after.steps_per_epoch, before.steps_per_epoch
        );
        Err(self.layers.fault(&format!("stage.{}.batch", after.name), problem))
    }

    /// Whether the stage can be that long; if it was over it is not now.
    fn check_length(
        &self,
        before: &StagePlan,
        after: &StagePlan,
        state: &mut TrainState,
    ) -> Result<(), Error> {
        let fault = |problem: String| {
            Err(self.layers.fault(&format!("stage.{}.run_for", after.name), problem))
        };
        let done = before.step(state);
        if after.total_steps <= done {
            return fault(format!(
                "{done} steps are done already, {} are too few",
                after.total_steps
            ));
        }
        if !state.stage_done {
            return Ok(());
        }
        if state.epoch == before.epochs
            && !before.total_steps.is_multiple_of(before.steps_per_epoch)
        {
            return fault("the stage ended inside an epoch and cannot be continued".to_owned());
        }
        if state.patience.waited() >= after.patience {
            let epoch = state.epoch;
            return fault(format!(
                "the stage ended early after epoch {epoch}; early_stopping.patience would have to be longer too"
            ));
        }
        state.stage_done = false;
        Ok(())
    }
}

enum Kind {
    /// The result is the same.
    Free,
    /// Only the length of the stage that is being trained.
    Length,
    /// Anything else.
    Result,
}

/// Where the steps that are done would have been others under the newer plan.
fn difference(
    before: &StagePlan,
    after: &StagePlan,
    (state, was_done): (&TrainState, bool),
) -> Option<String> {
    if was_done && !state.stage_done && before.average.is_some_and(Pace::needs_statistics) {
        return Some("the average of weights would not have been scored by now".to_owned());
    }
    let done = before.step(state);
    let first = (0..done).find(|&step| before.schedule.at(step) != after.schedule.at(step));
    if let Some(step) = first {
        let [then, now] = [before, after].map(|stage| stage.schedule.at(step).lr);
        let next = after.schedule.at(done).lr;
        return Some(format!(
            "the schedule depends on the length of the stage: step {} had the rate {then:.3e} and would have had {now:.3e}; \
             the next one has {next:.3e}",
            step + 1
        ));
    }
    let size = |stage: &StagePlan, epoch| stage.train_recipe(epoch).size;
    let epochs = done.div_ceil(before.steps_per_epoch);
    if let Some(epoch) = (0..epochs).find(|&epoch| size(before, epoch) != size(after, epoch)) {
        return Some(format!("the pictures of epoch {} would have had another size", epoch + 1));
    }
    if (0..done).any(|step| before.drop_scale(step) != after.drop_scale(step)) {
        return Some("dropout would have been another".to_owned());
    }
    if before.mixing_steps.min(done) != after.mixing_steps.min(done) {
        return Some("pictures would have been mixed in other steps".to_owned());
    }
    let averaged = |stage: &StagePlan| {
        let part = |step| stage.average.and_then(|pace| pace.part(step, 1)).is_some();
        (1..=done).map(part).collect::<Vec<_>>()
    };
    (averaged(before) != averaged(after))
        .then(|| "the average of weights would have begun elsewhere".to_owned())
}
