//! The program as people use it: commands, exit codes, kills.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic, reason = "a test")]

mod support;

use serde_json::Value;
use std::path::Path;
use support::workplace::Workplace;

fn config(name: &str) -> String {
    format!("{}/../../configs/{name}.toml", env!("CARGO_MANIFEST_DIR"))
}

/// Settings that make any experiment small: four epochs at 32 px with the small network.
const SMALL: [&str; 4] = [
    "model.type=\"resnet20\"",
    "common.size=32",
    "common.batch.micro=6",
    "common.run_for.epochs=4",
];

/// Sixty generated pictures.
const SYNTH: [&str; 3] = ["data.source.train=60", "data.source.val=30", "data.source.side=32"];

/// `kiln train` with `settings` into the folder `out`.
fn train<'a>(config: &'a str, out: &'a str, settings: &[&'a str]) -> Vec<&'a str> {
    let mut arguments = vec!["train", config, "--out", out];
    for assignment in settings {
        arguments.extend(["--set", assignment]);
    }
    arguments
}

/// Phase 1 at demo scale, made smaller still.
fn tiny<'a>(config: &'a str, out: &'a str) -> Vec<&'a str> {
    train(config, out, &[&SMALL[..], &SYNTH[..]].concat())
}

/// The measurements that do not depend on the machine.
fn metrics(run: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(run.join("metrics.jsonl")).unwrap();
    let stable = [
        "stage",
        "epoch",
        "step",
        "train_loss",
        "train_top1",
        "val_loss",
        "val_top1",
        "val_top5",
        "lr",
    ];
    text.lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap())
        .filter(|record| record["kind"] == "epoch")
        .map(|record| stable.iter().map(|key| record[key].clone()).collect())
        .collect()
}

#[test]
fn the_way_of_a_run() {
    let place = Workplace::new();
    let config = config("phase1");
    let said = place.ok(&tiny(&config, "run"));
    assert!(
        said.contains("no --data given") && said.contains("cargo xtask phase1 --data DIR"),
        "{said}"
    );
    assert!(said.contains("best checkpoint"), "{said}");
    let run = place.path("run");
    assert_eq!(metrics(&run).len(), 4);
    for file in ["config.toml", "plan.json", "environment.json", "run.json", "evaluation.json"] {
        assert!(run.join(file).is_file(), "{file}");
    }

    let scores: Value = serde_json::from_str(&place.ok(&["evaluate", "run", "--json"])).unwrap();
    assert_eq!(scores["samples"], 30);
    let records = metrics(&run);
    let best = records.iter().map(|r| r[6].as_f64().unwrap()).fold(0.0, f64::max);
    assert_eq!(scores["top1"].as_f64().unwrap(), best);

    let source = std::fs::read_to_string(run.join("config.toml")).unwrap();
    assert!(source.contains("type = \"synth\""), "{source}");
    place.ok(&["data", "synth", "pictures", "--train", "10", "--val", "10", "--side", "32"]);
    let picture = "pictures/val/circle/00001.jpg";
    let predictions = place.ok(&["predict", "run", picture, "--json", "--top", "3"]);
    let predictions: Value = serde_json::from_str(&predictions).unwrap();
    assert_eq!(predictions[0]["path"], picture);
    let top = predictions[0]["top"].as_array().unwrap();
    assert_eq!(top.len(), 3);
    assert!(top[0]["class"].is_string() && top[0]["probability"].as_f64().unwrap() > 0.0);

    let report = std::fs::read_to_string(run.join("report.html")).unwrap();
    assert!(report.contains("<svg") && report.contains("crescent"));
    std::fs::remove_file(run.join("report.html")).unwrap();
    place.ok(&["report", "run"]);
    assert_eq!(std::fs::read_to_string(run.join("report.html")).unwrap(), report);

    let described = place.ok(&["data", "describe", "pictures", "--json"]);
    let described: Value = serde_json::from_str(&described).unwrap();
    assert_eq!(described["train"]["samples"], 10);
    assert_eq!(described["val"]["classes"].as_array().unwrap().len(), 10);
}

#[test]
fn phase_2_trains_with_each_of_its_pipelines() {
    let place = Workplace::new();
    let config = config("phase2");
    let settings = |pipeline| [&SMALL[..], &SYNTH[..], &[pipeline]].concat();
    let policy = settings("stage.train.pipeline=policy");
    place.ok(&tiny(&config, "rand_augment"));
    place.ok(&train(&config, "policy", &policy));
    // Noise, blurs and warps depend on the picture alone, and mixing on the batch, not on who computes them.
    place.ok(&[&train(&config, "again", &policy)[..], &["--workers", "3"]].concat());
    let of = |run: &str| metrics(&place.path(run));
    assert_eq!(of("policy").len(), 4);
    assert_eq!(of("policy"), of("again"));
    assert_ne!(of("policy"), of("rand_augment"));

    let unknown = settings("stage.train.pipeline=polity");
    let message = place.fails(2, &train(&config, "none", &unknown));
    assert!(message.contains("stage.train.pipeline") && message.contains("`policy`"), "{message}");
}

#[test]
fn runs_are_numbered_and_never_overwritten() {
    let place = Workplace::new();
    let config = config("phase1");
    let mut arguments = tiny(&config, "");
    arguments.drain(2..4);
    arguments.extend(["--set", "common.run_for.epochs=1", "--quiet"]);
    assert_eq!(place.ok(&arguments).trim(), "runs/phase1-001");
    assert_eq!(place.ok(&arguments).trim(), "runs/phase1-002");
    // The newest has the highest number.
    std::fs::rename(place.path("runs/phase1-001"), place.path("moved")).unwrap();
    assert_eq!(place.ok(&arguments).trim(), "runs/phase1-003");
    let message = place.fails(5, &tiny(&config, "runs/phase1-002"));
    assert!(message.contains("exists already"), "{message}");
}

#[test]
fn mistakes_have_a_clear_message_and_the_documented_code() {
    let place = Workplace::new();
    let config = config("phase1");
    std::fs::create_dir_all(place.path("empty/train/cat")).unwrap();
    let rows: [(i32, &[&str], &str); 9] = [
        (2, &["--device", "tpu"], "tpu"),
        (2, &["--device", "cuda"], "this build has no device `cuda`"),
        (2, &["--set", "common.batch.mikro=3"], "did you mean `micro`?"),
        (2, &["--set", "common.precision=\"mixed\""], "unknown variant `mixed`"),
        (2, &["--set", "stage.train.schedule.max_lr=-1"], "max_lr must be"),
        (2, &["--set", "common.batch.micro=1000"], "the training set has 60"),
        (2, &["--overlay", "nope"], "overlays/nope.toml"),
        (3, &["--data", "missing"], "missing"),
        (3, &["--data", "empty"], "cat"),
    ];
    for (code, more, expected) in rows {
        // The settings of generated pictures would themselves be a mistake beside a folder.
        let mut arguments = match more[0] {
            "--data" => train(&config, "run", &SMALL),
            _ => tiny(&config, "run"),
        };
        arguments.extend(more);
        let message = place.fails(code, &arguments);
        assert!(message.contains(expected), "{more:?}: {message}");
    }
    assert!(!place.path("run").exists(), "a run that cannot begin leaves nothing behind");
    let message = place.fails(2, &["train", "no-such-experiment"]);
    assert!(message.contains("no-such-experiment"), "{message}");
    let message = place.fails(5, &["resume", "no-such-run"]);
    assert!(message.contains("no such folder"), "{message}");
}

#[test]
fn a_broken_picture_is_named_or_skipped_and_counted() {
    let place = Workplace::new();
    place.ok(&["data", "synth", "pictures", "--train", "40", "--val", "20", "--side", "32"]);
    std::fs::write(place.path("pictures/train/circle/00001.jpg"), b"not a picture").unwrap();
    let config = config("phase1");
    let whole = [&SMALL[..], &["data.subset.fraction=1.0", "common.batch.accumulate=1"]].concat();
    let mut failing = train(&config, "failing", &whole);
    failing.extend(["--data", "pictures"]);
    let message = place.fails(3, &failing);
    assert!(message.contains("train/circle/00001.jpg"), "{message}");

    let skip =
        [&whole[..], &["data.on_bad_image=\"skip\"", "common.batch.drop_last=false"]].concat();
    let mut skipping = train(&config, "skipping", &skip);
    skipping.extend(["--data", "pictures"]);
    let said = place.ok(&skipping);
    assert!(said.contains("1 pictures left out"), "{said}");
}

#[test]
fn without_a_single_picture_the_run_says_so_and_can_still_be_read() {
    let place = Workplace::new();
    place.ok(&["data", "synth", "pictures", "--train", "30", "--val", "10", "--side", "32"]);
    for class in std::fs::read_dir(place.path("pictures/val")).unwrap() {
        for picture in std::fs::read_dir(class.unwrap().path()).unwrap() {
            std::fs::write(picture.unwrap().path(), b"not a picture").unwrap();
        }
    }
    let config = config("phase1");
    let skip =
        ["data.subset.fraction=1.0", "common.batch.accumulate=1", "data.on_bad_image=\"skip\""];
    let settings = [&SMALL[..], &skip[..]].concat();
    let mut arguments = train(&config, "run", &settings);
    arguments.extend(["--data", "pictures"]);
    let message = place.fails(3, &arguments);
    assert!(message.contains("no picture of the validation set could be decoded"), "{message}");
    place.ok(&["report", "run"]);
}

#[cfg(unix)]
#[test]
fn a_reader_that_goes_away_does_not_end_a_run() {
    let place = Workplace::new();
    let config = config("phase1");
    let mut command = place.command(&tiny(&config, "run"));
    let mut child = command.stdout(std::process::Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    assert!(child.wait().unwrap().success());
    assert_eq!(metrics(&place.path("run")).len(), 4);
}

#[test]
fn pictures_may_move_between_begin_and_resume() {
    let place = Workplace::new();
    place.ok(&["data", "synth", "pictures", "--train", "30", "--val", "10", "--side", "32"]);
    let config = config("phase1");
    let settings =
        [&SMALL[..], &["data.subset.fraction=1.0", "common.batch.accumulate=1"]].concat();
    let mut arguments = train(&config, "run", &settings);
    arguments.extend(["--data", "pictures"]);
    place.ok(&arguments);
    std::fs::rename(place.path("pictures"), place.path("moved")).unwrap();
    let message = place.fails(3, &["evaluate", "run"]);
    assert!(message.contains("pictures"), "{message}");
    place.ok(&["evaluate", "run", "--data", "moved"]);
    place.ok(&["resume", "run", "--data", "moved"]);
    // Told once, it is known.
    place.ok(&["resume", "run"]);
}

#[test]
fn a_damaged_checkpoint_is_set_aside() {
    let place = Workplace::new();
    let config = config("phase1");
    place.ok(&tiny(&config, "run"));
    let newest = "run/checkpoints/stage01-epoch0004-step00000040/optimizer.safetensors";
    let bytes = std::fs::read(place.path(newest)).unwrap();
    std::fs::write(place.path(newest), &bytes[..bytes.len() - 8]).unwrap();
    let said = place.ok(&["resume", "run"]);
    assert!(said.contains("skipped") && said.contains("optimizer.safetensors"), "{said}");
    assert_eq!(std::fs::read(place.path(newest)).unwrap(), bytes);
}

#[test]
fn a_run_of_another_format_is_refused() {
    let place = Workplace::new();
    let config = config("phase1");
    let mut arguments = tiny(&config, "run");
    arguments.extend(["--set", "common.run_for.epochs=1"]);
    place.ok(&arguments);
    let file = place.path("run/run.json");
    let text = std::fs::read_to_string(&file).unwrap().replace("\"format\": 2", "\"format\": 99");
    std::fs::write(&file, text).unwrap();
    for command in ["resume", "evaluate", "report"] {
        let message = place.fails(5, &[command, "run"]);
        assert!(
            message.contains("written in format 99 by a newer Kiln, this version reads format 2"),
            "{message}"
        );
    }
}

#[test]
fn a_plan_first_and_an_average_last() {
    let place = Workplace::new();
    let config = config("phase2");
    let mut dry = tiny(&config, "plan");
    dry.push("--dry-run");
    let said = place.ok(&dry);
    for part in
        ["4 epochs", "trained         0.3M parameters", "one pass of 6 pictures", "first pictures"]
    {
        assert!(said.contains(part), "{part}: {said}");
    }
    assert!(place.path("plan/phase2-train.png").is_file());
    assert!(!place.path("plan/run.json").exists());

    for out in ["one", "two"] {
        place.ok(&tiny(&config, out));
    }
    let said = place.ok(&["average", "one", "two", "--greedy", "--output", "mean.safetensors"]);
    assert!(said.contains("the average, loss"), "{said}");
    assert!(place.ok(&["weights", "inspect", "mean.safetensors"]).contains("resnet20"));
}
