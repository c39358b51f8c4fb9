//! Weights from the command line: a run exported, looked at, converted, used for predictions and for another run.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic, reason = "a test")]

use serde_json::Value;
use std::path::PathBuf;
use std::process::{Command, Output};

struct Workplace {
    folder: tempfile::TempDir,
}

impl Workplace {
    /// A folder with a finished run of two epochs in `run`, and its pictures in `pictures`.
    fn with_run() -> Self {
        let place = Self { folder: tempfile::tempdir().unwrap() };
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

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn kiln(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_kiln"));
        command.args(arguments).current_dir(self.folder.path());
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("KILN_") {
                command.env_remove(name);
            }
        }
        command.output().unwrap()
    }

    fn ok(&self, arguments: &[&str]) -> String {
        let output = self.kiln(arguments);
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "kiln {arguments:?}: {errors}");
        String::from_utf8(output.stdout).unwrap()
    }

    fn json(&self, arguments: &[&str]) -> Value {
        serde_json::from_str(&self.ok(arguments)).unwrap()
    }

    fn fails(&self, code: i32, arguments: &[&str]) -> String {
        let output = self.kiln(arguments);
        let errors = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(code), "kiln {arguments:?}: {errors}");
        assert!(!errors.contains("panicked"), "{errors}");
        errors
    }

    /// The first validation picture of the run.
    fn picture(&self) -> String {
        let mut folders: Vec<_> = std::fs::read_dir(self.path("pictures/val"))
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .collect();
        folders.sort();
        let mut pictures: Vec<_> =
            std::fs::read_dir(&folders[0]).unwrap().map(|entry| entry.unwrap().path()).collect();
        pictures.sort();
        pictures[0].display().to_string()
    }
}

#[test]
fn an_exported_run_predicts_what_the_run_predicts() {
    let place = Workplace::with_run();
    let picture = place.picture();
    let of_run = place.json(&["predict", "run", &picture, "--json"]);
    let printed = place.ok(&["export", "run", "--output", "model.safetensors"]);
    assert_eq!(printed, "model.safetensors\nmodel.json\n");
    let of_file = place.json(&["predict", "--weights", "model.safetensors", &picture, "--json"]);
    assert_eq!(of_file, of_run);

    let card: Value =
        serde_json::from_str(&std::fs::read_to_string(place.path("model.json")).unwrap()).unwrap();
    assert_eq!(card["model"]["type"], "resnet20");
    assert_eq!(card["class_names"].as_array().unwrap().len(), 4);

    let logits = ["predict", "--weights", "model.safetensors", &picture, "--logits", "--json"];
    let logits = place.json(&logits);
    assert_eq!(logits[0]["path"], picture.as_str());
    assert_eq!(logits[0]["logits"].as_array().unwrap().len(), 4);

    let list = place.json(&["weights", "inspect", "model.safetensors", "--json"]);
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
    let place = Workplace::with_run();
    let picture = place.picture();
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
    let before = place.json(&["predict", "--weights", "model.safetensors", &picture, "--json"]);
    let after = place.json(&["predict", "--weights", "named.safetensors", &picture, "--json"]);
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
    let place = Workplace::with_run();
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
}

#[test]
fn mistakes_have_a_clear_message_and_the_documented_code() {
    let place = Workplace { folder: tempfile::tempdir().unwrap() };
    std::fs::write(place.path("odd.pth"), "not weights").unwrap();
    for (code, arguments, message) in [
        (5, vec!["weights", "inspect", "nowhere.pth"], "weights nowhere.pth: "),
        (5, vec!["weights", "inspect", "odd.pth"], "weights odd.pth: neither"),
        (5, vec!["predict", "--weights", "odd.pth", "x.png"], "weights odd.pth: neither"),
        (2, vec!["predict", "x.png"], "expected a run and pictures, or --weights and pictures"),
        (2, vec!["predict", "run", "x.png", "--model", "resnet18"], "need --weights"),
        (2, vec!["predict", "--weights", "odd.pth", "x.png", "--std", "0,1,1"], "above 0"),
        (5, vec!["export", "nowhere"], "nowhere"),
        (2, vec!["weights", "fetch", "resnet"], "no weights are called `resnet`"),
    ] {
        let found = place.fails(code, &arguments);
        assert!(found.contains(message), "{arguments:?}: {found}");
    }
}
