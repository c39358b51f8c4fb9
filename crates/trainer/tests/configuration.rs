//! Layers of a configuration and the errors in them.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic, reason = "a test")]

use kiln_optim_schedules::Span;
use kiln_trainer::spec::{Layer, Layers, MicroBatch};
use kiln_trainer::{Error, check};

const EXPERIMENT: &str = r#"
seed = 1
stages = ["train"]
[data]
source = { type = "image_folder", path = "pictures" }
[model]
type = "resnet18"
[common]
size = 64
batch = { micro = 32 }
run_for = { epochs = 3 }
optimizer = { type = "sgd", momentum = 0.9 }
pipeline = [{ type = "random_resized_crop" }, { type = "random_horizontal_flip", p = 0.5 }]
[stage.train]
schedule = { type = "one_cycle", max_lr = 3e-3 }
"#;

fn layers(upper: &[Layer]) -> Layers {
    let mut layers = Layers::with_defaults().unwrap();
    layers.push(Layer::from_toml("experiment.toml", EXPERIMENT).unwrap());
    layers.extend(upper.iter().cloned());
    layers
}

fn set(assignment: &str) -> Layer {
    Layer::from_assignment(assignment).unwrap()
}

fn error(upper: &[Layer]) -> Error {
    let layers = layers(upper);
    match layers.resolve() {
        Err(error) => error,
        Ok(spec) => check(&spec, &layers).unwrap_err(),
    }
}

#[test]
fn every_kind_of_mistake_is_named_with_its_place() {
    let rows = [
        (
            "stage.train.schedule.max_lrr=1",
            "--set stage.train.schedule.max_lrr=1: stage.train.schedule (one_cycle): unknown field `max_lrr`",
            "did you mean `max_lr`?",
        ),
        (
            "model.type=\"resnet17\"",
            "--set model.type=\"resnet17\": model.type: unknown variant `resnet17`",
            "did you mean `resnet18`?",
        ),
        (
            "stage.train.loss={ type = \"focal\", gamma = -1.0 }",
            "gamma = -1.0 }: stage.train.loss.gamma: must be at least 0",
            "at least 0",
        ),
        (
            "stage.train.loss={ type = \"binary_cross_entropy\", target_threshold = 2.0 }",
            "stage.train.loss.target_threshold: must be from 0 to 1",
            "from 0 to 1",
        ),
        ("stage.train.loss.gamma=2.0", "stage.train.loss", "unknown field `gamma`"),
        (
            "common.sise=64",
            "--set common.sise=64: stage.train.sise: unknown field `sise`",
            "did you mean `size`?",
        ),
        (
            "common.batch.micro=0",
            "--set common.batch.micro=0: stage.train.batch: micro must be at least 1",
            "found 0",
        ),
        (
            "common.batch.micro=\"most\"",
            "stage.train.batch.micro: invalid value: string \"most\"",
            "a number of pictures or \"auto\"",
        ),
        (
            "common.precision=\"mixed\"",
            "--set common.precision=\"mixed\": stage.train.precision: unknown variant `mixed`",
            "expected one of `f32`, `bf16`, `f16`",
        ),
        (
            "common.pipeline=[{type=\"random_resized_crop\"},{type=\"random_horizontal_flip\",p=2.0}]",
            "stage.train.pipeline[1] (random_horizontal_flip): p must be",
            "found 2",
        ),
        (
            "common.pipeline=[{type=\"random_horizontal_flop\"}]",
            "stage.train.pipeline[0].type: unknown variant",
            "did you mean `random_horizontal_flip`?",
        ),
        (
            "data.subset.fraction=1.5",
            "--set data.subset.fraction=1.5: data.subset.fraction: must be",
            "above 0 and at most 1",
        ),
        (
            "stage.trian.size=3",
            "--set stage.trian.size=3: stage.trian: not one of `stages`",
            "train",
        ),
        ("common.run_for={days=3}", "unknown field `days`, expected one of `epochs`", "`fraction`"),
        ("model.dropout=1.0", "--set model.dropout=1.0: model: dropout must be", "found 1"),
        (
            "comon.size=3",
            "--set comon.size=3: comon: unknown field `comon`",
            "did you mean `common`?",
        ),
        ("common=3", "--set common=3: common: expected a table", ""),
        (
            "trainer.kernels=\"fats\"",
            "--set trainer.kernels=\"fats\": trainer.kernels: unknown variant `fats`",
            "did you mean `fast`?",
        ),
        ("seed=\"x\"", "--set seed=\"x\": seed: invalid type", "u64"),
    ];
    for (assignment, beginning, end) in rows {
        let error = error(&[set(assignment)]);
        let text = error.to_string();
        assert_eq!(error.exit_code(), 2, "{text}");
        assert!(text.contains(beginning) && text.contains(end), "{assignment} gives:\n{text}");
    }
}

#[test]
fn a_value_of_the_experiment_is_blamed_on_its_file() {
    let text = EXPERIMENT.replace("max_lr = 3e-3", "max_lr = 3e-3, steps = 4");
    let mut layers = Layers::with_defaults().unwrap();
    layers.push(Layer::from_toml("experiment.toml", &text).unwrap());
    let text = layers.resolve().unwrap_err().to_string();
    assert!(
        text.starts_with("experiment.toml: stage.train.schedule (one_cycle): unknown field"),
        "{text}"
    );
}

#[test]
fn a_syntax_error_shows_its_line() {
    let text = Layer::from_toml("broken.toml", "seed = 1\nstages = [").unwrap_err().to_string();
    assert!(text.starts_with("broken.toml: ") && text.contains("line 2"), "{text}");
}

#[test]
fn higher_layers_win_key_by_key() {
    let overlay =
        Layer::from_toml("overlay.toml", "[common]\nsize = 96\nbatch.accumulate = 4").unwrap();
    let spec = layers(&[overlay, set("stage.train.size=48")]).resolve().unwrap();
    let stage = &spec.stage["train"];
    assert_eq!(
        (stage.size, stage.batch.micro, stage.batch.accumulate),
        (48, MicroBatch::Pictures(32), 4)
    );
}

#[test]
fn a_layer_can_speak_of_every_stage() {
    let quick = Layer::from_toml(
        "quick.toml",
        "[every_stage]\nsize = 32\nrun_for = { steps = 5 }\nbatch = { micro = 8 }",
    )
    .unwrap();
    let two = "stages = [\"train\", \"more\"]\n[stage.train]\nsize = 96\n[stage.more.schedule]\n\
               type = \"constant\"\nlr = 0.1";
    let two = Layer::from_toml("two.toml", two).unwrap();
    let upper = [two.clone(), quick.clone(), set("stage.more.size=48")];
    let spec = layers(&upper).resolve().unwrap();
    // Over what lower layers say of a stage, under what higher ones say.
    assert_eq!((spec.stage["train"].size, spec.stage["more"].size), (32, 48));
    for stage in spec.stage.values() {
        assert_eq!(stage.run_for, Span::Steps(5));
        assert_eq!((stage.batch.micro, stage.batch.accumulate), (MicroBatch::Pictures(8), 1));
    }
    let wrong = error(&[two, quick, set("every_stage.size=0")]);
    let message = "--set every_stage.size=0: stage.train.size: must be from 1 to 16384";
    assert_eq!(wrong.to_string(), message);
    let misspelt = error(&[set("every_stage.sise=1")]);
    assert!(
        misspelt.to_string().starts_with("--set every_stage.sise=1: stage.train.sise: unknown"),
        "{misspelt}"
    );
    let limit = error(&[set("data.limit={ train = 0, val = 1 }")]);
    assert!(limit.to_string().contains("data.limit: must be at least 1"), "{limit}");
}

#[test]
fn another_type_or_unit_replaces_the_whole_table() {
    let spec = layers(&[set("common.optimizer={type=\"adam\"}"), set("common.run_for.steps=10")]);
    let stage = &spec.resolve().unwrap().stage["train"];
    let text = serde_json::to_value((&stage.optimizer, &stage.run_for)).unwrap();
    assert_eq!(text[0]["type"], "adam");
    assert_eq!(text[1], serde_json::json!({ "steps": 10 }));
}

#[test]
fn what_is_written_to_the_run_directory_reads_back_the_same() {
    let spec = layers(&[]).resolve().unwrap();
    let mut again = Layers::empty();
    again.push(Layer::from_toml("config.toml", &spec.to_toml().unwrap()).unwrap());
    assert_eq!(again.resolve().unwrap(), spec);
}
