//! What people read: the help text, and an experiment with all its layers merged.
#![allow(missing_docs, clippy::unwrap_used, reason = "a test")]

use std::path::Path;
use std::process::Command;

fn kiln(arguments: &[&str]) -> String {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");
    let mut command = Command::new(env!("CARGO_BIN_EXE_kiln"));
    let output = command.args(arguments).current_dir(folder).env_clear().output();
    output.map(|output| String::from_utf8_lossy(&output.stdout).into_owned()).unwrap_or_default()
}

#[test]
fn help() {
    insta::assert_snapshot!(kiln(&["--help"]));
}

#[test]
fn help_of_train() {
    insta::assert_snapshot!(kiln(&["train", "--help"]));
}

#[test]
fn every_experiment_with_data() {
    let configs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../configs");
    let mut names: Vec<String> = std::fs::read_dir(configs)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "toml"))
        .map(|path| path.file_stem().unwrap().to_string_lossy().into_owned())
        .collect();
    names.sort();
    assert!(names.contains(&"unfreeze".to_owned()), "{names:?}");
    for name in names {
        let shown = kiln(&["config", "show", &name, "--data", "/pictures"]);
        insta::assert_snapshot!(format!("{}_with_data", name.replace('-', "_")), shown);
    }
}

#[test]
fn phase1_without_data() {
    insta::assert_snapshot!(kiln(&["config", "show", "phase1"]));
}

#[test]
fn schedule_of_an_experiment() {
    let cache = tempfile::tempdir().unwrap();
    let cache = format!("data.cache=\"{}\"", cache.path().display());
    let shown = |name: &str, more: &[&str]| {
        let start = ["schedule", "show", name, "--set", &cache, "--rows", "6"];
        kiln(&[start.as_slice(), more].concat())
    };
    let warmup = ["--set", "stage.train.warmup={span={epochs=1}}"];
    let one_cycle = shown("phase1", &warmup);
    let groups = shown("discriminative", &[]);
    let plateau = "stage.train.schedule={type=\"plateau\",lr=1e-3,factor=0.5,patience=5}";
    let layers = shown("phase1", &["--set", "stage.train.layer_decay=0.5", "--set", plateau]);
    insta::assert_snapshot!(format!("{one_cycle}\n{groups}\n{layers}"));
    let every: serde_json::Value = serde_json::from_str(&shown("phase1", &["--json"])).unwrap();
    assert_eq!(every.as_array().unwrap().len(), 270);
}
