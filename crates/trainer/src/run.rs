//! A whole run: begin or resume, stage after stage, the final evaluation.

use crate::advice::advice;
use crate::checkpoint::{
    CheckpointSet, Origin, TrainState, Weights, Writer, load_model, sha256, step_back,
};
use crate::environment::Environment;
use crate::error::Error;
use crate::metrics::MetricsLog;
use crate::observer::{Observer, StopRequest};
use crate::plan::{self, StagePlan, Start};
use crate::prepared::Prepared;
use crate::ranks::{agree, first_only, from_first, in_turn, program};
use crate::record::Evaluation;
use crate::resume::newest_noted;
use crate::run_directory::{FORMAT, METRICS, PictureFingerprints, RunDirectory, RunIdentity};
use crate::run_lock::RunLock;
use crate::spec::{ExperimentSpec, Layers, OnDivergence, TrainerSpec};
use crate::stage_start;
use crate::train::{Ending, Files, Progress, Trainer};
use burn::tensor::Device;
use kiln_models::{DropScale, Network, parameter_count};
use kiln_optim_schedules::Averaged;
use kiln_parallel::Ranks;
use std::cell::RefCell;
use std::path::PathBuf;
use std::sync::Arc;

/// What a run uses that does not change its result.
#[derive(Debug, Clone)]
pub struct RunSettings {
    /// Where it computes.
    pub device: Device,
    /// Threads that decode and augment.
    pub workers: usize,
    /// How somebody asks it to stop.
    pub stop: StopRequest,
    /// This rank and those that train the network with it. How the pictures of a step are shared out among them can change
    /// the result: see [`BatchShape::for_ranks`](kiln_data::BatchShape::for_ranks).
    pub ranks: Ranks,
}

impl RunSettings {
    /// A run on its own, which nobody asks to stop.
    pub fn new(device: Device, workers: usize) -> Self {
        Self { device, workers, stop: StopRequest::default(), ranks: Ranks::default() }
    }
}

/// Where a new run's directory goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Destination {
    /// `PARENT/EXPERIMENT-NNN`.
    Numbered(PathBuf),
    /// Exactly there; must not exist.
    Exactly(PathBuf),
}

/// How a run ended.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// All stages are done; the best checkpoint was evaluated.
    Finished {
        /// The run's folder.
        directory: PathBuf,
        /// Scores of the best checkpoint on the validation set.
        evaluation: Evaluation,
    },
    /// Somebody asked to stop; a checkpoint is written.
    Interrupted {
        /// The run's folder.
        directory: PathBuf,
    },
}

/// Begins the experiment `name` in a new run directory and trains it to its end.
///
/// The directory is there before any picture is looked for, so that a run killed at any moment can be resumed; it is
/// removed when the pictures are not to be had.
///
/// # Errors
/// Any [`Error`]; what was checkpointed before it stays.
pub fn begin(
    name: &str,
    layers: &Layers,
    destination: &Destination,
    settings: &RunSettings,
    observer: &mut dyn Observer,
) -> Result<Outcome, Error> {
    let ranks = &settings.ranks;
    let spec = common_spec(layers, ranks)?;
    let path = from_first(ranks, || {
        let directory = match destination {
            Destination::Numbered(parent) => RunDirectory::create_numbered(parent, name)?,
            Destination::Exactly(path) => RunDirectory::create(path)?,
        };
        Ok(directory.path().to_owned())
    })?;
    begin_in(&RunDirectory::unbegun(path), name, layers, &spec, settings, observer)
}

/// Begins a run in a folder in which nothing was begun.
pub(crate) fn begin_in(
    directory: &RunDirectory,
    name: &str,
    layers: &Layers,
    spec: &ExperimentSpec,
    settings: &RunSettings,
    observer: &mut dyn Observer,
) -> Result<Outcome, Error> {
    let ranks = &settings.ranks;
    let _lock = first_only(ranks, || {
        let lock = lock(directory, observer)?;
        if directory.path().join("run.json").exists() {
            // Between a look at the folder and the lock.
            return Err(Error::run_directory(
                directory.path(),
                "another process has begun a run in it",
            ));
        }
        Ok(lock)
    })?;
    let config = spec.to_toml()?;
    let identity = RunIdentity {
        format: FORMAT,
        config_sha256: vec![sha256(config.as_bytes())],
        experiment: name.to_owned(),
        kiln_version: env!("CARGO_PKG_VERSION").to_owned(),
        pictures: None,
    };
    let written = first_only(ranks, || {
        directory.write("config.toml", config.as_bytes())?;
        directory.write_json("run.json", &identity)
    });
    let prepared = written
        .and_then(|_| in_turn(ranks, || Prepared::new(spec.clone(), layers, observer)))
        .and_then(|run| run.for_ranks(settings, layers));
    let run = match prepared {
        Ok(run) => run,
        Err(error) => {
            // Nothing has been trained; the error to report is why.
            if ranks.is_first() {
                let _ = std::fs::remove_dir_all(directory.path());
            }
            return Err(error);
        }
    };
    let outcome = run.start(directory, identity, None, settings, observer);
    let misfits = matches!(
        outcome,
        Err(Error::Config { .. } | Error::Weights(_) | Error::RanksDiffer { .. })
    );
    if misfits && ranks.is_first() && !directory.checkpoints().exists() {
        // Rules or weights that do not fit show before the first step: nothing has been trained.
        let _ = std::fs::remove_dir_all(directory.path());
    }
    outcome
}

/// The checked experiment of the layers, which all ranks have, as they have the program.
pub(crate) fn common_spec(layers: &Layers, ranks: &Ranks) -> Result<ExperimentSpec, Error> {
    agree_on_program(ranks)?;
    let spec = absolute(checked(layers)?);
    // What cannot be written down leaves no folder behind.
    agree(ranks, "the configuration", &spec.to_toml()?)?;
    Ok(spec)
}

/// Whether all ranks run the same program.
pub(crate) fn agree_on_program(ranks: &Ranks) -> Result<(), Error> {
    if ranks.is_alone() {
        return Ok(());
    }
    agree(ranks, "the program", &program())
}

/// The experiment of the layers, as far as it can be checked without its pictures.
pub(crate) fn checked(layers: &Layers) -> Result<ExperimentSpec, Error> {
    let spec = layers.resolve()?;
    plan::check(&spec, layers)?;
    Ok(spec)
}

/// `spec` with absolute paths, so that the run can be resumed from anywhere.
pub(crate) fn absolute(mut spec: ExperimentSpec) -> ExperimentSpec {
    if let Ok(cache) = std::path::absolute(&spec.data.cache) {
        spec.data.cache = cache;
    }
    if let Some(weights) = &mut spec.weights
        && let Ok(path) = std::path::absolute(&weights.path)
    {
        weights.path = path;
    }
    spec
}

/// The stages of an experiment as a run would go through them. Finds the pictures, whose number decides the steps, but
/// begins nothing.
///
/// # Errors
/// [`Error::Config`] and [`Error::Data`].
pub fn stages(layers: &Layers, observer: &mut dyn Observer) -> Result<Vec<StagePlan>, Error> {
    Ok(Prepared::new(checked(layers)?, layers, observer)?.stages)
}

/// Keeps other trainers away from the run.
pub(crate) fn lock(
    directory: &RunDirectory,
    observer: &mut dyn Observer,
) -> Result<RunLock, Error> {
    let (lock, note) = RunLock::take(directory)?;
    if let Some(note) = note {
        observer.note(&note);
    }
    Ok(lock)
}

impl Prepared {
    /// Writes what is known now that the pictures are found, unless an earlier start did, and trains.
    pub(crate) fn start(
        &self,
        directory: &RunDirectory,
        identity: RunIdentity,
        restored: Option<CheckpointSet>,
        settings: &RunSettings,
        observer: &mut dyn Observer,
    ) -> Result<Outcome, Error> {
        observer.note(&format!("run directory: {}", directory.path().display()));
        let mut identity = identity;
        let begins = identity.pictures.is_none();
        let pictures = self.fingerprints();
        let PictureFingerprints { train, val } = &pictures;
        let found = format!("training pictures {train}\nvalidation pictures {val}");
        agree(&settings.ranks, "the set of pictures", &found)?;
        identity.pictures = Some(pictures);
        if begins {
            first_only(&settings.ranks, || {
                let summaries: Vec<_> = self.stages.iter().map(StagePlan::summary).collect();
                directory.write_json("plan.json", &summaries)?;
                directory.write_json("environment.json", &Environment::here(settings))?;
                directory.write_json("run.json", &identity)
            })?;
        }
        let origin = Arc::new(Origin { identity, config: directory.config()? });
        self.train(directory, &origin, restored, settings, observer)
    }

    /// Trains to the end, back at a checkpoint after a loss that is no number if the run is set to that.
    fn train(
        &self,
        directory: &RunDirectory,
        origin: &Arc<Origin>,
        mut restored: Option<CheckpointSet>,
        settings: &RunSettings,
        observer: &mut dyn Observer,
    ) -> Result<Outcome, Error> {
        let TrainerSpec { on_divergence, rollback, .. } = &self.spec.trainer;
        let folder = directory.checkpoints();
        let mut rollbacks = restored.as_ref().map_or(0, |set| set.state.rollbacks);
        let mut went_to = None;
        loop {
            let error = match self.train_from(restored, directory, origin, settings, observer) {
                Err(error @ Error::Diverged { .. })
                    if *on_divergence == OnDivergence::Rollback && rollbacks < rollback.most =>
                {
                    error
                }
                outcome => return outcome,
            };
            let to = from_first(&settings.ranks, || {
                let mut newest = newest_noted(&folder, observer)?;
                // Perhaps its weights were ruined before they were saved.
                if let Some(again) = newest.take_if(|set| Some(set.name()) == went_to) {
                    newest = step_back(&folder, &again.name())?;
                }
                Ok(newest.map(|set| set.path))
            })?;
            let mut newest = to.as_deref().map(CheckpointSet::open).transpose()?;
            for line in newest.iter_mut().flat_map(|set| set.forget_damaged_best(&folder)) {
                observer.note(&line);
            }
            let Some(mut set) = newest else {
                observer.note("there is no checkpoint before it to go back to");
                return Err(error);
            };
            rollbacks += 1;
            set.state.rollbacks = rollbacks;
            let (name, factor, most) = (set.name(), rollback.lr_factor, rollback.most);
            observer.note(&format!(
                "{error}; back to {name}, with rates times {factor} ({rollbacks} of {most})"
            ));
            went_to = Some(name);
            restored = Some(set);
        }
    }

    /// Trains all stages, from `restored` on if there is one, and scores the best checkpoint.
    fn train_from(
        &self,
        mut restored: Option<CheckpointSet>,
        directory: &RunDirectory,
        origin: &Arc<Origin>,
        settings: &RunSettings,
        observer: &mut dyn Observer,
    ) -> Result<Outcome, Error> {
        let training_device = settings.device.clone().autodiff();
        let (mut network, mut state) = match &restored {
            Some(set) => (load_model(&set.weights(), &training_device)?.0, set.state.clone()),
            None => (self.initial_network(&training_device, observer)?, TrainState::default()),
        };
        state.ranks = self.training_ranks(settings);
        let stepper = self.stepper(settings);
        let (kernels, sync) = (self.spec.trainer.kernels, stepper.sync.clone());
        let as_set = |network: Network| network.with_kernels(kernels).with_sync_norm(sync.clone());
        network = as_set(network);
        self.check_precision(&settings.device)?;
        self.check_rules(&network)?;
        let files = first_only(&settings.ranks, || {
            let log = RefCell::new(MetricsLog::open(directory, &state)?);
            let writer = Writer::new(directory.checkpoints(), directory.path().join(METRICS));
            Ok(Files { log, writer })
        })?;
        let trainer = Trainer {
            stepper,
            val: self.val.clone(),
            files,
            log_every: self.spec.trainer.log_every_steps,
            stop: settings.stop.clone(),
            origin: origin.clone(),
        };
        if restored.is_none() {
            let advice = advice(&self.spec, &self.stages, self.train.count());
            for line in &advice {
                observer.note(line);
            }
        }
        while let Some(stage) = self.stages.get(state.stage) {
            let begins = restored.is_none() && state.stage > 0;
            let from = match stage.start_from {
                _ if !begins => None,
                Start::GoOn => None,
                Start::Best => Some(Weights::of_run(&directory.checkpoints(), &state)?),
                Start::OfStage(number, take) => {
                    Some(Weights::of_stage(directory, state.finished.get(number), take)?)
                }
            };
            if let Some(from) = from {
                let file = from.file();
                observer.note(&format!("stage {} starts from {}", stage.name, file.display()));
                network = as_set(load_model(&from, &training_device)?.0);
            }
            network = stage.params.apply(network).with_drop_scale(DropScale::default());
            observer.stage(stage, stage.params.learning(&network), parameter_count(&network));
            let mut optimizer = stage.new_optimizer(&network)?;
            let resumed = restored.is_some();
            let writes = settings.ranks.is_first();
            let anchor =
                stage_start::anchor(stage, &network, &mut state, (resumed, writes), directory)?;
            let mut average = stage.average.map(|_| Averaged::new(&network));
            if let Some(set) = restored.take() {
                set.load_optimizer(&mut optimizer, &network, &settings.device)?;
                average = set.load_average(&network)?.or(average);
            }
            let progress = Progress { network, optimizer, anchor, average, state };
            let (progress, ending) = trainer.run(stage, progress, observer)?;
            if ending == Ending::Interrupted {
                return Ok(Outcome::Interrupted { directory: directory.path().to_owned() });
            }
            network = progress.network;
            state = progress.state.next_stage();
        }
        drop(trainer);
        let best = Weights::of_run(&directory.checkpoints(), &state)?;
        let (evaluation, _) = self.evaluate_weights(directory, &best, settings, observer)?;
        Ok(Outcome::Finished { directory: directory.path().to_owned(), evaluation })
    }
}
