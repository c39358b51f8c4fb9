//! What is measured beside training: the range test, the outputs of a validation set, the views of a picture.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic, reason = "a test")]

mod support;

use burn::tensor::Device;
use kiln_trainer::spec::Layers;
use kiln_trainer::{
    Destination, Outputs, RangeTest, RunDirectory, RunSettings, Silent, Sweep,
    TestTimeAugmentation, begin, best_model, evaluate_run, outputs_of_views, range_test,
};
use std::path::Path;
use support::runs::{layers_of, settings};

const EXPERIMENT: &str = r#"
seed = 7
stages = ["train"]
[data]
source = { type = "synth", train = 24, val = 12, classes = 4, side = 40 }
[model]
type = "resnet20"
[common]
size = 32
batch = { micro = 4, accumulate = 2 }
run_for = { epochs = 2 }
pipeline = [{ type = "random_resized_crop" }]
optimizer = { type = "sgd", momentum = 0.9 }
schedule = { type = "constant", lr = 0.05 }
"#;

fn layers(folder: &Path, extra: &str) -> Layers {
    layers_of(EXPERIMENT, folder, extra)
}

fn run(folder: &Path, name: &str) -> RunDirectory {
    let destination = Destination::Exactly(folder.join(name));
    begin("test", &layers(folder, ""), &destination, &settings(), &mut Silent).unwrap();
    RunDirectory::open(&folder.join(name)).unwrap().0
}

#[test]
fn a_range_test_leaves_nothing_behind() {
    let folder = tempfile::tempdir().unwrap();
    let weights = |run: &RunDirectory| {
        let sets = std::fs::read_dir(run.path().join("checkpoints")).unwrap();
        let newest = sets.map(|entry| entry.unwrap().path()).max().unwrap();
        let file = |name: &str| std::fs::read(newest.join(name)).unwrap();
        [file("model.safetensors"), file("optimizer.safetensors")]
    };
    let before = weights(&run(folder.path(), "before"));
    let test = RangeTest { steps: 7, ..RangeTest::default() };
    let layers = layers(folder.path(), "");
    let entries = || std::fs::read_dir(folder.path()).unwrap().count();
    let there = entries();
    let record = range_test(&layers, &test, &settings(), &mut Silent).unwrap();
    assert_eq!(entries(), there, "no file was written");
    assert!(weights(&run(folder.path(), "after")) == before, "a run after it is the same");

    // Three steps an epoch: the test goes on into the third epoch.
    assert_eq!((record.points.len(), record.diverged), (7, false));
    assert_eq!(record.setting.as_deref(), Some("stage.train.schedule.lr"));
    for (i, point) in (0..).zip(&record.points) {
        let lr = 1e-7 * 1e8_f64.powf(f64::from(i) / 7.0);
        assert!((point.lr / lr - 1.0).abs() < 1e-12, "{i}: {}", point.lr);
    }
    assert_eq!(record, range_test(&layers, &test, &settings(), &mut Silent).unwrap());
}

#[test]
fn a_loss_that_runs_away_ends_a_range_test() {
    let folder = tempfile::tempdir().unwrap();
    let layers = layers(folder.path(), "");
    let test = RangeTest {
        start_lr: 1.0,
        end_lr: 1e6,
        steps: 40,
        sweep: Sweep::Linear,
        ..RangeTest::default()
    };
    let record = range_test(&layers, &test, &settings(), &mut Silent).unwrap();
    assert!(record.diverged && record.points.len() < 40, "{record:?}");
    assert!((record.points[1].lr - (1.0 + 999_999.0 / 40.0)).abs() < 1e-6);

    for (test, says) in [
        (
            RangeTest { stage: Some("head".to_owned()), ..RangeTest::default() },
            "no stage `head`; there is train",
        ),
        (RangeTest { start_lr: 0.0, ..RangeTest::default() }, "start_lr: must be above 0"),
        (RangeTest { end_lr: 1e-9, ..RangeTest::default() }, "end_lr: must be above start_lr"),
        (RangeTest { steps: 1, ..RangeTest::default() }, "steps: must be at least 2"),
    ] {
        let error = range_test(&layers, &test, &settings(), &mut Silent).unwrap_err();
        assert!(error.to_string().contains(says), "{error}");
        assert_eq!(error.exit_code(), 2);
    }
}

#[test]
fn outputs_are_those_of_the_evaluation() {
    let folder = tempfile::tempdir().unwrap();
    let run = run(folder.path(), "run");
    let outputs = Outputs::of_run(&run).unwrap().unwrap();
    let scores = run.evaluation().unwrap().unwrap();
    assert_eq!((outputs.len(), outputs.classes()), (12, 4));
    assert_eq!(outputs.checkpoint, scores.checkpoint);
    let is_hit = |picture: &usize| {
        let (row, label) = (outputs.row(*picture), outputs.labels[*picture] as usize);
        row.iter().all(|logit| *logit <= row[label])
    };
    let hits = (0..outputs.len()).filter(is_hit).count();
    assert_eq!(hits as f64 / 12.0, scores.top1);
    assert!(outputs.pictures[0].starts_with(&format!("{}/", outputs.class_names[0])));

    std::fs::remove_file(run.path().join("outputs.safetensors")).unwrap();
    assert_eq!(Outputs::of_run(&run).unwrap(), None);
    let again = evaluate_run(run.path(), None, &settings(), &mut Silent).unwrap();
    assert_eq!((again.0, again.1), (scores.clone(), outputs.clone()));
    let three = RunSettings { workers: 3, ..settings() };
    let again = evaluate_run(run.path(), None, &three, &mut Silent).unwrap();
    assert_eq!((again.0, again.1), (scores, outputs.clone()), "with three workers");
    assert_eq!(Outputs::of_run(&run).unwrap().as_ref(), Some(&outputs));
    let file = run.path().join("outputs.safetensors");
    let mut bytes = std::fs::read(&file).unwrap();
    bytes.truncate(bytes.len() - 8);
    std::fs::write(&file, bytes).unwrap();
    let error = Outputs::of_run(&run).unwrap_err().to_string();
    assert!(error.contains("outputs.safetensors"), "{error}");
}

#[test]
fn views_are_looked_at_one_by_one() {
    let folder = tempfile::tempdir().unwrap();
    let run = run(folder.path(), "run");
    let plain = Outputs::of_run(&run).unwrap().unwrap();
    let all = TestTimeAugmentation { flip: true, five_crop: true, multi_scale: true }.views();
    assert_eq!(all.len(), 2 * 5 * 3);
    assert_eq!(TestTimeAugmentation::default().views().len(), 1);
    let outputs = outputs_of_views(run.path(), None, &all[..4], &settings(), &mut Silent).unwrap();
    assert_eq!(outputs[0], plain);
    for (i, other) in outputs.iter().enumerate().skip(1) {
        assert_eq!((&other.pictures, &other.labels), (&plain.pictures, &plain.labels));
        assert!(outputs[..i].iter().all(|before| before.logits != other.logits), "view {i}");
    }
}

#[test]
fn a_temperature_belongs_to_its_checkpoint() {
    let folder = tempfile::tempdir().unwrap();
    let run = run(folder.path(), "run");
    let checkpoint = run.evaluation().unwrap().unwrap().checkpoint;
    let temperature = || best_model(&run, &Device::flex()).unwrap().1.temperature;
    assert_eq!(temperature(), None);
    run.write_temperature(&checkpoint, 1.5).unwrap();
    assert_eq!(temperature(), Some(1.5));
    run.write_temperature("another", 1.5).unwrap();
    assert_eq!(temperature(), None);
    std::fs::write(run.path().join("temperature.json"), "{").unwrap();
    assert!(best_model(&run, &Device::flex()).is_err());
}
