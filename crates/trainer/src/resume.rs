//! Continuing a run, as it was begun or otherwise.

use crate::changes::{Change, Verdict, Versions, changes, check_identity};
use crate::checkpoint::{
    CheckpointSet, Newest, TrainState, TrainingRanks, clean, load_model, newest, sha256,
};
use crate::environment::Environment;
use crate::error::Error;
use crate::metrics::first_lines;
use crate::observer::Observer;
use crate::plan::{self, StagePlan};
use crate::prepared::{Prepared, recorded_layers};
use crate::ranks::{agree, first_only, from_first, in_turn, settle};
use crate::run::{Outcome, RunSettings, absolute, agree_on_program, lock};
use crate::run_directory::{METRICS, RunDirectory};
use crate::spec::{Layer, Layers};
use crate::stage_start;
use crate::weights::Take;
use kiln_data::BatchShape;
use serde::Serialize;
use std::path::{Path, PathBuf};

/// What a resumed run may do otherwise.
#[derive(Debug, Clone, Default)]
pub struct ResumeOptions {
    /// Where the pictures are now, if they have moved.
    pub pictures: Option<PathBuf>,
    /// Settings over those that the run began with, lowest first.
    pub changes: Vec<Layer>,
    /// Whether such settings may lead to another result than the run was going to have. A longer last stage needs no
    /// permission where it gives what it would have given if it had been that long from the start.
    pub allow_changes: bool,
}

/// One line of `resumed.jsonl`.
#[derive(Serialize)]
struct Resumption<'a> {
    /// Name of the checkpoint.
    from: Option<String>,
    /// Settings that are not what they were.
    changes: Vec<String>,
    #[serde(rename = "where")]
    environment: &'a Environment,
}

/// Continues the run in `path` from its newest intact checkpoint, or from the start when there is none.
///
/// # Errors
/// Any [`Error`]; [`Error::RunDirectory`] when another process trains the run or the pictures are not those it began with,
/// [`Error::Config`] for changes that have no meaning or are not allowed. Nothing of the run is touched then, except that
/// damaged checkpoints are set aside.
pub fn resume(
    path: &Path,
    options: &ResumeOptions,
    settings: &RunSettings,
    observer: &mut dyn Observer,
) -> Result<Outcome, Error> {
    let ranks = &settings.ranks;
    agree_on_program(ranks)?;
    let (directory, mut identity) = RunDirectory::open(path)?;
    let _lock = first_only(ranks, || lock(&directory, observer))?;
    let newest = from_first(ranks, || Ok(restored(&directory, observer)?.map(|set| set.path)))?;
    let mut restored = newest.as_deref().map(CheckpointSet::open).transpose()?;
    let folder = directory.checkpoints();
    for line in restored.iter_mut().flat_map(|set| set.forget_damaged_best(&folder)) {
        observer.note(&line);
    }

    let is_known = identity.config_sha256.contains(&sha256(directory.config()?.as_bytes()));
    if restored.is_none() && !is_known && !options.allow_changes {
        let problem = "was changed since the run began; to go on like that add --allow-changes";
        return Err(Error::run_directory(&directory.path().join("config.toml"), problem));
    }
    let mut layers = recorded_layers(&directory)?;
    let recorded = layers.resolve()?;
    let mut before = before(&directory, restored.as_ref())?;
    layers.extend(options.changes.iter().cloned());
    if let Some(common) = options.changes.iter().find(|layer| layer.get(&["common"]).is_some()) {
        return Err(Error::Config {
            origin: common.origin.clone(),
            path: "common".to_owned(),
            problem:
                "a run's stages have their settings already; set `stage.NAME` or `every_stage`"
                    .to_owned(),
        });
    }
    if let Some(pictures) = &options.pictures {
        let folder = Layer::data_folder(pictures)?;
        before.push(folder.clone());
        layers.push(folder);
    }
    let before_spec = before.resolve()?;
    let spec = absolute(layers.resolve()?);
    let config = spec.to_toml()?;
    agree(ranks, "the configuration", &config)?;
    // For the recorded configuration permission was given when it was written.
    let asks_nothing = changes(&recorded, &spec)?.iter().all(Change::is_free);
    let permitted = options.allow_changes || (asks_nothing && is_known);
    let changes = changes(&before_spec, &spec)?;
    check_identity(&changes, &layers)?;
    let run = in_turn(ranks, || Prepared::of_run(&directory, &identity, &layers, observer))?;
    let mut fresh = TrainState::default();
    let begun = restored.is_some();
    let state = restored.as_mut().map_or(&mut fresh, |set| &mut set.state);
    let stages = plan::resolve(&before_spec, &before, &run.train)?;
    let versions =
        Versions { spec: &run.spec, layers: &layers, before: &stages, after: &run.stages, begun };
    let verdict = versions.judge(&changes, state)?;
    permit(&verdict, permitted, options, observer)?;
    let run = if let Some(set) = &mut restored {
        let trained_before = set.state.ranks;
        let run = run.for_other_ranks(trained_before, options, settings, &layers)?;
        let tried = run.try_out(set, &directory, settings, observer);
        settle(ranks, tried)?;
        run
    } else {
        run.for_ranks(settings, &layers)?
    };

    let lines: Vec<String> = changes.iter().map(ToString::to_string).collect();
    for line in &lines {
        observer.note(&format!("changed: {line}"));
    }
    let sum = sha256(config.as_bytes());
    first_only(ranks, || {
        // The result of a run that was finished, and is not any more if it is longer now.
        for result in ["evaluation.json", "outputs.safetensors", "temperature.json"] {
            directory.remove(result)?;
        }
        // Both configurations are known until the new one is there, so that a kill in between does no harm.
        identity.config_sha256.push(sum.clone());
        directory.write_json("run.json", &identity)?;
        directory.write("config.toml", config.as_bytes())?;
        identity.config_sha256 = vec![sum.clone()];
        directory.write_json("run.json", &identity)?;
        if identity.pictures.is_some() {
            let summaries: Vec<_> = run.stages.iter().map(StagePlan::summary).collect();
            directory.write_json("plan.json", &summaries)?;
        }
        let environment = Environment::here(settings);
        let from = restored.as_ref().map(CheckpointSet::name);
        let line = Resumption { from, changes: lines, environment: &environment };
        directory.append("resumed.jsonl", &line)
    })?;
    identity.config_sha256 = vec![sum];
    run.start(&directory, identity, restored, settings, observer)
}

impl Prepared {
    /// The experiment shared out among other ranks than before, where that is the same experiment.
    fn for_other_ranks(
        self,
        before: TrainingRanks,
        options: &ResumeOptions,
        settings: &RunSettings,
        layers: &Layers,
    ) -> Result<Self, Error> {
        let shares = |size: usize, sync: bool| -> Vec<Option<BatchShape>> {
            let size = u32::try_from(size).unwrap_or(u32::MAX);
            self.stages.iter().map(|stage| stage.shape.for_ranks(size, sync).ok()).collect()
        };
        let now = self.training_ranks(settings);
        let same = shares(before.size, before.sync_batch_norm)
            == shares(now.size, now.sync_batch_norm)
            && before.sync_batch_norm == now.sync_batch_norm;
        if !same && !options.allow_changes {
            return Err(Error::Config {
                origin: "resume".to_owned(),
                path: "ranks".to_owned(),
                problem: format!(
                    "the run was trained by {}, and {} would take other micro-batches; to go on like that add --allow-changes",
                    in_words(before),
                    in_words(now)
                ),
            });
        }
        self.for_ranks(settings, layers)
    }

    /// Whether the run can go on from `set` like that, before anything of it is changed.
    fn try_out(
        &self,
        set: &mut CheckpointSet,
        directory: &RunDirectory,
        settings: &RunSettings,
        observer: &mut dyn Observer,
    ) -> Result<(), Error> {
        self.check_precision(&settings.device)?;
        let (network, _) = load_model(&set.weights(), &settings.device.clone().autodiff())?;
        self.check_rules(&network)?;
        let stage = self.stage_of(&set.state, &set.path)?;
        let network = stage.params.apply(network);
        let mut optimizer = stage.new_optimizer(&network)?;
        set.load_optimizer(&mut optimizer, &network, &settings.device)?;
        set.load_average(&network)?;
        stage_start::anchor(stage, &network, &mut set.state.clone(), (true, false), directory)?;
        first_lines(&directory.path().join(METRICS), set.state.lines)?;
        let folder = directory.checkpoints();
        let own = (set.state.stage, Take::Best);
        if stage.needed_later.contains(&own)
            && let Some(line) = set.forget_damaged_stage_best(&folder)
        {
            observer.note(&line);
        }
        for name in set.state.needed(&stage.needed_later) {
            CheckpointSet::intact(&folder.join(name))?;
        }
        Ok(())
    }
}

fn in_words(TrainingRanks { size, sync_batch_norm }: TrainingRanks) -> String {
    let norms = if sync_batch_norm { " with synchronised batch norm" } else { "" };
    match size {
        1 => "one process".to_owned(),
        _ => format!("{size} ranks{norms}"),
    }
}

/// The newest checkpoint, after what a kill left behind is cleared away.
fn restored(
    directory: &RunDirectory,
    observer: &mut dyn Observer,
) -> Result<Option<CheckpointSet>, Error> {
    let folder = directory.checkpoints();
    clean(&folder)?;
    let set = newest_noted(&folder, observer)?;
    if let Some(set) = &set {
        observer.note(&format!("continuing from {}", set.path.display()));
    }
    Ok(set)
}

/// The newest intact checkpoint; what is wrong with others is noted.
pub(crate) fn newest_noted(
    folder: &Path,
    observer: &mut dyn Observer,
) -> Result<Option<CheckpointSet>, Error> {
    let Newest { set, skipped } = newest(folder)?;
    for error in &skipped {
        observer.note(&format!("skipped and set aside as damaged: {error}"));
    }
    Ok(set)
}

/// The configuration of the steps that are done.
fn before(directory: &RunDirectory, restored: Option<&CheckpointSet>) -> Result<Layers, Error> {
    match restored {
        None => recorded_layers(directory),
        Some(set) => {
            let mut layers = Layers::empty();
            layers.push(Layer::from_toml(&set.path.display().to_string(), &set.config()?)?);
            Ok(layers)
        }
    }
}

/// Whether what is asked for is allowed, and what there is to say about it.
fn permit(
    verdict: &Verdict,
    permitted: bool,
    options: &ResumeOptions,
    observer: &mut dyn Observer,
) -> Result<(), Error> {
    let mut reasons: Vec<String> = verdict.of_result.iter().map(ToString::to_string).collect();
    reasons.extend(verdict.inexact.clone());
    if reasons.is_empty() || permitted {
        if let Some(inexact) = &verdict.inexact {
            observer.note(inexact);
        }
        return Ok(());
    }
    let origins: Vec<&str> = options.changes.iter().map(|layer| layer.origin.as_str()).collect();
    let origin = if origins.is_empty() { "config.toml".to_owned() } else { origins.join(", ") };
    let problem = format!(
        "this is not the run that was begun ({}); to go on like that add --allow-changes",
        reasons.join("; ")
    );
    Err(Error::Config { origin, path: "changes".to_owned(), problem })
}
