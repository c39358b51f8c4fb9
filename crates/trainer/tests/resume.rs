//! A run that is stopped and continued ends with the bits of one that never stopped.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic, reason = "a test")]

#[path = "support/records.rs"]
mod records;

use burn::tensor::Device;
use kiln_trainer::record::EpochRecord;
use kiln_trainer::spec::{Layer, Layers};
use kiln_trainer::{
    Destination, Observer, Outcome, ResumeOptions, RunDirectory, RunSettings, Silent, StepReport,
    StopRequest, begin, resume,
};
use records::comparable;
use std::hash::Hasher as _;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Two stages with everything that has state: momentum, Adam's moments, dropout, patience, a plateau, both averages of
/// weights, a partial last step.
const EXPERIMENT: &str = r#"
seed = 7
stages = ["first", "second"]
[data]
source = { type = "synth", train = 44, val = 20, classes = 4, side = 32 }
[model]
type = "resnet20"
block_dropout = 0.1
dropout = 0.2
[common]
size = 32
batch = { micro = 4, accumulate = 3, drop_last = false }
run_for = { epochs = 2 }
pipeline = [{ type = "random_resized_crop" }, { type = "random_horizontal_flip" }]
loss = { label_smoothing = 0.1 }
clip_grad_norm = 1.0
early_stopping = { patience = 5 }
[stage.first]
optimizer = { type = "sgd", momentum = 0.9 }
schedule = { type = "plateau", lr = 0.01, factor = 0.5, patience = 0, threshold = 10.0, threshold_mode = "abs" }
average = { type = "ema", decay = 0.9 }
adaptive_clip = { factor = 0.1 }
l2_sp = { alpha = 0.1 }
class_weights = "balanced"
progressive_resize = { from = 16, until = { epochs = 1 }, multiple_of = 16 }
[stage.second]
optimizer = { type = "adam" }
schedule = { type = "one_cycle", max_lr = 3e-3 }
dropout_schedule = { from = 0.0, to = 1.0 }
average = { type = "swa", start = { steps = 3 }, every = { steps = 2 } }
"#;

/// Steps of the whole run: 4 in an epoch, 2 epochs, 2 stages.
const STEPS: u64 = 16;

fn layers(cache: &Path, extra: &str) -> Layers {
    let mut layers = Layers::with_defaults().unwrap();
    layers.push(Layer::from_toml("test", EXPERIMENT).unwrap());
    layers.push(
        Layer::from_toml("cache", &format!("data.cache = '{}'\n{extra}", cache.display())).unwrap(),
    );
    layers
}

fn settings(workers: usize, stop: &StopRequest) -> RunSettings {
    RunSettings { stop: stop.clone(), ..RunSettings::new(Device::flex(), workers) }
}

/// Burn's CPU backend has one random generator for the process, so two runs at once would disturb each other's dropout.
fn alone() -> MutexGuard<'static, ()> {
    static RUNNING: Mutex<()> = Mutex::new(());
    RUNNING.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Asks to stop after so many steps.
struct StopAfter {
    steps: u64,
    stop: StopRequest,
}

impl Observer for StopAfter {
    fn step(&mut self, _: StepReport) {
        self.steps -= 1;
        if self.steps == 0 {
            self.stop.request();
        }
    }
}

/// What must be equal: the newest weights and optimizer state (as fingerprints, which read better in a failure), all
/// measurements but time and memory, and the scores.
#[derive(Debug, PartialEq)]
struct Result {
    files: [u64; 3],
    records: Vec<EpochRecord>,
    top1: f64,
    loss: f64,
}

fn fingerprint(bytes: &[u8]) -> u64 {
    let mut hasher = std::hash::DefaultHasher::new();
    hasher.write(bytes);
    hasher.finish()
}

fn result(outcome: Outcome) -> Result {
    let Outcome::Finished { directory, evaluation } = outcome else { panic!("not finished") };
    let (run, _) = RunDirectory::open(&directory).unwrap();
    let records = comparable(run.records().unwrap());
    let newest = run.checkpoints().join(format!("stage02-epoch0002-step{STEPS:08}"));
    let files = ["model.safetensors", "average.safetensors", "optimizer.safetensors"]
        .map(|name| fingerprint(&std::fs::read(newest.join(name)).unwrap()));
    Result { files, records, top1: evaluation.top1, loss: evaluation.loss }
}

#[test]
fn stopping_anywhere_and_resuming_changes_no_bit() {
    let _alone = alone();
    let scratch = tempfile::tempdir().unwrap();
    let layers = layers(&scratch.path().join("cache"), "");
    let never = StopRequest::default();
    let whole = Destination::Exactly(scratch.path().join("whole"));
    let expected =
        result(begin("test", &layers, &whole, &settings(2, &never), &mut Silent).unwrap());
    assert_eq!(expected.records.len(), 4);
    // The first epoch sets the measure that the second one does not better.
    assert_eq!([expected.records[0].lr, expected.records[1].lr], [0.01, 0.01]);
    let averages: Vec<bool> = expected.records.iter().map(|r| r.average.is_some()).collect();
    assert_eq!(averages, [true, true, false, true]);

    // Inside an epoch, at its end, at the end of a stage, inside the second stage, before its last validation; with another number of workers.
    for (steps, workers) in [(1, 1), (4, 3), (6, 2), (8, 1), (11, 4), (16, 1)] {
        let path = scratch.path().join(format!("stopped-{steps}"));
        let stop = StopRequest::default();
        let mut observer = StopAfter { steps, stop: stop.clone() };
        let destination = Destination::Exactly(path.clone());
        let outcome = begin("test", &layers, &destination, &settings(2, &stop), &mut observer);
        assert!(matches!(outcome.unwrap(), Outcome::Interrupted { .. }));
        let resumed =
            resume(&path, &ResumeOptions::default(), &settings(workers, &never), &mut Silent)
                .unwrap();
        assert_eq!(result(resumed), expected, "stopped after {steps} steps");
    }
}

#[test]
fn a_run_without_a_checkpoint_starts_again_from_the_same_bits() {
    let _alone = alone();
    let scratch = tempfile::tempdir().unwrap();
    let layers = layers(&scratch.path().join("cache"), "");
    let never = StopRequest::default();
    let path = scratch.path().join("run");
    let destination = Destination::Exactly(path.clone());
    let outcome = begin("test", &layers, &destination, &settings(1, &never), &mut Silent).unwrap();
    let expected = result(outcome);
    std::fs::remove_dir_all(path.join("checkpoints")).unwrap();
    assert_eq!(
        result(
            resume(&path, &ResumeOptions::default(), &settings(1, &never), &mut Silent).unwrap()
        ),
        expected
    );
}

#[test]
fn only_the_best_and_the_newest_checkpoints_stay() {
    let _alone = alone();
    let scratch = tempfile::tempdir().unwrap();
    let extra = "common.checkpoint = { every = { steps = 1 }, keep_newest = 2 }";
    let layers = layers(&scratch.path().join("cache"), extra);
    let path = scratch.path().join("run");
    let settings = settings(1, &StopRequest::default());
    let destination = Destination::Exactly(path.clone());
    let outcome = begin("test", &layers, &destination, &settings, &mut Silent).unwrap();
    let Outcome::Finished { evaluation, .. } = outcome else { panic!("not finished") };
    let mut names: Vec<String> = std::fs::read_dir(path.join("checkpoints"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    let newest =
        ["stage02-epoch0001-step00000015".to_owned(), "stage02-epoch0002-step00000016".to_owned()];
    let mut expected = Vec::from(newest);
    expected.push(evaluation.checkpoint);
    expected.sort();
    expected.dedup();
    assert_eq!(names, expected);
}

#[test]
fn pictures_that_changed_are_noticed() {
    let _alone = alone();
    let scratch = tempfile::tempdir().unwrap();
    let cache = scratch.path().join("cache");
    let layers = layers(&cache, "");
    let path = scratch.path().join("run");
    let settings = settings(1, &StopRequest::default());
    let destination = Destination::Exactly(path.clone());
    begin("test", &layers, &destination, &settings, &mut Silent).unwrap();
    let train = std::fs::read_dir(&cache).unwrap().next().unwrap().unwrap().path().join("train");
    let class = std::fs::read_dir(train).unwrap().next().unwrap().unwrap().path();
    let picture = std::fs::read_dir(class).unwrap().next().unwrap().unwrap().path();
    std::fs::remove_file(picture).unwrap();
    let error = resume(&path, &ResumeOptions::default(), &settings, &mut Silent).unwrap_err();
    assert_eq!(error.exit_code(), 5, "{error}");
    assert!(error.to_string().contains("the pictures are not those the run began with"), "{error}");
}
