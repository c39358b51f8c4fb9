//! Averages of the weights of several runs or checkpoints: model soups (Wortsman et al., 2022).

use crate::card::ModelCard;
use crate::checkpoint::{self, CheckpointSet, TrainState};
use crate::error::Error;
use crate::new_statistics::with_new_statistics;
use crate::observer::Observer;
use crate::parameter_rules::ParameterRules;
use crate::plan::StagePlan;
use crate::prepared::{Prepared, ToScore};
use crate::record::AverageScores;
use crate::run::RunSettings;
use crate::run_directory::RunDirectory;
use crate::training_pictures::TrainingPictures;
use crate::view::View;
use crate::weights::{Take, architecture, card_in};
use burn::module::Module as _;
use kiln_models::{Network, WeightsFile};
use kiln_optim_schedules::Averaged;
use std::path::{Path, PathBuf};

/// How weights are chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SoupKind {
    /// All of them.
    Uniform,
    /// From the best one down, each that does not lower the average's validation accuracy.
    Greedy,
}

/// Weights, and what they come to on the validation set.
#[derive(Debug)]
pub struct Ingredient {
    /// The run or checkpoint as it was given.
    pub path: PathBuf,
    /// By themselves.
    pub scores: AverageScores,
    /// Whether they are in the average.
    pub taken: bool,
}

/// An average with new statistics.
#[derive(Debug)]
pub struct Soup {
    /// The average.
    pub network: Network,
    /// Its card: that of the first input.
    pub card: ModelCard,
    /// What it was made of, best first where the choice was greedy.
    pub ingredients: Vec<Ingredient>,
    /// On the validation set.
    pub scores: AverageScores,
}

/// Averages weights of one architecture and one list of classes. An input is a run's directory, for its best weights, or
/// one of its checkpoints' folders, for the weights that trained. All statistics are computed anew on the training pictures
/// of the first input's run, and scores are on its validation pictures; `pictures` is where they are now, if they have
/// moved.
///
/// # Errors
/// [`Error::Checkpoint`] for an input that is neither, or of another architecture, other classes or normalisation; those of
/// opening a run.
pub fn average(
    inputs: &[PathBuf],
    kind: SoupKind,
    pictures: Option<&Path>,
    settings: &RunSettings,
    observer: &mut dyn Observer,
) -> Result<Soup, Error> {
    let first = inputs.first().ok_or_else(|| Error::checkpoint(Path::new(""), "no input"))?;
    let (_, run) = Prepared::of_path(&run_of(first)?, pictures, observer)?;
    let weights = weights_of(first)?;
    let (network, card) = checkpoint::load_model(&weights, &settings.device)?;
    let network = network.with_kernels(run.spec.trainer.kernels).valid();
    let state = CheckpointSet::open(&weights.set)?.state;
    let mut all = vec![(first.clone(), network)];
    for path in &inputs[1..] {
        let weights = weights_of(path)?;
        let file = weights.file();
        let other = card_in(&WeightsFile::open(&file)?)?
            .ok_or_else(|| Error::checkpoint(&file, "no model card in the metadata"))?;
        let (theirs, ours) = (architecture(&other.model), architecture(&card.model));
        if theirs != ours {
            let problem = format!("is of the model {theirs}, {} of {ours}", first.display());
            return Err(Error::checkpoint(path, problem));
        }
        if other.class_names != card.class_names {
            let problem = format!("has other classes than {}", first.display());
            return Err(Error::checkpoint(path, problem));
        }
        let (theirs, ours) = (other.input.in_words(), card.input.in_words());
        if theirs != ours {
            let problem = format!("takes pictures with {theirs}, {} with {ours}", first.display());
            return Err(Error::checkpoint(path, problem));
        }
        // A copy of the first network with these values, so that both are known by the same ids.
        all.push((path.clone(), checkpoint::read_into(all[0].1.valid(), &file, &weights.read()?)?));
    }
    let kitchen = Kitchen {
        card: (&card, &weights.file()),
        state: &state,
        train: run.training_pictures(settings),
        run: &run,
        settings,
    };
    let mut scored = Vec::new();
    for (path, network) in all {
        let scores = kitchen.score(&network, observer)?;
        observer.note(&format!("{}: top-1 {:.4}", path.display(), scores.val_top1));
        scored.push((path, network, scores));
    }
    if kind == SoupKind::Greedy {
        scored.sort_by(|a, b| b.2.val_top1.total_cmp(&a.2.val_top1));
    }
    let mut ingredients = Vec::new();
    let mut soup: Option<(Averaged<Network>, Network, AverageScores)> = None;
    let last = scored.len() - 1;
    for (number, (path, network, scores)) in scored.into_iter().enumerate() {
        let sum = match &soup {
            None => Averaged::new(&network).towards(&network, 1.0),
            Some((sum, ..)) => sum.copy().towards(&network, 1.0 / (sum.updates as f64 + 1.0)),
        };
        // Of all together only the last sum counts.
        let taken = if kind == SoupKind::Uniform && number < last {
            soup = Some((sum, network, scores));
            true
        } else {
            let alone = sum.updates == 1;
            let tried =
                if alone { network.clone() } else { kitchen.with_statistics(&sum.network)? };
            let result = if alone { scores } else { kitchen.score(&tried, observer)? };
            let before = soup.as_ref().map_or(f64::NEG_INFINITY, |(.., scores)| scores.val_top1);
            let taken = kind == SoupKind::Uniform || result.val_top1 >= before;
            if taken {
                soup = Some((sum, tried, result));
            }
            taken
        };
        ingredients.push(Ingredient { path, scores, taken });
    }
    let (_, network, scores) =
        soup.ok_or_else(|| Error::checkpoint(first, "has no validation accuracy"))?;
    Ok(Soup { network, card, ingredients, scores })
}

/// What scores and completes averages.
struct Kitchen<'a> {
    /// That of the first input, and its file.
    card: (&'a ModelCard, &'a Path),
    /// Where the first input was.
    state: &'a TrainState,
    train: TrainingPictures,
    run: &'a Prepared,
    settings: &'a RunSettings,
}

impl Kitchen<'_> {
    fn score(
        &self,
        network: &Network,
        observer: &mut dyn Observer,
    ) -> Result<AverageScores, Error> {
        let (card, file) = self.card;
        let (stage, view, file) = (self.stage()?, View::PLAIN, file.to_owned());
        let halvings = self.state.halvings;
        let to_score = ToScore { network, card, file, stage, halvings, view };
        let scores = self.run.score(&to_score, None, self.settings, observer)?;
        Ok(scores.into())
    }

    /// With the statistics of another epoch's crops.
    fn with_statistics(&self, network: &Network) -> Result<Network, Error> {
        let stage = self.stage()?;
        let state = TrainState { epoch: stage.epochs, step_in_epoch: 0, ..self.state.clone() };
        // None is frozen: the weights before every batch norm are averages.
        let frozen = ParameterRules::default();
        with_new_statistics(network, &self.train, stage, &frozen, &state)
    }

    fn stage(&self) -> Result<&StagePlan, Error> {
        self.run.stage_of(self.state, self.card.1)
    }
}

/// The run that an input is, or belongs to.
fn run_of(input: &Path) -> Result<PathBuf, Error> {
    let folder = input.canonicalize().map_err(|error| Error::checkpoint(input, error))?;
    if folder.join("run.json").is_file() {
        return Ok(folder);
    }
    let above = folder.parent().and_then(Path::parent);
    match above
        .filter(|above| folder.join("state.json").is_file() && above.join("run.json").is_file())
    {
        Some(run) => Ok(run.to_owned()),
        None => {
            Err(Error::checkpoint(input, "neither a run's directory nor one of its checkpoints"))
        }
    }
}

fn weights_of(input: &Path) -> Result<checkpoint::Weights, Error> {
    let run = run_of(input)?;
    if input.join("run.json").is_file() {
        let (directory, _) = RunDirectory::open(&run)?;
        return checkpoint::find(&directory, Take::Best);
    }
    Ok(CheckpointSet::open(input)?.weights())
}
