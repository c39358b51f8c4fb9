//! The average of weights beside the network that trains.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic, reason = "a test")]

mod support;

use kiln_models::WeightsFile;
use kiln_trainer::record::{AverageScores, EpochRecord, Evaluation};
use kiln_trainer::{Destination, Outcome, RunDirectory, Silent, begin};
use std::path::{Path, PathBuf};
use support::runs::{layers_of, settings};

/// Three epochs of four steps.
const EXPERIMENT: &str = r#"
seed = 7
[data]
source = { type = "synth", train = 16, val = 12, classes = 4, side = 32 }
[model]
type = "resnet20"
[common]
size = 32
batch = { micro = 4 }
run_for = { epochs = 3 }
pipeline = []
optimizer = { type = "sgd" }
schedule = { type = "constant", lr = 0.02 }
checkpoint = { best_by = "val_loss", keep_newest = 9 }
"#;

fn run(folder: &Path, average: &str) -> (Vec<EpochRecord>, Evaluation, PathBuf) {
    let layers = layers_of(EXPERIMENT, folder, average);
    let destination = Destination::Exactly(folder.join("run"));
    let outcome = begin("test", &layers, &destination, &settings(), &mut Silent).unwrap();
    let Outcome::Finished { directory, evaluation } = outcome else { panic!("not finished") };
    let (run, _) = RunDirectory::open(&directory).unwrap();
    (run.records().unwrap(), evaluation, run.checkpoints())
}

fn values(set: &Path, file: &str, name: &str) -> Vec<f32> {
    WeightsFile::open(&set.join(file)).unwrap().read(name).unwrap()
}

#[test]
fn an_average_that_keeps_nothing_is_the_network_itself() {
    let folder = tempfile::tempdir().unwrap();
    let average = "common.average = { type = \"ema\", decay = 0.0, warmup = false }";
    let (records, ..) = run(folder.path(), average);
    assert_eq!(records.len(), 3);
    for EpochRecord { val_loss, val_top1, val_top5, val_macro_f1, average, .. } in records {
        let itself = AverageScores { val_loss, val_top1, val_top5, val_macro_f1 };
        assert_eq!(average, Some(itself));
    }
}

#[test]
fn the_better_one_of_network_and_average_is_the_best() {
    let folder = tempfile::tempdir().unwrap();
    let average = "common.average = { type = \"ema\", decay = 0.5, every = { steps = 2 } }";
    let (records, evaluation, _) = run(folder.path(), average);
    let losses =
        records.iter().flat_map(|record| [record.val_loss, record.average.unwrap().val_loss]);
    let lowest = losses.fold(f64::INFINITY, f64::min);
    assert_eq!(evaluation.loss, lowest);
    // Here it is the average's, whose weights the evaluation then used.
    assert!(records.iter().all(|record| record.val_loss != lowest), "{records:?}");
}

#[test]
fn the_mean_over_the_last_part_is_scored_with_statistics_of_its_own() {
    let folder = tempfile::tempdir().unwrap();
    // From step 8 on: after steps 10 and 12.
    let average = "common.average = { type = \"swa\", start = { epochs = 2 }, every = { steps = 2 } }\n\
                   common.checkpoint.every = { steps = 1 }";
    let (records, _, checkpoints) = run(folder.path(), average);
    let scored: Vec<bool> = records.iter().map(|record| record.average.is_some()).collect();
    assert_eq!(scored, [false, false, true]);
    let set = |step: u64| checkpoints.join(format!("stage01-epoch{:04}-step{step:08}", step / 4));
    assert!(!set(9).join("average.safetensors").exists());
    let [first, second] =
        [10, 12].map(|step| values(&set(step), "model.safetensors", "conv1.weight"));
    let mean = values(&set(12), "average.safetensors", "conv1.weight");
    for ((first, second), mean) in first.iter().zip(&second).zip(&mean) {
        assert!((f32::midpoint(*first, *second) - mean).abs() <= 1e-7);
    }
    // After step 11 the statistics are still the mean's; at the end they are those of the pictures.
    let statistics = |step| values(&set(step), "average.safetensors", "bn1.running_var");
    assert_eq!(statistics(10), values(&set(10), "model.safetensors", "bn1.running_var"));
    assert_ne!(statistics(12), values(&set(12), "model.safetensors", "bn1.running_var"));
}
