//! Weights from the command line: a run exported, looked at, converted, used for predictions and for another run.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic, reason = "a test")]

mod support;

use serde_json::Value;
use std::path::PathBuf;
use support::workplace::Workplace;

/// A folder with a finished run of two epochs in `run`, and its pictures in `pictures`.
fn with_run() -> Workplace {
    let place = Workplace::new();
    place.ok(&[
        "data",
        "synth",
        "pictures",
        "--train",
        "40",
        "--val",
        "20",
        "--classes",
        "4",
        "--side",
        "32",
    ]);
    let experiment = r#"
        seed = 1
        stages = ["train"]
        data.source = { type = "image_folder", path = "pictures" }
        model = { type = "resnet20", head = { type = "mlp", hidden = 16 } }
        [stage.train]
        size = 32
        batch = { micro = 10, accumulate = 1 }
        run_for = { epochs = 2 }
        optimizer = { type = "sgd" }
        schedule = { type = "constant", lr = 0.1 }
        pipeline = []
    "#;
    std::fs::write(place.path("tiny.toml"), experiment).unwrap();
    place.ok(&["train", "tiny.toml", "--out", "run"]);
    place
}

fn json(place: &Workplace, arguments: &[&str]) -> Value {
    serde_json::from_str(&place.ok(arguments)).unwrap()
}

/// The first validation picture of the run.
fn picture(place: &Workplace) -> String {
    let first = |folder: PathBuf| {
        let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        entries.min().unwrap()
    };
    first(first(place.path("pictures/val"))).display().to_string()
}

#[test]
fn an_exported_run_predicts_what_the_run_predicts() {
    let place = with_run();
    let picture = picture(&place);
    let of_run = json(&place, &["predict", "run", &picture, "--json"]);
    let printed = place.ok(&["export", "run", "--output", "model.safetensors"]);
    assert_eq!(printed, "model.safetensors\nmodel.json\n");
    let of_file = json(&place, &["predict", "--weights", "model.safetensors", &picture, "--json"]);
    assert_eq!(of_file, of_run);

    let card: Value =
        serde_json::from_str(&std::fs::read_to_string(place.path("model.json")).unwrap()).unwrap();
    assert_eq!(card["model"]["type"], "resnet20");
    assert_eq!(card["class_names"].as_array().unwrap().len(), 4);

    let logits = ["predict", "--weights", "model.safetensors", &picture, "--logits", "--json"];
    let logits = json(&place, &logits);
    assert_eq!(logits[0]["path"], picture.as_str());
    assert_eq!(logits[0]["logits"].as_array().unwrap().len(), 4);

    // A name keeps what the card says about the model, here its hidden layer.
    let named =
        ["predict", "--weights", "model.safetensors", "--model", "resnet20", &picture, "--json"];
    assert_eq!(json(&place, &named), of_run);
    let message = place.fails(2, &["export", "run", "--output", "model.json"]);
    assert!(message.contains("the card goes there"), "{message}");

    let list = json(&place, &["weights", "inspect", "model.safetensors", "--json"]);
    let names: Vec<&str> = list["tensors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|tensor| tensor["name"].as_str().unwrap())
        .collect();
    for name in ["conv1.weight", "bn1.num_batches_tracked", "fc.0.weight", "fc.3.bias"] {
        assert!(names.contains(&name), "{name} in {names:?}");
    }
    assert!(place.ok(&["weights", "inspect", "model.safetensors"]).contains("resnet20"));
}

#[test]
fn converted_weights_say_the_same_under_other_class_names() {
    let place = with_run();
    let picture = picture(&place);
    place.ok(&["export", "run", "--output", "model.safetensors"]);
    std::fs::write(place.path("names.txt"), "a\nb\nc\nd\n").unwrap();
    place.ok(&[
        "weights",
        "convert",
        "model.safetensors",
        "named.safetensors",
        "--class-names",
        "names.txt",
    ]);
    let before = json(&place, &["predict", "--weights", "model.safetensors", &picture, "--json"]);
    let after = json(&place, &["predict", "--weights", "named.safetensors", &picture, "--json"]);
    assert_eq!(before[0]["top"][0]["probability"], after[0]["top"][0]["probability"]);
    assert_eq!(after[0]["top"][0]["class"].as_str().unwrap().len(), 1);

    std::fs::write(place.path("names.txt"), "a\nb\n").unwrap();
    let arguments =
        ["weights", "convert", "model.safetensors", "x.safetensors", "--class-names", "names.txt"];
    assert!(place.fails(2, &arguments).contains("2 lines for 4 classes"));
    assert!(!place.path("x.safetensors").exists());
}

#[test]
fn another_run_starts_from_the_weights() {
    let place = with_run();
    place.ok(&["export", "run", "--output", "model.safetensors"]);
    let from = |extra: &[&'static str]| {
        let mut arguments = vec![
            "train",
            "tiny.toml",
            "--set",
            "weights.path=model.safetensors",
            "--set",
            "weights.new_head=false",
        ];
        arguments.extend(extra);
        arguments
    };
    // At a rate of zero the weights stay, but for batch norm's statistics.
    let still = [
        "--out",
        "still",
        "--set",
        "stage.train.schedule.lr=0.0",
        "--set",
        "stage.train.params=[{path='.*', freeze='weights_and_stats'}]",
    ];
    let message = place.fails(2, &from(&still));
    assert!(message.contains("nothing learns"), "{message}");
    let head = [
        "--out",
        "head",
        "--set",
        "stage.train.params=[{path='^fc'}, {path='.*', freeze='weights_and_stats'}]",
    ];
    let printed = place.ok(&from(&head));
    assert!(printed.contains("0.0M of 0.3M parameters trained"), "{printed}");
    assert!(printed.contains("tensors of "), "{printed}");
    assert!(!printed.contains("trained with"), "{printed}");
    let grey =
        [&head[..1], &["grey"], &head[2..], &["--set", "input.mean=[0.5, 0.5, 0.5]"]].concat();
    let printed = place.ok(&from(&grey));
    assert!(printed.contains("trained with mean [0.485, 0.456, 0.406]"), "{printed}");
    assert!(printed.contains("this experiment has mean [0.5, 0.5, 0.5]"), "{printed}");
    let other = [&head[..1], &["other"], &head[2..], &["--set", "model.type=resnet32"]].concat();
    let message = place.fails(5, &from(&other));
    assert!(
        message.contains("do not fit the model") || message.contains("of the model"),
        "{message}"
    );
}

#[test]
fn mistakes_have_a_clear_message_and_the_documented_code() {
    let place = Workplace::new();
    std::fs::write(place.path("odd.pth"), "not weights").unwrap();
    for (code, arguments, message) in [
        (5, vec!["weights", "inspect", "nowhere.pth"], "weights nowhere.pth: "),
        (5, vec!["weights", "inspect", "odd.pth"], "weights odd.pth: neither"),
        (5, vec!["predict", "--weights", "odd.pth", "x.png"], "weights odd.pth: neither"),
        (2, vec!["predict", "x.png"], "expected a run and pictures, or --weights and pictures"),
        (2, vec!["predict", "run", "x.png", "--model", "resnet18"], "need --weights"),
        (2, vec!["predict", "--weights", "odd.pth", "x.png", "--std", "0,1,1"], "above 0"),
        (5, vec!["export", "nowhere"], "nowhere"),
        (2, vec!["predict", "--weights", "odd.pth", "x.png", "--logits", "--top", "2"], "--top"),
        (2, vec!["weights", "fetch", "resnet"], "no weights are called `resnet`"),
    ] {
        let found = place.fails(code, &arguments);
        assert!(found.contains(message), "{arguments:?}: {found}");
    }
}
