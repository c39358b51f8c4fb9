//! What a run writes about itself, and what it does when its numbers are none.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic, reason = "a test")]

mod support;

use kiln_trainer::record::StepsRecord;
use kiln_trainer::{
    Destination, Error, Observer, Outcome, ResumeOptions, RunDirectory, RunSettings, Silent,
    StepReport, StopRequest, begin, resume,
};
use std::path::Path;
use support::runs::{layers_of, settings};

/// Two stages of two epochs of five steps, a line for every two steps.
const EXPERIMENT: &str = r#"
seed = 3
stages = ["first", "second"]
[data]
source = { type = "synth", train = 20, val = 8, classes = 4, side = 16 }
[model]
type = "resnet20"
[trainer]
log_every_steps = 2
[common]
size = 16
batch = { micro = 2, accumulate = 2 }
run_for = { epochs = 2 }
optimizer = { type = "sgd" }
schedule = { type = "constant", lr = 1e-3 }
pipeline = [{ type = "random_resized_crop" }]
checkpoint = { keep_best_by = ["val_macro_f1"] }
[stage.first]
[stage.second]
"#;

fn run(folder: &Path, extra: &str) -> Result<Outcome, Error> {
    let layers = layers_of(EXPERIMENT, folder, extra);
    let to = Destination::Exactly(folder.join("run"));
    begin("logs", &layers, &to, &settings(), &mut Silent)
}

/// The same without the second stage.
fn one_stage() -> String {
    EXPERIMENT.replace(", \"second\"", "").replace("[stage.second]", "")
}

/// The lines about steps, without what depends on the machine.
fn steps(run: &Path) -> Vec<StepsRecord> {
    let (directory, _) = RunDirectory::open(run).unwrap();
    let mut steps = directory.steps().unwrap();
    for line in &mut steps {
        (line.images_per_second, line.seconds, line.data_seconds) = (0.0, 0.0, 0.0);
        (line.device_memory_bytes, line.host_memory_bytes, line.unix_seconds) = (None, None, 0.0);
    }
    steps
}

/// Asks to stop after so many steps.
struct StopAfter(u64, StopRequest);

impl Observer for StopAfter {
    fn step(&mut self, _: StepReport) {
        self.0 -= 1;
        if self.0 == 0 {
            self.1.request();
        }
    }
}

#[test]
fn every_step_is_in_one_line_however_often_a_run_is_stopped() {
    let folder = tempfile::tempdir().unwrap();
    run(folder.path(), "").unwrap();
    let path = folder.path().join("run");
    let expected = steps(&path);
    let covered: Vec<_> = expected.iter().map(|line| (line.step, line.steps)).collect();
    let of_an_epoch = |first: u64| [(first + 2, 2), (first + 4, 2), (first + 5, 1)];
    assert_eq!(covered[..3], of_an_epoch(0));
    // A stage's lines are counted from its first step, as its epochs are.
    assert_eq!(covered.iter().map(|(_, steps)| steps).sum::<u64>(), 20);
    assert!(covered.windows(2).all(|pair| pair[1].0 - pair[1].1 == pair[0].0), "{covered:?}");

    let stopped = tempfile::tempdir().unwrap();
    let to = Destination::Exactly(stopped.path().join("run"));
    let stop = StopRequest::default();
    let machine = RunSettings { stop: stop.clone(), ..settings() };
    let layers = layers_of(EXPERIMENT, stopped.path(), "");
    begin("logs", &layers, &to, &machine, &mut StopAfter(1, stop)).unwrap();
    let path = stopped.path().join("run");
    for after in [2, 6, 1] {
        let stop = StopRequest::default();
        let machine = RunSettings { stop: stop.clone(), ..settings() };
        resume(&path, &ResumeOptions::default(), &machine, &mut StopAfter(after, stop)).unwrap();
    }
    resume(&path, &ResumeOptions::default(), &settings(), &mut Silent).unwrap();
    assert_eq!(steps(&path), expected);

    // The table and the events tell the same.
    let table = std::fs::read_to_string(path.join("metrics.csv")).unwrap();
    let epochs: Vec<&str> = table.lines().map(|row| row.split(',').nth(1).unwrap()).collect();
    assert_eq!(epochs, ["epoch", "1", "2", "1", "2"]);
    let columns = table.lines().map(|row| row.split(',').count());
    assert!(columns.collect::<Vec<_>>().iter().all(|count| *count == 20), "{table}");
    let mut files = std::fs::read_dir(path.join("tensorboard")).unwrap();
    let events = std::fs::read(files.next().unwrap().unwrap().path()).unwrap();
    assert!(files.next().is_none(), "those of former processes would show steps twice");
    let losses = events.windows(10).filter(|bytes| bytes == b"steps/loss").count();
    assert_eq!(losses, expected.len());
}

#[test]
fn the_best_by_another_metric_is_kept_too() {
    let folder = tempfile::tempdir().unwrap();
    run(folder.path(), "common.checkpoint.keep_newest = 1").unwrap();
    let (directory, _) = RunDirectory::open(&folder.path().join("run")).unwrap();
    let records = directory.records().unwrap();
    let second = &records[2..];
    let best = if second[1].val_macro_f1 > second[0].val_macro_f1 { 2 } else { 1 };
    let step = 10 + 5 * best;
    let name = format!("stage02-epoch{best:04}-step{step:08}");
    assert!(directory.checkpoints().join(name).is_dir());
}

#[test]
fn a_loss_that_is_no_number_is_named_with_its_pictures() {
    let folder = tempfile::tempdir().unwrap();
    let extra = "common.optimizer = { type = 'sgd' }\ncommon.schedule = { type = 'constant', lr = 1e30 }\n\
                 common.checkpoint.every = { steps = 1 }";
    let error = run(folder.path(), extra).unwrap_err();
    assert_eq!(error.exit_code(), 4);
    let text = error.to_string();
    assert!(text.contains("micro-batch 1 of 2 (") && text.contains(".jpg"), "{text}");
    assert!(text.contains("stage `first`, epoch 1, step 2"), "{text}");
}

#[test]
fn a_run_can_go_back_and_on_at_a_lower_rate() {
    struct Notes(Vec<String>);
    impl Observer for Notes {
        fn note(&mut self, line: &str) {
            self.0.push(line.to_owned());
        }
    }
    let folder = tempfile::tempdir().unwrap();
    // The second epoch's rate is far too high.
    let extra = "common.schedule = { type = 'step', lr = 1e-3, gamma = 1e30, step_size = { epochs = 1 } }\n\
                 trainer = { on_divergence = 'rollback', rollback = { lr_factor = 1e-30, most = 1 } }";
    let layers = layers_of(&one_stage(), folder.path(), extra);
    let to = Destination::Exactly(folder.path().join("run"));
    let mut notes = Notes(Vec::new());
    begin("logs", &layers, &to, &settings(), &mut notes).unwrap();
    let back = notes.0.iter().find(|line| line.contains("back to")).unwrap();
    assert!(back.contains("stage01-epoch0001-step00000005") && back.contains("(1 of 1)"), "{back}");
    let (directory, _) = RunDirectory::open(&folder.path().join("run")).unwrap();
    let records = directory.records().unwrap();
    let counted: Vec<u64> = records.iter().map(|record| record.rollbacks).collect();
    assert_eq!(counted, [0, 1]);
    assert!((records[1].lr - 1e-3).abs() < 1e-12, "{}", records[1].lr);

    // Weights that were ruined before they were saved are not gone back to twice.
    let folder = tempfile::tempdir().unwrap();
    let saved = extra.replace("most = 1", "most = 2") + "\ncommon.checkpoint.every = { steps = 1 }";
    let layers = layers_of(&one_stage(), folder.path(), &saved);
    let to = Destination::Exactly(folder.path().join("run"));
    let mut notes = Notes(Vec::new());
    begin("logs", &layers, &to, &settings(), &mut notes).unwrap();
    let back: Vec<&String> = notes.0.iter().filter(|line| line.contains("back to")).collect();
    assert!(back[0].contains("step00000006") && back[0].contains("(1 of 2)"), "{back:?}");
    assert!(back[1].contains("step00000005") && back[1].contains("(2 of 2)"), "{back:?}");

    // More often than allowed.
    let folder = tempfile::tempdir().unwrap();
    let never_enough = extra.replace("lr_factor = 1e-30", "lr_factor = 0.5");
    let error = run(folder.path(), &never_enough).unwrap_err();
    assert_eq!(error.exit_code(), 4, "{error}");
}
