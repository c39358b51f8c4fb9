//! Where stages start from, and how their pictures grow.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic, reason = "a test")]

mod support;

use kiln_models::WeightsFile;
use kiln_trainer::spec::Layers;
use kiln_trainer::{Destination, Error, Outcome, RunDirectory, Silent, begin, stages};
use std::path::Path;
use support::runs::{layers_of, settings};

const EXPERIMENT: &str = r#"
seed = 7
stages = ["first", "second", "third"]
[data]
source = { type = "synth", train = 16, val = 8, classes = 4, side = 32 }
[model]
type = "resnet20"
[common]
size = 32
batch = { micro = 8 }
run_for = { epochs = 2 }
pipeline = [{ type = "random_resized_crop" }]
optimizer = { type = "sgd" }
schedule = { type = "constant", lr = 0.05 }
checkpoint = { keep_newest = 1 }
"#;

fn layers(folder: &Path, extra: &str) -> Layers {
    layers_of(EXPERIMENT, folder, extra)
}

fn run(folder: &Path, extra: &str) -> Result<Outcome, Error> {
    let destination = Destination::Exactly(folder.join("run"));
    begin("test", &layers(folder, extra), &destination, &settings(), &mut Silent)
}

fn first_weight(folder: &Path, set: &str) -> Vec<f32> {
    let file = folder.join("run/checkpoints").join(set).join("model.safetensors");
    WeightsFile::open(&file).unwrap().read("conv1.weight").unwrap()
}

#[test]
fn a_stage_may_start_from_one_long_before() {
    // At rate 0 the third stage ends with the weights that it starts from.
    let extra = "stage.third.start_from = 'first:newest'\nstage.third.schedule.lr = 0.0";
    let all = tempfile::tempdir().unwrap();
    let kept = format!("{extra}\ncommon.checkpoint.keep_newest = 9");
    assert!(matches!(run(all.path(), &kept), Ok(Outcome::Finished { .. })));
    let first = first_weight(all.path(), "stage01-epoch0002-step00000004");
    assert_eq!(first_weight(all.path(), "stage03-epoch0002-step00000012"), first);
    assert_ne!(first_weight(all.path(), "stage02-epoch0002-step00000008"), first);
    // Where one checkpoint is kept, that of the first stage stays until it is no longer needed.
    let few = tempfile::tempdir().unwrap();
    assert!(matches!(run(few.path(), extra), Ok(Outcome::Finished { .. })));
    assert_eq!(first_weight(few.path(), "stage03-epoch0002-step00000012"), first);
}

#[test]
fn the_best_of_a_stage_stays_for_those_that_start_from_it() {
    // The second stage's rate ruins what the first one learnt, so its own epochs are no help.
    let rates = "stage.second.schedule.lr = 1.0\nstage.third = { start_from = 'first:best', schedule = { lr = 0.0 } }";
    let all = tempfile::tempdir().unwrap();
    let kept = format!("{rates}\ncommon.checkpoint.keep_newest = 9");
    assert!(matches!(run(all.path(), &kept), Ok(Outcome::Finished { .. })));
    let (directory, _) = RunDirectory::open(&all.path().join("run")).unwrap();
    let records = directory.records().unwrap();
    // Of equals the earlier one is the best.
    let best = if records[1].val_top1 > records[0].val_top1 { 4 } else { 2 };
    let best = first_weight(all.path(), &format!("stage01-epoch{:04}-step{best:08}", best / 2));
    assert_eq!(first_weight(all.path(), "stage03-epoch0002-step00000012"), best);
    let few = tempfile::tempdir().unwrap();
    assert!(matches!(run(few.path(), rates), Ok(Outcome::Finished { .. })));
    assert_eq!(first_weight(few.path(), "stage03-epoch0002-step00000012"), best);
}

#[test]
fn a_start_that_cannot_be_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let place = "extra: stage.second.start_from: ";
    for (start, problem) in [
        ("third:best", "`third` is not a stage before `second`"),
        ("second:best", "`second` is not a stage before `second`"),
        ("zeroth:best", "`zeroth` is not a stage before `second`"),
        (
            "first:worst",
            "expected `best`, `newest`, `STAGE:best` or `STAGE:newest`, found `first:worst`",
        ),
    ] {
        let error =
            run(folder.path(), &format!("stage.second.start_from = '{start}'")).unwrap_err();
        assert_eq!((error.to_string(), error.exit_code()), (format!("{place}{problem}"), 2));
    }
}

#[test]
fn training_pictures_grow_and_validation_stays() {
    let folder = tempfile::tempdir().unwrap();
    let extra = "stage.first = { run_for = { epochs = 4 }, progressive_resize = { from = 16, multiple_of = 8 } }";
    let plan = stages(&layers(folder.path(), extra), &mut Silent).unwrap();
    let widths: Vec<u32> = (0..4).map(|epoch| plan[0].train_recipe(epoch).size.width).collect();
    assert_eq!(widths, [16, 24, 24, 32]);
    assert_eq!(plan[0].val_recipe.size.width, 32);
    assert_eq!(plan[1].train_recipe(1).size.width, 32);
    assert!(matches!(run(folder.path(), extra), Ok(Outcome::Finished { .. })));

    let extra = "stage.first.progressive_resize.from = 32";
    let error = stages(&layers(folder.path(), extra), &mut Silent).unwrap_err().to_string();
    let problem = "must be at least 1 and below the size of 32 px";
    assert_eq!(error, format!("extra: stage.first.progressive_resize.from: {problem}"));
}

#[test]
fn drop_schedules_take_dropout_and_stochastic_depth_away() {
    let folder = tempfile::tempdir().unwrap();
    let losses = |name: &str, extra: &str| -> Vec<f64> {
        let place = folder.path().join(name);
        std::fs::create_dir(&place).unwrap();
        let extra = format!("stages = ['first']\nmodel.type = 'resnet18'\n{extra}");
        let own = EXPERIMENT.replace("stages = [\"first\", \"second\", \"third\"]", "");
        let layers = layers_of(&own, folder.path(), &extra);
        let destination = Destination::Exactly(place.join("run"));
        begin("test", &layers, &destination, &settings(), &mut Silent).unwrap();
        let (run, _) = RunDirectory::open(&place.join("run")).unwrap();
        run.records().unwrap().iter().map(|record| record.train_loss).collect()
    };
    let none = losses("none", "");
    let drops = "model.dropout = 0.4\nmodel.stochastic_depth = 0.4";
    let off = "{ from = 0.0, to = 0.0 }";
    let off = format!(
        "{drops}\ncommon.dropout_schedule = {off}\ncommon.stochastic_depth_schedule = {off}"
    );
    assert_eq!(losses("off", &off), none);
    assert_ne!(losses("on", drops), none);
}
