//! Training with 16-bit maps beside f32.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic, reason = "a test")]

#[path = "support/sets.rs"]
mod sets;
mod support;

use kiln_models::WeightsFile;
use kiln_trainer::record::EpochRecord;
use kiln_trainer::spec::Layers;
use kiln_trainer::{
    Destination, Observer, Outcome, ResumeOptions, RunDirectory, Silent, StepReport, StopRequest,
    begin, resume,
};
use std::path::Path;
use support::runs::{layers_of, settings};

/// Two epochs of four steps, without anything that draws from the device's generator.
const EXPERIMENT: &str = r#"
seed = 7
[data]
source = { type = "synth", train = 32, val = 8, classes = 4, side = 16 }
[model]
type = "resnet20"
[common]
size = 16
batch = { micro = 4, accumulate = 2 }
run_for = { epochs = 2 }
pipeline = [{ type = "random_horizontal_flip" }]
optimizer = { type = "sgd", momentum = 0.9 }
schedule = { type = "constant", lr = 0.01 }
"#;

fn layers(folder: &Path, extra: &str) -> Layers {
    layers_of(EXPERIMENT, folder, extra)
}

fn run(folder: &Path, name: &str, extra: &str) -> Vec<EpochRecord> {
    let destination = Destination::Exactly(folder.join(name));
    let layers = layers(folder, extra);
    let outcome = begin("test", &layers, &destination, &settings(), &mut Silent).unwrap();
    let Outcome::Finished { directory, .. } = outcome else { panic!("not finished") };
    RunDirectory::open(&directory).unwrap().0.records().unwrap()
}

#[test]
fn sixteen_bits_train_like_thirty_two() {
    let folder = tempfile::tempdir().unwrap();
    let full = run(folder.path(), "f32", "");
    for (precision, tolerance) in [("bf16", 0.05), ("f16", 0.02)] {
        let half = run(folder.path(), precision, &format!("common.precision = '{precision}'"));
        for (half, full) in half.iter().zip(&full) {
            let apart = (half.train_loss / full.train_loss - 1.0).abs();
            assert!(apart < tolerance, "{precision}: epoch {}: {apart}", full.epoch);
            // Rounding shows: it is not f32 under another name.
            assert_ne!(half.train_loss, full.train_loss);
            assert_eq!(half.skipped_steps, 0);
        }
        // The weights on disk are f32, with more digits than 16 bits have.
        let set = folder.path().join(precision).join("checkpoints/stage01-epoch0002-step00000008");
        let file = WeightsFile::open(&set.join("model.safetensors")).unwrap();
        let weights = file.read("layer1.0.conv1.weight").unwrap();
        assert!(weights.iter().any(|value| value.to_bits() & 0x3ff != 0));
    }
}

/// Asks to stop after the first step.
struct StopAtOnce(StopRequest);

impl Observer for StopAtOnce {
    fn step(&mut self, _: StepReport) {
        self.0.request();
    }
}

#[test]
fn steps_that_overflow_are_left_out_and_counted() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run");
    let mut settings = settings();
    let stop = settings.stop.clone();
    let (layers, destination) = (
        layers(folder.path(), "common.precision = 'f16'\ncommon.batch.accumulate = 1"),
        Destination::Exactly(path.clone()),
    );
    begin("test", &layers, &destination, &settings, &mut StopAtOnce(stop)).unwrap();
    // As if very many good steps had doubled the scale far too often.
    let set = path.join("checkpoints/stage01-epoch0000-step00000001");
    sets::rewrite(&set, "state.json", "\"scale\": 65536.0", "\"scale\": 134217728.0");
    settings.stop = StopRequest::default();
    resume(&path, &ResumeOptions::default(), &settings, &mut Silent).unwrap();
    let records = RunDirectory::open(&path).unwrap().0.records().unwrap();
    let skipped: u64 = records.iter().map(|record| record.skipped_steps).sum();
    assert!((1..12).contains(&skipped), "{records:?}");
    assert!(records.iter().all(|record| record.train_loss.is_finite()), "{records:?}");
    let last = path.join("checkpoints/stage01-epoch0002-step00000016/state.json");
    assert!(!std::fs::read_to_string(last).unwrap().contains("134217728"));
}
