//! An experiment whose pictures are found and whose stages are resolved, before anything is trained.

use crate::card::ModelCard;
use crate::checkpoint::{TrainState, TrainingRanks};
use crate::error::Error;
use crate::evaluate::{Scores, Test, evaluate};
use crate::observer::Observer;
use crate::optimizer_step::Stepper;
use crate::outputs::Outputs;
use crate::plan::{self, StagePlan};
use crate::run::RunSettings;
use crate::run_directory::{PictureFingerprints, RunDirectory, RunIdentity};
use crate::spec::{ExperimentSpec, Layer, Layers, Precision};
use crate::training_pictures::TrainingPictures;
use crate::view::View;
use crate::watchdog::Watchdog;
use burn::tensor::Device;
use kiln_augment::{Domain, RandomKey};
use kiln_data::{Listing, Loader, LoaderSettings, OpenContext, cached_subset};
use kiln_models::{Kernels, Network, SyncNorm, UnitSource};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// An experiment with its pictures found and its stages resolved.
pub(crate) struct Prepared {
    pub(crate) spec: ExperimentSpec,
    pub(crate) stages: Vec<StagePlan>,
    pub(crate) train: Arc<Listing>,
    pub(crate) val: Arc<Listing>,
}

/// A network to be scored.
pub(crate) struct ToScore<'a> {
    pub(crate) network: &'a Network,
    /// How its pictures are prepared.
    pub(crate) card: &'a ModelCard,
    /// Where the card is.
    pub(crate) file: PathBuf,
    /// Whose loss and batches are used.
    pub(crate) stage: &'a StagePlan,
    /// How often its passes were halved.
    pub(crate) halvings: u32,
    pub(crate) view: View,
}

impl Prepared {
    /// Finds, generates or chooses the pictures and resolves the stages of a checked experiment.
    pub(crate) fn new(
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

    /// The experiment of the run in `path`, as it began; `pictures` is where they are now, if they have moved.
    pub(crate) fn of_path(
        path: &Path,
        pictures: Option<&Path>,
        observer: &mut dyn Observer,
    ) -> Result<(RunDirectory, Self), Error> {
        let (directory, identity) = RunDirectory::open(path)?;
        let mut layers = recorded_layers(&directory)?;
        if let Some(pictures) = pictures {
            layers.push(Layer::data_folder(pictures)?);
        }
        let run = Self::of_run(&directory, &identity, &layers, observer)?;
        Ok((directory, run))
    }

    /// The experiment of an existing run with the settings of `layers` and the pictures that it began with.
    pub(crate) fn of_run(
        directory: &RunDirectory,
        identity: &RunIdentity,
        layers: &Layers,
        observer: &mut dyn Observer,
    ) -> Result<Self, Error> {
        let spec = layers.resolve()?;
        plan::check(&spec, layers)?;
        let run = Self::new(spec, layers, observer)?;
        if identity.pictures.as_ref().is_some_and(|began_with| *began_with != run.fingerprints()) {
            let problem =
                "the pictures are not those the run began with (names, sizes or classes differ)";
            return Err(Error::run_directory(directory.path(), problem));
        }
        Ok(run)
    }

    pub(crate) fn fingerprints(&self) -> PictureFingerprints {
        PictureFingerprints { train: self.train.fingerprint(), val: self.val.fingerprint() }
    }

    fn loader(&self, settings: &RunSettings) -> Loader {
        Loader::new(LoaderSettings {
            workers: settings.workers,
            max_bytes: self.spec.data.prefetch_mib << 20,
            on_bad_image: self.spec.data.on_bad_image,
        })
    }

    pub(crate) fn stepper(&self, settings: &RunSettings) -> Stepper {
        Stepper {
            device: settings.device.clone(),
            train: self.training_pictures(settings),
            watchdog: Watchdog::new(),
            sync: self
                .training_ranks(settings)
                .sync_batch_norm
                .then(|| SyncNorm::new(settings.ranks.clone())),
        }
    }

    /// Who trains, as far as it can change the result.
    pub(crate) fn training_ranks(&self, settings: &RunSettings) -> TrainingRanks {
        let size = settings.ranks.size();
        TrainingRanks { size, sync_batch_norm: size > 1 && self.spec.trainer.sync_batch_norm }
    }

    /// The experiment with the pictures of a step shared out among the ranks.
    ///
    /// # Errors
    /// [`Error::Config`] for a batch that cannot be cut like that, and for norms that cannot be synchronised there.
    pub(crate) fn for_ranks(
        mut self,
        settings: &RunSettings,
        layers: &Layers,
    ) -> Result<Self, Error> {
        let TrainingRanks { size, sync_batch_norm } = self.training_ranks(settings);
        let ranks = u32::try_from(size).unwrap_or(u32::MAX);
        for stage in &mut self.stages {
            let shape = stage.shape.for_ranks(ranks, sync_batch_norm).map_err(|error| {
                let problem = format!(
                    "{size} ranks cannot share the {} pictures of a step alike: {error}; `accumulate` or `micro` must have \
                     the factors of the number of ranks",
                    stage.shape.effective()
                );
                layers.fault(&format!("stage.{}.batch", stage.name), problem)
            })?;
            stage.shape = shape;
            let fits = stage.precision == Precision::F32
                && settings.device == Device::flex()
                && self.spec.trainer.kernels == Kernels::Fast;
            if sync_batch_norm && !fits {
                let problem = "takes f32, `kernels = \"fast\"` and the device flex";
                return Err(layers.fault("trainer.sync_batch_norm", problem.to_owned()));
            }
        }
        Ok(self)
    }

    pub(crate) fn training_pictures(&self, settings: &RunSettings) -> TrainingPictures {
        let (loader, listing) = (self.loader(settings), self.train.clone());
        TrainingPictures {
            seed: self.spec.seed,
            loader,
            listing,
            ranks: settings.ranks.clone(),
            device: settings.device.clone(),
        }
    }

    /// Scores of a network on the validation set; `outputs` gets the logits.
    pub(crate) fn score(
        &self,
        scored: &ToScore<'_>,
        outputs: Option<&mut Outputs>,
        settings: &RunSettings,
        observer: &mut dyn Observer,
    ) -> Result<Scores, Error> {
        let ToScore { network, card, ref file, stage, halvings, view } = *scored;
        let recipe = view.recipe(card).map_err(|error| Error::checkpoint(file, error))?;
        let (listing, recipe, ranks) = (&self.val, &Arc::new(recipe), &settings.ranks);
        let test = Test { listing, recipe, stage, halvings, ranks };
        let validating = &mut |done, total| observer.validating(done, total);
        evaluate(network, &settings.device, &self.loader(settings), &test, outputs, validating)
    }

    /// The stage of a checkpoint in `file`.
    pub(crate) fn stage_of(&self, state: &TrainState, file: &Path) -> Result<&StagePlan, Error> {
        self.stages
            .get(state.stage)
            .ok_or_else(|| Error::checkpoint(file, "belongs to a stage that the run does not have"))
    }

    /// Whether the device has every stage's number format.
    pub(crate) fn check_precision(&self, device: &Device) -> Result<(), Error> {
        for stage in &self.stages {
            let dtype = stage.precision.dtype();
            if !device.supports_dtype(dtype) {
                let path = format!("stage.{}.precision", stage.name);
                let problem = format!("this device does not compute in {dtype:?}");
                return Err(Error::Config { origin: "--device".to_owned(), path, problem });
            }
        }
        Ok(())
    }

    /// Every stage's rules against the parameters, before the first stage trains.
    pub(crate) fn check_rules(&self, network: &Network) -> Result<(), Error> {
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
    pub(crate) fn initial_network(
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
}

/// The configuration in a run's directory.
///
/// # Errors
/// [`Error::Unreadable`] and [`Error::RunDirectory`] when it cannot be read.
pub fn recorded_layers(directory: &RunDirectory) -> Result<Layers, Error> {
    let file = directory.path().join("config.toml");
    let mut layers = Layers::empty();
    layers.push(Layer::from_toml(&file.display().to_string(), &directory.config()?)?);
    Ok(layers)
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
