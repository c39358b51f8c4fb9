//! Ranks that share the pictures of a step train the network that one process would. Threads stand for processes; the MPI
//! tests of kiln-cli do the same with those.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic, reason = "a test")]

#[path = "support/records.rs"]
mod records;
#[path = "support/runs.rs"]
mod runs;

use kiln_models::WeightsFile;
use kiln_parallel::on_threads;
use kiln_trainer::record::{EpochRecord, Evaluation};
use kiln_trainer::spec::Layers;
use kiln_trainer::{
    Destination, Error, Observer, Outcome, Outputs, ResumeOptions, RunDirectory, RunSettings,
    Silent, StepReport, StopRequest, begin, resume,
};
use records::comparable;
use runs::{layers_of, settings};
use std::path::{Path, PathBuf};

/// 7 steps of 8 pictures and one of 5 in an epoch.
const EXPERIMENT: &str = r#"
seed = 7
stages = ["only"]
[data]
source = { type = "synth", train = 61, val = 21, classes = 4, side = 32 }
[model]
type = "resnet20"
[trainer]
log_every_steps = 1
[common]
size = 32
run_for = { epochs = 2 }
pipeline = [{ type = "random_resized_crop" }, { type = "random_horizontal_flip" }]
optimizer = { type = "sgd", momentum = 0.9 }
schedule = { type = "constant", lr = 0.05 }
clip_grad_norm = 1.0
"#;

/// Steps so small that sums in another order stay small differences: with batch norm on a few pictures they grow
/// tenfold in every large step.
const GENTLE: &str =
    "common.schedule = { type = 'constant', lr = 5e-4 }\ncommon.optimizer.momentum = 0.0\n";

fn batch(micro: u32, accumulate: u32) -> String {
    format!("common.batch = {{ micro = {micro}, accumulate = {accumulate}, drop_last = false }}\n")
}

/// What a run came to.
#[derive(Debug, Clone, PartialEq)]
struct Result {
    records: Vec<EpochRecord>,
    /// Of every step.
    losses: Vec<f64>,
    evaluation: Evaluation,
    outputs: Outputs,
    /// By name, of the newest checkpoint.
    weights: Vec<(String, Vec<f32>)>,
}

fn result(outcome: Outcome) -> Result {
    let Outcome::Finished { directory, evaluation } = outcome else { panic!("not finished") };
    let (run, _) = RunDirectory::open(&directory).unwrap();
    let sets = std::fs::read_dir(run.checkpoints()).unwrap();
    let newest = sets.map(|entry| entry.unwrap().path()).max().unwrap();
    let file = WeightsFile::open(&newest.join("model.safetensors")).unwrap();
    let weights =
        file.tensors.keys().map(|name| (name.clone(), file.read(name).unwrap())).collect();
    Result {
        records: comparable(run.records().unwrap()),
        losses: run.steps().unwrap().iter().filter_map(|line| line.train_loss).collect(),
        evaluation,
        outputs: Outputs::of_run(&run).unwrap().unwrap(),
        weights,
    }
}

fn train(folder: &Path, size: usize, extra: &str) -> Result {
    let run = folder.join("run");
    let layers = layers_of(EXPERIMENT, folder, extra);
    let destination = Destination::Exactly(run);
    let mut results = on_threads(size, |ranks| {
        let settings = RunSettings { ranks, ..settings() };
        begin("test", &layers, &destination, &settings, &mut Silent).unwrap()
    });
    assert!(results.windows(2).all(|pair| pair[0] == pair[1]), "all ranks come to the same");
    result(results.swap_remove(0))
}

fn train_anew(size: usize, extra: &str) -> Result {
    train(tempfile::tempdir().unwrap().path(), size, extra)
}

/// The norm of the difference between all weights and statistics, over their norm.
fn apart(a: &Result, b: &Result) -> f64 {
    let (mut apart, mut whole) = (0.0, 0.0);
    for ((name, a), (other, b)) in a.weights.iter().zip(&b.weights) {
        assert_eq!(name, other);
        for (a, b) in a.iter().zip(b) {
            apart += f64::from(a - b).powi(2);
            whole += f64::from(*a).powi(2);
        }
    }
    (apart / whole).sqrt()
}

fn assert_near(a: &[f64], b: &[f64], tolerance: f64, what: &str) {
    assert_eq!(a.len(), b.len(), "{what}");
    for (a, b) in a.iter().zip(b) {
        assert!((a - b).abs() <= tolerance * a.abs().max(1.0), "{what}: {a} and {b}");
    }
}

fn val_losses(result: &Result) -> Vec<f64> {
    result.records.iter().map(|record| record.val_loss).collect()
}

#[test]
fn ranks_train_what_one_process_trains_with_their_micro_batches() {
    let mixing = "common.mixing = { mixup_alpha = 0.4, cutmix_alpha = 1.0 }\n";
    // What the ranks make of it is what a process by itself is given on the right.
    for (size, given, alone) in [
        (2, batch(8, 1), batch(4, 2)),
        (4, batch(8, 1), batch(2, 4)),
        (2, batch(2, 4), batch(2, 4)),
        (4, batch(4, 2), batch(2, 4)),
        // 64 pictures in a micro-batch, of which each rank takes a half.
        (
            2,
            "common.batch = { micro = 'auto', accumulate = 2, drop_last = false }\n".to_owned(),
            batch(32, 2),
        ),
    ] {
        let together = train_anew(size, &(given + mixing + GENTLE));
        let alone = train_anew(1, &(alone + mixing + GENTLE));
        // Sums of gradients in another order, over 16 steps.
        assert_near(&alone.losses, &together.losses, 2e-4, "losses of steps");
        assert_near(&val_losses(&alone), &val_losses(&together), 2e-4, "validation");
        assert!(apart(&alone, &together) < 2e-4, "{size}: {}", apart(&alone, &together));
        assert_eq!(together.records[1].lr, alone.records[1].lr);
    }
}

#[test]
fn without_batch_norm_the_batch_can_be_cut_in_any_way() {
    let frozen =
        "common.params = [{ path = 'bn[12]\\.', freeze = 'weights_and_stats' }, { path = '.' }]\n";
    let frozen = &format!("{GENTLE}{frozen}");
    let alone = train_anew(1, &(batch(8, 1) + frozen));
    for size in [2, 4] {
        let together = train_anew(size, &(batch(8, 1) + frozen));
        assert_near(&alone.losses, &together.losses, 1e-5, "losses of steps");
        assert_near(&val_losses(&alone), &val_losses(&together), 1e-5, "validation");
        assert!(apart(&alone, &together) < 1e-4, "{}", apart(&alone, &together));
        let of = |result: &Result| (result.outputs.pictures.clone(), result.outputs.labels.clone());
        assert_eq!(of(&alone), of(&together), "every picture once, in the listing's order");
        assert_eq!(together.evaluation.samples, 21);
        assert_eq!(alone.evaluation.confusion, together.evaluation.confusion);
        // Statistics that stand still keep their bits on any number of ranks.
        let still = |result: &Result| -> Vec<(String, Vec<f32>)> {
            let running = result.weights.iter().filter(|(name, _)| name.contains("running"));
            running.cloned().collect()
        };
        assert_eq!(still(&alone), still(&together));
    }
}

#[test]
fn synchronised_batch_norm_sees_the_batch_of_one_process() {
    let sync = "trainer.sync_batch_norm = true\n";
    let alone = train_anew(1, &(batch(8, 1) + GENTLE));
    // 4 ranks of 2: of the last step's 5 pictures the last rank has none.
    for size in [1, 2, 4] {
        let together = train_anew(size, &(batch(8, 1) + sync + GENTLE));
        assert_near(&alone.losses, &together.losses, 1e-4, "losses of steps");
        assert_near(&val_losses(&alone), &val_losses(&together), 1e-4, "validation");
    }
    // An automatic micro-batch, of which one process would make several passes.
    let whole = train_anew(1, &(batch(64, 1) + GENTLE));
    let auto = "common.batch = { micro = 'auto', accumulate = 2, drop_last = false }\n".to_owned();
    let together = train_anew(2, &(auto + sync + GENTLE));
    assert_near(&whole.losses, &together.losses, 1e-4, "losses of steps");
    let per_rank = train_anew(2, &(batch(8, 1) + GENTLE));
    let apart = (alone.losses[3] - per_rank.losses[3]).abs();
    assert!(apart > 1e-3, "norms of half a batch see something else: {apart}");
}

/// Asks to stop after so many steps.
struct StopAfter {
    steps: u64,
    stop: StopRequest,
}

impl Observer for StopAfter {
    fn step(&mut self, _: StepReport) {
        self.steps = self.steps.saturating_sub(1);
        if self.steps == 0 {
            self.stop.request();
        }
    }
}

#[test]
fn a_job_that_is_stopped_and_continued_ends_with_the_same_bits() {
    for sync in ["", "trainer.sync_batch_norm = true\n"] {
        let extra = batch(8, 1) + sync + "common.average = { type = 'ema', decay = 0.9 }\n";
        let whole = train_anew(2, &extra);
        let folder = tempfile::tempdir().unwrap();
        let run = folder.path().join("run");
        let layers = layers_of(EXPERIMENT, folder.path(), &extra);
        let destination = Destination::Exactly(run.clone());
        let stopped = on_threads(2, |ranks| {
            let stop = StopRequest::default();
            // Only the second rank is asked.
            let steps = if ranks.is_first() { u64::MAX } else { 11 };
            let settings = RunSettings { ranks, stop: stop.clone(), ..settings() };
            let mut observer = StopAfter { steps, stop };
            begin("test", &layers, &destination, &settings, &mut observer).unwrap()
        });
        assert_eq!(stopped, vec![Outcome::Interrupted { directory: run.clone() }; 2]);
        let other = resume(&run, &ResumeOptions::default(), &settings(), &mut Silent).unwrap_err();
        assert!(other.to_string().contains("2 ranks"), "{other}");
        let ended = on_threads(2, |ranks| {
            let settings = RunSettings { ranks, ..settings() };
            resume(&run, &ResumeOptions::default(), &settings, &mut Silent).unwrap()
        });
        assert_eq!(result(ended[0].clone()), whole, "{sync}");
    }
}

fn errors(size: usize, layers: impl Fn(usize) -> Layers + Sync, run: &Path) -> Vec<Error> {
    let destination = Destination::Exactly(run.to_owned());
    on_threads(size, |ranks| {
        let layers = layers(ranks.rank());
        let settings = RunSettings { ranks, ..settings() };
        begin("test", &layers, &destination, &settings, &mut Silent).unwrap_err()
    })
}

#[test]
fn ranks_that_were_started_differently_say_so() {
    let folder = tempfile::tempdir().unwrap();
    let run = folder.path().join("run");
    let of_rank = |rank: usize| {
        let lr = if rank == 2 { "0.5" } else { "0.05" };
        let extra = format!("{}common.schedule = {{ type = 'constant', lr = {lr} }}", batch(4, 1));
        layers_of(EXPERIMENT, folder.path(), &extra)
    };
    for error in errors(4, of_rank, &run) {
        let text = error.to_string();
        assert!(
            text.contains("the configuration is not the same") && text.contains("rank 2"),
            "{text}"
        );
        assert!(text.contains("0.5"), "{text}");
        assert_eq!(error.exit_code(), 2);
    }
    assert!(!run.exists(), "nothing was begun");
}

#[test]
fn a_batch_that_cannot_be_shared_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let run = folder.path().join("run");
    for error in errors(3, |_| layers_of(EXPERIMENT, folder.path(), &batch(8, 1)), &run) {
        let text = error.to_string();
        assert!(text.contains("stage.only.batch") && text.contains("3 ranks"), "{text}");
        assert_eq!(error.exit_code(), 2);
    }
    assert!(!run.exists(), "nothing was begun");
}

#[test]
fn a_rank_that_fails_ends_the_job_with_the_last_checkpoint_intact() {
    for sync in ["", "trainer.sync_batch_norm = true\n"] {
        let folder = tempfile::tempdir().unwrap();
        let extra = batch(8, 2) + sync + "common.checkpoint = { every = { steps = 1 } }\n";
        // Generates the pictures.
        train(folder.path(), 1, &extra);
        let pictures = pictures_below(&folder.path().join("cache"));
        std::fs::write(&pictures[pictures.len() / 2], b"no picture").unwrap();
        let run = folder.path().join("broken");
        let found = errors(2, |_| layers_of(EXPERIMENT, folder.path(), &extra), &run);
        // One rank has the picture, the other is told, and both exit alike.
        let texts: Vec<String> = found.iter().map(ToString::to_string).collect();
        assert_eq!(found.iter().map(Error::exit_code).collect::<Vec<_>>(), [3, 3], "{texts:?}");
        let told = texts.iter().filter(|text| text.starts_with("rank ")).count();
        assert_eq!(told, 1, "{texts:?}");
        let mended = on_threads(2, |ranks| {
            let settings = RunSettings { ranks, ..settings() };
            resume(&run, &ResumeOptions::default(), &settings, &mut Silent).unwrap_err()
        });
        assert_eq!(mended[0].exit_code(), 3, "goes on to the same picture: {}", mended[0]);
    }
}

#[test]
fn ranks_go_back_together_when_one_of_them_diverges() {
    for sync in ["", "trainer.sync_batch_norm = true\n"] {
        let folder = tempfile::tempdir().unwrap();
        let extra = batch(4, 4)
            + sync
            + "trainer.on_divergence = 'rollback'\ncommon.checkpoint = { every = { steps = 1 } }\n\
               common.schedule = { type = 'constant', lr = 1e18 }\ncommon.clip_grad_norm = 1e30\n";
        let run = folder.path().join("run");
        let found = errors(2, |_| layers_of(EXPERIMENT, folder.path(), &extra), &run);
        let texts: Vec<String> = found.iter().map(ToString::to_string).collect();
        assert_eq!(found.iter().map(Error::exit_code).collect::<Vec<_>>(), [4, 4], "{texts:?}");
    }
}

fn pictures_below(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(pictures_below(&path));
        } else if path.components().any(|part| part.as_os_str() == "train") {
            found.push(path);
        }
    }
    found.sort();
    found
}
