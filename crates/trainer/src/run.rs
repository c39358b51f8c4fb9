//! A whole run: begin or resume, stage after stage, the final evaluation.

use crate::card::ModelCard;
use crate::checkpoint::{self, CheckpointSet, TrainState, Weights, load_model, newest};
use crate::environment::Environment;
use crate::error::Error;
use crate::evaluate::{Test, evaluate};
use crate::observer::{Observer, StopRequest};
use crate::plan::{self, StagePlan, Start};
use crate::record::Evaluation;
use crate::run_directory::{FORMAT, PictureFingerprints, RunDirectory, RunIdentity};
use crate::spec::{ExperimentSpec, Layer, Layers};
use crate::stage_start;
use crate::train::{Ending, Progress, Trainer};
use crate::weights::Take;
use burn::tensor::Device;
use kiln_augment::{Domain, RandomKey};
use kiln_data::{Listing, Loader, LoaderSettings, OpenContext, cached_subset};
use kiln_models::{Network, UnitSource, parameter_count};
use kiln_optim_schedules::Averaged;
use std::path::{Path, PathBuf};
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
    let mut spec = layers.resolve()?;
    plan::check(&spec, layers)?;
    // Absolute, so that the run can be resumed from anywhere.
    if let Ok(cache) = std::path::absolute(&spec.data.cache) {
        spec.data.cache = cache;
    }
    if let Some(weights) = &mut spec.weights
        && let Ok(path) = std::path::absolute(&weights.path)
    {
        weights.path = path;
    }
    let config = spec.to_toml()?;
    let directory = match destination {
        Destination::Numbered(parent) => RunDirectory::create_numbered(parent, name)?,
        Destination::Exactly(path) => RunDirectory::create(path)?,
    };
    let identity = RunIdentity {
        format: FORMAT,
        experiment: name.to_owned(),
        kiln_version: env!("CARGO_PKG_VERSION").to_owned(),
        pictures: None,
    };
    let prepared = directory
        .write("config.toml", config.as_bytes())
        .and_then(|()| directory.write_json("run.json", &identity))
        .and_then(|()| Prepared::new(spec, layers, observer));
    let run = match prepared {
        Ok(run) => run,
        Err(error) => {
            // Nothing has been trained; the error to report is why.
            let _ = std::fs::remove_dir_all(directory.path());
            return Err(error);
        }
    };
    let outcome = run.start(&directory, identity, settings, observer);
    let misfits = matches!(outcome, Err(Error::Config { .. } | Error::Weights(_)));
    if misfits && matches!(newest(&directory.checkpoints()), Ok(None)) {
        // Rules or weights that do not fit show before the first step: nothing has been trained.
        let _ = std::fs::remove_dir_all(directory.path());
    }
    outcome
}

/// The stages of an experiment as a run would go through them. Finds the pictures, whose number decides the steps, but
/// begins nothing.
///
/// # Errors
/// [`Error::Config`] and [`Error::Data`].
pub fn stages(layers: &Layers, observer: &mut dyn Observer) -> Result<Vec<StagePlan>, Error> {
    let spec = layers.resolve()?;
    plan::check(&spec, layers)?;
    Ok(Prepared::new(spec, layers, observer)?.stages)
}

/// Continues the run in `path` from its newest checkpoint, or from the start when there is none. `pictures` is where
/// they are now, if they have moved.
///
/// # Errors
/// Any [`Error`]; [`Error::RunDirectory`] when the pictures are not those the run began with.
pub fn resume(
    path: &Path,
    pictures: Option<&Path>,
    settings: &RunSettings,
    observer: &mut dyn Observer,
) -> Result<Outcome, Error> {
    let (directory, identity, run) = Prepared::of_run(path, pictures, observer)?;
    run.start(&directory, identity, settings, observer)
}

/// Scores a run's best checkpoint on its validation set again. `pictures` is where they are now, if they have moved.
///
/// # Errors
/// Any [`Error`]; [`Error::Checkpoint`] when the run has no checkpoint yet.
pub fn evaluate_run(
    path: &Path,
    pictures: Option<&Path>,
    settings: &RunSettings,
    observer: &mut dyn Observer,
) -> Result<Evaluation, Error> {
    let (directory, _, run) = Prepared::of_run(path, pictures, observer)?;
    run.evaluate_best(&directory, settings, observer)
}

/// A run's best network, on the kernels that the run is set to, and its card.
///
/// # Errors
/// [`Error::Checkpoint`] when there is none yet or it is damaged; [`Error::Config`] when the run's configuration is.
pub fn best_model(
    directory: &RunDirectory,
    device: &Device,
) -> Result<(Network, ModelCard), Error> {
    let (network, card) = load_model(&checkpoint::find(directory, Take::Best)?, device)?;
    let spec = recorded_layers(directory)?.resolve()?;
    Ok((network.with_kernels(spec.trainer.kernels), card))
}

/// The configuration in a run's directory.
fn recorded_layers(directory: &RunDirectory) -> Result<Layers, Error> {
    let file = directory.path().join("config.toml");
    let mut layers = Layers::empty();
    // A run that began before there was a choice ran like this.
    let then = "trainer.kernels = \"reference\"\ncommon.decay_norm_and_bias = true\n\
                common.loss.type = \"cross_entropy\"";
    layers.push(Layer::from_toml("older runs", then)?);
    layers.push(Layer::from_toml(&file.display().to_string(), &directory.config()?)?);
    Ok(layers)
}

/// An experiment with its pictures found and its stages resolved.
struct Prepared {
    spec: ExperimentSpec,
    stages: Vec<StagePlan>,
    train: Arc<Listing>,
    val: Arc<Listing>,
}

impl Prepared {
    /// Finds, generates or chooses the pictures and resolves the stages of a checked experiment.
    fn new(
        spec: ExperimentSpec,
        layers: &Layers,
        observer: &mut dyn Observer,
    ) -> Result<Self, Error> {
        let cache = &spec.data.cache;
        let context = OpenContext { data_dir: None, cache_dir: cache.clone(), seed: spec.seed };
        let found = spec.data.source.open(&context)?;
        let mut train = found.train;
        if let Some(subset) = &spec.data.subset {
            // One folder for each data set, so that two of them do not take turns in one file.
            let place = fnv1a(&found.root.to_string_lossy());
            let folder = cache.join(format!("subsets-{place:016x}"));
            let (chosen, outcome) = cached_subset(&folder, &train, subset.fraction, spec.seed)?;
            let how = match outcome {
                kiln_data::Outcome::Fresh => "chosen now".to_owned(),
                kiln_data::Outcome::Reused => "chosen before".to_owned(),
                kiln_data::Outcome::Rebuilt { why } => format!("chosen again: {why}"),
            };
            observer.note(&format!(
                "subset: {} of {} training pictures, {how}",
                chosen.len(),
                train.len()
            ));
            train = train.select(&chosen);
        }
        let mut val = found.val;
        if let Some(limit) = &spec.data.limit {
            let found = (train.count(), val.count());
            (train, val) = (limited(train, limit.train), limited(val, limit.val));
            let (used, checked) = (train.count(), val.count());
            observer.note(&format!(
                "limit: {used} of {} training and {checked} of {} validation pictures",
                found.0, found.1
            ));
        }
        let stages = plan::resolve(&spec, layers, &train)?;
        Ok(Self { spec, stages, train: Arc::new(train), val: Arc::new(val) })
    }

    /// The experiment of an existing run, with the pictures that it began with.
    fn of_run(
        path: &Path,
        pictures: Option<&Path>,
        observer: &mut dyn Observer,
    ) -> Result<(RunDirectory, RunIdentity, Self), Error> {
        let (directory, identity) = RunDirectory::open(path)?;
        let mut layers = recorded_layers(&directory)?;
        if let Some(pictures) = pictures {
            layers.push(Layer::data_folder(pictures)?);
        }
        let spec = layers.resolve()?;
        plan::check(&spec, &layers)?;
        let run = Self::new(spec, &layers, observer)?;
        if identity.pictures.as_ref().is_some_and(|began_with| *began_with != run.fingerprints()) {
            let problem =
                "the pictures are not those the run began with (names, sizes or classes differ)";
            return Err(Error::run_directory(path, problem));
        }
        Ok((directory, identity, run))
    }

    fn fingerprints(&self) -> PictureFingerprints {
        PictureFingerprints { train: self.train.fingerprint(), val: self.val.fingerprint() }
    }

    /// Writes what is known now that the pictures are found, unless an earlier start did, and trains.
    fn start(
        &self,
        directory: &RunDirectory,
        identity: RunIdentity,
        settings: &RunSettings,
        observer: &mut dyn Observer,
    ) -> Result<Outcome, Error> {
        observer.note(&format!("run directory: {}", directory.path().display()));
        if identity.pictures.is_none() {
            let summaries: Vec<_> = self.stages.iter().map(StagePlan::summary).collect();
            directory.write_json("plan.json", &summaries)?;
            let environment = Environment::here(&settings.device, settings.workers);
            directory.write_json("environment.json", &environment)?;
            let identity = RunIdentity { pictures: Some(self.fingerprints()), ..identity };
            directory.write_json("run.json", &identity)?;
        }
        self.train(directory, settings, observer)
    }

    fn loader(&self, settings: &RunSettings) -> Loader {
        Loader::new(LoaderSettings {
            workers: settings.workers,
            max_bytes: self.spec.data.prefetch_mib << 20,
            on_bad_image: self.spec.data.on_bad_image,
        })
    }

    /// Trains all stages from the newest checkpoint on and scores the best one.
    fn train(
        &self,
        directory: &RunDirectory,
        settings: &RunSettings,
        observer: &mut dyn Observer,
    ) -> Result<Outcome, Error> {
        let trainer = Trainer {
            seed: self.spec.seed,
            device: settings.device.clone(),
            loader: self.loader(settings),
            train: self.train.clone(),
            val: self.val.clone(),
            directory,
            stop: settings.stop.clone(),
        };
        let training_device = settings.device.clone().autodiff();
        let mut restored = newest(&directory.checkpoints())?;
        let (mut network, mut state) = match &restored {
            Some(set) => {
                observer.note(&format!("continuing from {}", set.path.display()));
                (load_model(&set.weights(), &training_device)?.0, set.state.clone())
            }
            None => (self.initial_network(&training_device, observer)?, TrainState::default()),
        };
        network = network.with_kernels(self.spec.trainer.kernels);
        self.check_rules(&network)?;
        directory.keep_records(state.records)?;
        while let Some(stage) = self.stages.get(state.stage) {
            let begins = restored.is_none() && state.stage > 0;
            let from = match stage.start_from {
                _ if !begins => None,
                Start::GoOn => None,
                Start::Best => Some(checkpoint::find(directory, Take::Best)?),
                Start::OfStage(number, take) => {
                    Some(Weights::of_stage(directory, state.finished.get(number), take)?)
                }
            };
            if let Some(from) = from {
                let file = from.file();
                observer.note(&format!("stage {} starts from {}", stage.name, file.display()));
                network = load_model(&from, &training_device)?.0;
                network = network.with_kernels(self.spec.trainer.kernels);
            }
            network = stage.params.apply(network);
            observer.stage(stage, stage.params.learning(&network), parameter_count(&network));
            let mut optimizer = stage.new_optimizer(&network)?;
            let resumed = restored.is_some();
            let anchor = stage_start::anchor(stage, &network, state.stage, resumed, directory)?;
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
        let evaluation = self.evaluate_best(directory, settings, observer)?;
        directory.write_json("evaluation.json", &evaluation)?;
        Ok(Outcome::Finished { directory: directory.path().to_owned(), evaluation })
    }

    /// Every stage's rules against the parameters, before the first stage trains.
    fn check_rules(&self, network: &Network) -> Result<(), Error> {
        for stage in &self.stages {
            stage.params.check(network).map_err(|(rule, problem)| {
                let number = rule.map(|rule| format!("[{rule}]")).unwrap_or_default();
                let path = format!("stage.{}.params{number}", stage.name);
                Error::Config { origin: stage.params.origin().to_owned(), path, problem }
            })?;
        }
        Ok(())
    }

    /// Initial values, or those of a file.
    fn initial_network(
        &self,
        device: &Device,
        observer: &mut dyn Observer,
    ) -> Result<Network, Error> {
        let network = self.drawn_network(device)?;
        let Some(weights) = &self.spec.weights else { return Ok(network) };
        let (network, notes) =
            weights.load(network, &self.spec.model, &self.spec.input, self.train.class_names())?;
        for note in &notes {
            observer.note(note);
        }
        Ok(network)
    }

    fn drawn_network(&self, device: &Device) -> Result<Network, Error> {
        let seed = self.spec.seed;
        let source = move |name: &str| -> UnitSource {
            let index = fnv1a(name);
            let mut rng = RandomKey { seed, domain: Domain::Init, epoch: 0, index }.rng(0);
            Box::new(move || rng.unit())
        };
        let classes = self.train.class_names().len();
        self.spec.model.initialize(classes, device, source).map_err(|error| Error::Config {
            origin: "plan".to_owned(),
            path: "model".to_owned(),
            problem: error.to_string(),
        })
    }

    fn evaluate_best(
        &self,
        directory: &RunDirectory,
        settings: &RunSettings,
        observer: &mut dyn Observer,
    ) -> Result<Evaluation, Error> {
        let weights = checkpoint::find(directory, Take::Best)?;
        let path = weights.file();
        let set = CheckpointSet::open(&weights.set)?;
        let (network, card) = load_model(&weights, &settings.device)?;
        let network = network.with_kernels(self.spec.trainer.kernels);
        let stage = self.stages.get(set.state.stage).ok_or_else(|| {
            Error::checkpoint(&path, "belongs to a stage that the run does not have")
        })?;
        let loader = self.loader(settings);
        let validating = &mut |done, total| observer.validating(done, total);
        let recipe = card.evaluation_recipe().map_err(|error| Error::checkpoint(&path, error))?;
        let test = Test { listing: &self.val, recipe: &Arc::new(recipe), stage };
        let scores = evaluate(&network, &settings.device, &loader, &test, validating)?;
        Ok(scores.into_evaluation(&set, &card.class_names))
    }
}

/// At most `most` samples, evenly spread over the listing.
fn limited(listing: Listing, most: u32) -> Listing {
    let count = listing.count();
    if count <= most {
        return listing;
    }
    let spread = |i: u32| u64::from(i) * u64::from(count) / u64::from(most);
    let chosen: Vec<u32> = (0..most).filter_map(|i| u32::try_from(spread(i)).ok()).collect();
    listing.select(&chosen)
}

/// A name's fingerprint: FNV-1a, 64 bits.
fn fnv1a(name: &str) -> u64 {
    name.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

#[cfg(test)]
mod tests {
    use super::limited;
    use kiln_data::{Entry, Listing};

    #[test]
    fn a_limit_is_spread_over_the_listing() {
        let names: Vec<String> = (0..10).map(|i| format!("{i}.jpg")).collect();
        let entries =
            names.iter().zip(0..).map(|(name, i)| Entry { class: i / 5, name, file_bytes: 1 });
        let listing = Listing::new("r", ["a", "b"].map(str::to_owned), entries).unwrap();
        let taken = limited(listing.clone(), 4);
        let names: Vec<&str> = (0..4).map(|i| taken.name(i)).collect();
        assert_eq!(names, ["0.jpg", "2.jpg", "5.jpg", "7.jpg"]);
        assert_eq!(limited(listing.clone(), 10), listing);
    }
}
