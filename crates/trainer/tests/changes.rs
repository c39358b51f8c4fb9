//! Runs that are resumed with other settings.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic, reason = "a test")]

mod support;

use kiln_trainer::spec::Layer;
use kiln_trainer::{
    Destination, Error, Outcome, ResumeOptions, RunDirectory, Silent, begin, begin_or_resume,
    resume,
};
use std::path::{Path, PathBuf};
use support::runs::{layers_of, settings};

/// Two epochs of two steps in each of two stages.
const EXPERIMENT: &str = r#"
seed = 3
stages = ["first", "last"]
[data]
source = { type = "synth", train = 16, val = 8, classes = 4, side = 16 }
[model]
type = "resnet20"
[common]
size = 16
batch = { micro = 8 }
run_for = { epochs = 2 }
optimizer = { type = "adam" }
schedule = { type = "constant", lr = 1e-3 }
average = { type = "ema", decay = 0.9 }
pipeline = [{ type = "random_resized_crop" }]
[stage.first]
[stage.last]
"#;

fn run(folder: &Path, name: &str, extra: &str) -> PathBuf {
    let layers = layers_of(EXPERIMENT, folder, extra);
    let to = Destination::Exactly(folder.join(name));
    match begin("changes", &layers, &to, &settings(), &mut Silent).unwrap() {
        Outcome::Finished { directory, .. } => directory,
        Outcome::Interrupted { .. } => panic!("nobody asked"),
    }
}

fn resumed(run: &Path, changes: &[&str], allow_changes: bool) -> Result<Outcome, Error> {
    let changes = changes.iter().map(|text| Layer::from_assignment(text).unwrap()).collect();
    let options = ResumeOptions { pictures: None, changes, allow_changes };
    resume(run, &options, &settings(), &mut Silent)
}

/// The files of the newest checkpoint that hold tensors.
fn tensors(run: &Path) -> (String, Vec<Vec<u8>>) {
    let sets = std::fs::read_dir(run.join("checkpoints")).unwrap();
    let newest = sets.map(|entry| entry.unwrap().path()).max().unwrap();
    let files = ["model", "average", "optimizer"]
        .map(|file| std::fs::read(newest.join(format!("{file}.safetensors"))).unwrap());
    (newest.file_name().unwrap().to_string_lossy().into_owned(), files.into())
}

#[test]
fn a_longer_stage_is_what_it_would_have_been() {
    let folder = tempfile::tempdir().unwrap();
    let expected = run(folder.path(), "long", "stage.last.run_for.epochs = 4");
    let short = run(folder.path(), "short", "");
    assert!(tensors(&short) != tensors(&expected));
    resumed(&short, &["stage.last.run_for.epochs=4"], false).unwrap();
    assert!(tensors(&short) == tensors(&expected));
    let losses = |run: &Path| -> Vec<f64> {
        let records = RunDirectory::open(run).unwrap().0.records().unwrap();
        records.iter().map(|record| record.val_loss).collect()
    };
    assert_eq!(losses(&short), losses(&expected));
    let config = std::fs::read_to_string(short.join("config.toml")).unwrap();
    assert_eq!(config, std::fs::read_to_string(expected.join("config.toml")).unwrap());
    // Asked for once, it is the run's, also beside what changes no result.
    let free = ["stage.last.checkpoint.every={minutes=10}", "trainer.log_every_steps=7"];
    resumed(&short, &free, false).unwrap();
    let lines = std::fs::read_to_string(short.join("resumed.jsonl")).unwrap();
    assert!(
        lines.lines().next().unwrap().contains("stage.last.run_for.epochs: 2.0 -> 4.0"),
        "{lines}"
    );
}

#[test]
fn what_leads_elsewhere_needs_permission() {
    let folder = tempfile::tempdir().unwrap();
    let one_cycle = "stage.last.schedule = { type = \"one_cycle\", max_lr = 1e-3 }";
    let run = run(folder.path(), "run", one_cycle);
    let before = tensors(&run);
    let cases: [(&[&str], &str); 3] = [
        (&["stage.last.run_for.epochs=4"], "the schedule depends on the length of the stage"),
        (
            &["stage.last.run_for.epochs=4", "stage.last.optimizer.weight_decay=0.1"],
            "stage.last.optimizer.weight_decay: 0.0 -> 0.1",
        ),
        (&["stage.last.optimizer.weight_decay=0.1"], "the stage is over"),
    ];
    for (changes, says) in cases {
        let error = resumed(&run, changes, false).unwrap_err();
        assert_eq!(error.exit_code(), 2, "{error}");
        assert!(error.to_string().contains(says), "{changes:?}: {error}");
    }
    assert!(tensors(&run) == before);
    resumed(&run, &["stage.last.run_for.epochs=4"], true).unwrap();
    assert_eq!(tensors(&run).0, "stage02-epoch0004-step00000012");
    // Permission is given once.
    resumed(&run, &[], false).unwrap();

    let config = run.join("config.toml");
    let text = std::fs::read_to_string(&config).unwrap();
    std::fs::write(&config, text.replace("betas = [0.9, 0.999]", "betas = [0.8, 0.999]")).unwrap();
    let error = resumed(&run, &[], false).unwrap_err();
    assert!(error.to_string().contains("config.toml: stage.first.optimizer.betas"), "{error}");
}

#[test]
fn what_has_no_meaning_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let stopping = "stage.last.early_stopping = { patience = 1, min_delta = 100.0 }\nstage.last.run_for.epochs = 3";
    let run = run(folder.path(), "run", stopping);
    let cases: [(&str, &str); 9] = [
        ("seed=4", "another run"),
        ("data.limit={train=8,val=8}", "another run"),
        ("model.dropout=0.5", "the network is the checkpoint's"),
        ("stage.first.run_for.epochs=9", "the stage is over"),
        ("stage.last.optimizer.type=sgd", "begin a stage for it"),
        ("stage.last.batch.micro=4", "an epoch would have 4 steps instead of 2"),
        ("stage.last.run_for.epochs=1", "4 steps are done already"),
        ("stage.last.run_for.epochs=9", "ended early after epoch 2"),
        ("common.size=32", "set `stage.NAME`"),
    ];
    for (change, says) in cases {
        let error = resumed(&run, &[change], true).unwrap_err();
        assert_eq!(error.exit_code(), 2, "{error}");
        assert!(error.to_string().contains(says), "{change}: {error}");
    }
    resumed(&run, &["stage.last.run_for.epochs=4", "stage.last.early_stopping.patience=9"], true)
        .unwrap();
    assert_eq!(tensors(&run).0, "stage02-epoch0004-step00000012");
}

#[test]
fn the_same_command_again_continues_or_tells_the_result() {
    let folder = tempfile::tempdir().unwrap();
    let layers = layers_of(EXPERIMENT, folder.path(), "");
    let again = |to: &Destination| {
        begin_or_resume("changes", &layers, to, &settings(), &mut Silent).unwrap()
    };
    let to = Destination::Numbered(folder.path().join("runs"));
    // What a kill leaves of a run that has hardly begun.
    let unbegun = folder.path().join("runs/changes-001");
    std::fs::create_dir_all(&unbegun).unwrap();
    std::fs::write(unbegun.join("lock"), "process 1").unwrap();
    let outcome = again(&to);
    let Outcome::Finished { directory, .. } = &outcome else { panic!("nobody asked") };
    assert_eq!(*directory, unbegun);
    assert_eq!(again(&to), outcome);
    // As if it had been killed at its last step.
    let end = tensors(&unbegun);
    std::fs::remove_file(unbegun.join("evaluation.json")).unwrap();
    std::fs::remove_dir_all(unbegun.join("checkpoints").join(&end.0)).unwrap();
    assert_eq!(again(&to), outcome);
    assert!(tensors(&unbegun) == end);
    assert!(!folder.path().join("runs/changes-002").exists());

    std::fs::remove_file(unbegun.join("evaluation.json")).unwrap();
    let other = layers_of(EXPERIMENT, folder.path(), "stage.last.run_for.epochs = 5");
    let error = begin_or_resume("changes", &other, &to, &settings(), &mut Silent).unwrap_err();
    assert_eq!(error.exit_code(), 2);
    assert!(error.to_string().contains("stage.last.run_for.epochs: 2.0 -> 5.0"), "{error}");
}
