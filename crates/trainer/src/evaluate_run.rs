//! Scoring the best checkpoint of a run.

use crate::card::ModelCard;
use crate::checkpoint::{self, CheckpointSet, Weights, load_model};
use crate::error::Error;
use crate::observer::Observer;
use crate::outputs::Outputs;
use crate::prepared::{Prepared, ToScore, recorded_layers};
use crate::ranks::first_only;
use crate::record::Evaluation;
use crate::run::RunSettings;
use crate::run_directory::RunDirectory;
use crate::view::View;
use crate::weights::Take;
use burn::tensor::Device;
use kiln_models::Network;
use std::path::Path;

/// Scores a run's best checkpoint on its validation set again, and writes the scores and the outputs into the run's
/// directory, as the end of training does. `pictures` is where they are now, if they have moved.
///
/// # Errors
/// Any [`Error`]; [`Error::Checkpoint`] when the run has no checkpoint yet.
pub fn evaluate_run(
    path: &Path,
    pictures: Option<&Path>,
    settings: &RunSettings,
    observer: &mut dyn Observer,
) -> Result<(Evaluation, Outputs), Error> {
    let (directory, run) = Prepared::of_path(path, pictures, observer)?;
    let weights = checkpoint::find(&directory, Take::Best)?;
    run.evaluate_weights(&directory, &weights, settings, observer)
}

/// The outputs of a run's best checkpoint for its validation set, looked at in each of `views`.
///
/// # Errors
/// As [`evaluate_run`].
pub fn outputs_of_views(
    path: &Path,
    pictures: Option<&Path>,
    views: &[View],
    settings: &RunSettings,
    observer: &mut dyn Observer,
) -> Result<Vec<Outputs>, Error> {
    let (directory, run) = Prepared::of_path(path, pictures, observer)?;
    let weights = checkpoint::find(&directory, Take::Best)?;
    let scored = run.load(&weights, settings)?;
    let mut all = Vec::new();
    for &view in views {
        let mut outputs = scored.outputs();
        let to_score = ToScore { view, ..scored.to_score(&run)? };
        run.score(&to_score, Some(&mut outputs), settings, observer)?;
        all.push(outputs);
    }
    Ok(all)
}

/// A run's best network, on the kernels that the run is set to, and its card.
///
/// # Errors
/// [`Error::Checkpoint`] when there is none yet or it is damaged; [`Error::Config`] when the run's configuration is.
pub fn best_model(
    directory: &RunDirectory,
    device: &Device,
) -> Result<(Network, ModelCard), Error> {
    let weights = checkpoint::find(directory, Take::Best)?;
    let (network, mut card) = load_model(&weights, device)?;
    card.temperature = directory.temperature(&CheckpointSet::open(&weights.set)?.name())?;
    let spec = recorded_layers(directory)?.resolve()?;
    Ok((network.with_kernels(spec.trainer.kernels), card))
}

/// A checkpoint with its network.
struct Loaded<'a> {
    weights: &'a Weights,
    set: CheckpointSet,
    network: Network,
    card: ModelCard,
}

impl Loaded<'_> {
    fn to_score<'a>(&'a self, run: &'a Prepared) -> Result<ToScore<'a>, Error> {
        let file = self.weights.file();
        Ok(ToScore {
            network: &self.network,
            card: &self.card,
            stage: run.stage_of(&self.set.state, &file)?,
            halvings: self.set.state.halvings,
            view: View::PLAIN,
            file,
        })
    }

    fn outputs(&self) -> Outputs {
        Outputs::new(self.set.name(), self.card.class_names.clone())
    }
}

impl Prepared {
    fn load<'a>(&self, weights: &'a Weights, settings: &RunSettings) -> Result<Loaded<'a>, Error> {
        let set = CheckpointSet::open(&weights.set)?;
        let (network, card) = load_model(weights, &settings.device)?;
        let network = network.with_kernels(self.spec.trainer.kernels);
        Ok(Loaded { weights, set, network, card })
    }

    /// Scores weights and writes the scores and the outputs into the run's directory.
    pub(crate) fn evaluate_weights(
        &self,
        directory: &RunDirectory,
        weights: &Weights,
        settings: &RunSettings,
        observer: &mut dyn Observer,
    ) -> Result<(Evaluation, Outputs), Error> {
        let loaded = self.load(weights, settings)?;
        let mut outputs = loaded.outputs();
        let to_score = loaded.to_score(self)?;
        let scores = self.score(&to_score, Some(&mut outputs), settings, observer)?;
        let evaluation =
            scores.into_evaluation(&loaded.set, weights.averaged, &loaded.card.class_names);
        first_only(&settings.ranks, || {
            outputs.write(directory)?;
            directory.write_json("evaluation.json", &evaluation)
        })?;
        Ok((evaluation, outputs))
    }
}
