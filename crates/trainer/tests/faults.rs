//! What happens to a run's files is noticed: it is survived, with a line that says so, or refused with the reason.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic, reason = "a test")]

#[path = "support/records.rs"]
mod records;
#[path = "support/sets.rs"]
mod sets;
mod support;

use kiln_trainer::record::EpochRecord;
use kiln_trainer::{
    Destination, Error, Observer, Outcome, ResumeOptions, RunDirectory, begin, resume,
};
use records::comparable;
use sets::rewrite;
use std::fs;
use std::path::{Path, PathBuf};
use support::runs::{layers_of, settings};

/// Three epochs of two steps, a checkpoint after each step, everything that makes a file in it.
const EXPERIMENT: &str = r#"
seed = 3
[data]
source = { type = "synth", train = 16, val = 8, classes = 4, side = 16 }
[model]
type = "resnet20"
[common]
size = 16
batch = { micro = 8 }
run_for = { epochs = 3 }
optimizer = { type = "adam" }
schedule = { type = "constant", lr = 1e-3 }
average = { type = "ema", decay = 0.9 }
pipeline = [{ type = "random_resized_crop" }]
checkpoint = { every = { steps = 1 }, keep_newest = 3 }
"#;

#[derive(Default)]
struct Notes(Vec<String>);

impl Observer for Notes {
    fn note(&mut self, line: &str) {
        self.0.push(line.to_owned());
    }
}

/// A finished run.
struct Finished {
    folder: tempfile::TempDir,
    result: (Vec<EpochRecord>, f64),
}

impl Finished {
    fn new() -> Self {
        Self::with("")
    }

    fn with(extra: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let layers = layers_of(EXPERIMENT, folder.path(), extra);
        let to = Destination::Exactly(folder.path().join("run"));
        let outcome = begin("faults", &layers, &to, &settings(), &mut Notes::default());
        let result = result(outcome.unwrap());
        Self { folder, result }
    }

    /// A copy of its folder, to be damaged.
    fn copy(&self, name: &str) -> PathBuf {
        let to = self.folder.path().join(name);
        copy(&self.folder.path().join("run"), &to);
        to
    }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &to);
        } else {
            fs::copy(entry.path(), to).unwrap();
        }
    }
}

/// What does not depend on the machine.
fn result(outcome: Outcome) -> (Vec<EpochRecord>, f64) {
    let Outcome::Finished { directory, evaluation } = outcome else { panic!("not finished") };
    let records = comparable(RunDirectory::open(&directory).unwrap().0.records().unwrap());
    (records, evaluation.loss)
}

fn resumed(run: &Path) -> (Result<(Vec<EpochRecord>, f64), Error>, String) {
    let mut notes = Notes::default();
    let outcome = resume(run, &ResumeOptions::default(), &settings(), &mut notes);
    (outcome.map(result), notes.0.join("\n"))
}

fn newest(run: &Path) -> PathBuf {
    let entries = fs::read_dir(run.join("checkpoints")).unwrap();
    entries.map(|entry| entry.unwrap().path()).max().unwrap()
}

type Damage = fn(&Path);

fn truncate(path: &Path) {
    let bytes = fs::read(path).unwrap();
    fs::write(path, &bytes[..bytes.len() / 2]).unwrap();
}

fn flip_a_bit(path: &Path) {
    let mut bytes = fs::read(path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 4;
    fs::write(path, bytes).unwrap();
}

fn remove(path: &Path) {
    fs::remove_file(path).unwrap();
}

#[test]
fn a_damaged_set_is_skipped_and_the_one_before_used() {
    let finished = Finished::new();
    let set = newest(&finished.copy("looked-at"));
    let files: Vec<String> = fs::read_dir(&set)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    assert_eq!(files.len(), 7, "{files:?}");
    let damages: [(&str, Damage); 3] =
        [("truncated", truncate), ("flipped", flip_a_bit), ("removed", remove)];
    for (how, damage) in damages {
        for file in &files {
            let run = finished.copy(&format!("{how}-{file}"));
            let set = newest(&run);
            damage(&set.join(file));
            let (result, notes) = resumed(&run);
            assert_eq!(result.unwrap(), finished.result, "{how} {file}");
            assert!(notes.contains("skipped and set aside"), "{how} {file}: {notes}");
            assert!(notes.contains("stage01-epoch0002-step00000005"), "{how} {file}: {notes}");
            let name = set.file_name().unwrap().to_string_lossy().into_owned();
            assert!(run.join("checkpoints").join(format!("damaged-{name}")).is_dir());
            assert!(set.is_dir(), "written again");
        }
    }
}

#[test]
fn without_any_intact_set_nothing_is_trained() {
    let finished = Finished::new();
    let run = finished.copy("hopeless");
    for entry in fs::read_dir(run.join("checkpoints")).unwrap() {
        truncate(&entry.unwrap().path().join("model.safetensors"));
    }
    let (result, _) = resumed(&run);
    let error = result.unwrap_err();
    assert_eq!(error.exit_code(), 5);
    assert!(error.to_string().contains("no checkpoint is intact"), "{error}");
    assert!(newest(&run).join("state.json").is_file(), "nothing was moved");
}

#[test]
fn the_best_set_may_be_lost() {
    // The second epoch ruins what the first one learnt.
    let finished = Finished::with(
        "common.schedule = { type = 'step', lr = 1e-3, gamma = 1e3, step_size = { epochs = 1 } }\n\
         common.checkpoint.best_by = 'val_loss'",
    );
    let run = finished.copy("best");
    let best = RunDirectory::open(&run).unwrap().0.evaluation().unwrap().unwrap().checkpoint;
    let best = run.join("checkpoints").join(best);
    assert_ne!(best, newest(&run));
    flip_a_bit(&best.join("model.safetensors"));
    let (result, notes) = resumed(&run);
    assert!(result.is_ok());
    assert!(notes.contains("the best of the epochs that follow counts"), "{notes}");
}

#[test]
fn a_newer_format_is_refused_and_left_alone() {
    let finished = Finished::new();
    let run = finished.copy("newer");
    let origin = newest(&run).join("origin.json");
    rewrite(&newest(&run), "origin.json", "\"format\": 2", "\"format\": 3");
    let (result, _) = resumed(&run);
    let error = result.unwrap_err();
    assert_eq!(error.exit_code(), 5);
    assert!(error.to_string().contains("written in format 3 by a newer Kiln"), "{error}");
    assert_eq!(newest(&run).join("origin.json"), origin);
}

#[test]
fn damage_to_the_run_s_own_files_is_named() {
    let finished = Finished::new();
    for file in ["config.toml", "run.json"] {
        let run = finished.copy(&format!("own-{file}"));
        truncate(&run.join(file));
        let (result, _) = resumed(&run);
        let error = result.unwrap_err();
        assert!(error.to_string().contains(file), "{error}");
    }
    // What follows the lines that the set knows does not count.
    let run = finished.copy("own-tail");
    let mut metrics = fs::File::options().append(true).open(run.join("metrics.jsonl")).unwrap();
    std::io::Write::write_all(&mut metrics, b"\0\0\xff\n").unwrap();
    assert_eq!(resumed(&run).0.unwrap(), finished.result);
    let run = finished.copy("own-metrics");
    truncate(&run.join("metrics.jsonl"));
    let (result, _) = resumed(&run);
    let error = result.unwrap_err();
    assert_eq!(error.exit_code(), 5);
    assert!(error.to_string().contains("metrics.jsonl"), "{error}");
}

#[test]
fn a_folder_that_moved_and_files_with_other_times_change_nothing() {
    let finished = Finished::new();
    let run = finished.copy("before");
    fs::remove_dir_all(newest(&run)).unwrap();
    let moved = finished.folder.path().join("elsewhere/after");
    fs::create_dir_all(moved.parent().unwrap()).unwrap();
    fs::rename(&run, &moved).unwrap();
    // The oldest set is the youngest by its files' times, as after a clock that jumped back.
    let mut sets: Vec<PathBuf> = fs::read_dir(moved.join("checkpoints"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    sets.sort();
    for (days, set) in sets.iter().rev().enumerate() {
        let time =
            std::time::SystemTime::now() + std::time::Duration::from_secs(86_400 * days as u64);
        for entry in fs::read_dir(set).unwrap() {
            let file = fs::File::options().append(true).open(entry.unwrap().path()).unwrap();
            file.set_modified(time).unwrap();
        }
    }
    let (result, notes) = resumed(&moved);
    assert_eq!(result.unwrap(), finished.result);
    assert!(notes.contains("continuing from"), "{notes}");
}

/// Tries to resume the run while it trains.
struct Intruder(PathBuf, Option<Error>);

impl Observer for Intruder {
    fn epoch(&mut self, _: &EpochRecord) {
        self.1 =
            resume(&self.0, &ResumeOptions::default(), &settings(), &mut Notes::default()).err();
    }
}

#[test]
fn a_second_trainer_is_refused() {
    let finished = Finished::new();
    let run = finished.copy("contested");
    fs::remove_dir_all(newest(&run)).unwrap();

    let mut intruder = Intruder(run.clone(), None);
    resume(&run, &ResumeOptions::default(), &settings(), &mut intruder).unwrap();
    let error = intruder.1.unwrap();
    assert_eq!(error.exit_code(), 5);
    let text = error.to_string();
    assert!(text.contains(&format!("process {}", std::process::id())), "{text}");
    assert!(text.contains("is training this run"), "{text}");
    // Given back at the end.
    assert!(resumed(&run).0.is_ok());
}
